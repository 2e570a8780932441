# SPDX-License-Identifier: GPL-3.0-or-later
"""Read an image from the clipboard, with Blender if it can, else with the desktop's own tool.

Blender reads images on Windows, macOS, and Wayland; X11 needs `xclip`. Copied files and URLs are
text, which Blender reads everywhere.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import bpy

from ..jobs.disk.file_names import PHOTO_SUFFIXES
from ..providers import BadImage, Message, is_https_address

PICTURE = "image/png"
TOOLS = (
    (("wl-paste", "--list-types"), ("wl-paste", "--no-newline", "--type", PICTURE)),
    (
        ("xclip", "-selection", "clipboard", "-target", "TARGETS", "-out"),
        ("xclip", "-selection", "clipboard", "-target", PICTURE, "-out"),
    ),
)
"""Pairs of commands: one lists the clipboard's types, the other writes the image."""
LIST_SECONDS, TOOL_SECONDS = 0.3, 3.0
"""Timeouts of the two commands, in seconds. They are short: Blender itself may own the clipboard,
and cannot answer while it waits here."""

_running_tools: list[subprocess.Popen[bytes]] = []
"""Tools that timed out and have not exited yet."""
NAME = "Clipboard"

_OF_FILE = r"^file://[^/]*|[?#].*"
"""Matches the parts of a file URL that do not belong to its path."""


def paste_image(context: bpy.types.Context) -> bpy.types.Image:
    """Return the image, or the copied image file, on the clipboard as a data-block.

    Raise BadImage if it holds no image that Blender can read, or if Blender runs without a window.
    """
    if bpy.app.background:
        raise BadImage("The clipboard is not available without a window.", "Open a file instead.")
    image = (
        # Blender's own paste first; the external tool, the slowest, last.
        _paste_with_blender(context)
        or _open_path(context.window_manager.clipboard)
        or _paste_with_tool()
    )
    if image is None:
        raise BadImage(
            "There is no image on the clipboard that Blender can read.",
            "Copy an image, an image file, or an https URL. On X11, images require xclip.",
        )
    return image


def find_https_address(text: str) -> str:
    """Return the text without surrounding spaces if it is an https URL, else ""."""
    address = text.strip()
    return address if is_https_address(address) else ""


def load_image_bytes(data: bytes, name: str) -> bpy.types.Image:
    """Load the image file in `data` as a packed image; raise BadImage if it cannot be read."""
    # Blender loads images from files only; packing then makes it independent of this one.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture")
        path.write_bytes(data)
        try:
            image = bpy.data.images.load(str(path))
        except RuntimeError as error:
            raise BadImage(
                Message("“{name}” could not be opened.", name=name), "Use another image."
            ) from error
        if min(image.size) < 1:  # Blender reads the file when the size is needed.
            bpy.data.images.remove(image)
            raise BadImage(
                Message("“{name}” is not an image that Blender can read.", name=name),
                "Use another image.",
            )
        image.pack()
    image.name = name
    # Not `filepath`: setting it reloads the image, here from a file that does not exist.
    image.filepath_raw = f"//{name}"
    return image


def _paste_with_blender(context: bpy.types.Context) -> bpy.types.Image | None:
    before = {image.session_uid for image in bpy.data.images}
    with _image_editor(context) as editor:
        if editor is None:
            return None
        with context.temp_override(**editor):
            if not bpy.ops.image.clipboard_paste.poll():
                return None
            try:
                bpy.ops.image.clipboard_paste()
            except RuntimeError:
                return None
    new = [image for image in bpy.data.images if image.session_uid not in before]
    # A pasted image has no file: unpacked, it would be missing when the .blend is opened again.
    if new and new[0].packed_file is None:
        new[0].pack()
    return new[0] if new else None


@contextmanager
def _image_editor(context: bpy.types.Context) -> Iterator[dict[str, Any] | None]:
    """Yield the context members of an Image Editor; None if the screen has no area for one.

    Blender's operator for pasting needs an Image Editor. If the screen has none, another area
    becomes one while the block runs. The image that the editor showed before is restored.
    """
    areas = list(context.window.screen.areas)
    area = next((other for other in areas if other.type == "IMAGE_EDITOR"), None)
    # The smallest area, and not the one that was clicked in, since its editor changes for a moment.
    others = sorted(areas, key=lambda other: other.width * other.height)
    borrowed = (
        next((other for other in others if other != context.area), None) if area is None else None
    )
    area = area or borrowed
    if area is None:
        yield None
        return
    previous_type = area.ui_type
    if borrowed:
        area.ui_type = "IMAGE_EDITOR"
    space = area.spaces.active
    previous_image = space.image
    try:
        region = next(other for other in area.regions if other.type == "WINDOW")
        yield {"window": context.window, "area": area, "region": region, "space_data": space}
    finally:
        space.image = previous_image
        if borrowed:
            area.ui_type = previous_type


def _paste_with_tool() -> bpy.types.Image | None:
    for kinds, picture in TOOLS:
        if PICTURE.encode() in _run_tool(kinds, LIST_SECONDS):
            data = _run_tool(picture, TOOL_SECONDS)
            if data:
                return load_image_bytes(data, NAME)
    return None


def _run_tool(command: tuple[str, ...], seconds: float) -> bytes:
    """Return a tool's standard output; empty if it is not installed, fails, or takes too long."""
    tool = shutil.which(command[0])
    if tool is None:
        return b""
    try:
        process = subprocess.Popen(
            [tool, *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return b""
    try:
        data, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        # Not killed: closing the window that asked would terminate the program that owns the
        # clipboard.
        _running_tools[:] = [
            running for running in (*_running_tools, process) if running.poll() is None
        ]
        return b""
    return data if process.returncode == 0 else b""


def find_photo(text: str) -> Path | None:
    """Return the existing HEIC or AVIF file that the text names by path or file URL, or None."""
    path = _find_path(text)
    return path if path and path.suffix.lower() in PHOTO_SUFFIXES and path.is_file() else None


def _find_path(text: str) -> Path | None:
    """Return the path in the first line of `text`.

    The line must be an absolute path or a file URL; otherwise, return None.
    """
    line = text.strip().splitlines()[0].strip().strip('"') if text.strip() else ""
    path = Path(unquote(re.sub(_OF_FILE, "", line)) if line.startswith("file://") else line)
    return path if line and path.is_absolute() else None


def _open_path(text: str) -> bpy.types.Image | None:
    """Load the image file that the text names by path or file URL, and return it.

    Return None if the text names no image file, or if it cannot be opened.
    """
    path = _find_path(text)
    if path is None or path.suffix.lower() not in bpy.path.extensions_image:
        return None
    try:
        return bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError:
        return None
