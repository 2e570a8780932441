# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture from the clipboard: by Blender where it can read one, else by the desktop's own tool.

Blender reads pictures on Windows, macOS and Wayland. On X11 `xclip` gives them; and a copied file
or address is text, which Blender reads everywhere.
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

from ..providers import BadImage, Message, is_https_address

PICTURE = "image/png"
TOOLS = (
    (("wl-paste", "--list-types"), ("wl-paste", "--no-newline", "--type", PICTURE)),
    (
        ("xclip", "-selection", "clipboard", "-target", "TARGETS", "-out"),
        ("xclip", "-selection", "clipboard", "-target", PICTURE, "-out"),
    ),
)
"""What tells the kinds that the clipboard has, and what gives the picture."""
ASKED_SECONDS, TOOL_SECONDS = 0.3, 3.0
"""How long is waited for either. What Blender itself has it tells nobody while it waits here."""

_asked: list[subprocess.Popen[bytes]] = []
"""Tools that have not ended yet."""
NAME = "Clipboard"

_OF_FILE = re.compile(r"^file://[^/]*|[?#].*")
"""What is not the path in a file's address."""


def pasted_image(context: bpy.types.Context) -> bpy.types.Image:
    """Return the clipboard's picture as a data-block; raise BadImage if there is none to be had."""
    if bpy.app.background:
        raise BadImage("Without a window there is no clipboard.", "Open a file instead.")
    found = _by_blender(context) or _by_path(context.window_manager.clipboard) or _by_tool()
    if found is None:
        raise BadImage(
            "There is no picture on the clipboard that Blender can read.",
            "Copy a picture, its file or its https address; on X11 a picture needs xclip.",
        )
    return found


def copied_address(text: str) -> str:
    """Return the https address that a text is, or nothing."""
    address = text.strip()
    return address if is_https_address(address) else ""


def image_of_bytes(data: bytes, name: str) -> bpy.types.Image:
    """Return a packed data-block of a picture file's bytes; raise BadImage if it is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture")
        path.write_bytes(data)
        try:
            image = bpy.data.images.load(str(path))
        except RuntimeError as error:
            raise BadImage(
                Message("{name} cannot be opened.", name=name), "Use another picture."
            ) from error
        if min(image.size) < 1:  # The size is what makes Blender read the file.
            bpy.data.images.remove(image)
            raise BadImage(
                Message("{name} is no picture that Blender reads.", name=name), "Use another one."
            )
        image.pack()
    image.name = name
    image.filepath_raw = f"//{name}"
    return image


def _by_blender(context: bpy.types.Context) -> bpy.types.Image | None:
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
    if new and new[0].packed_file is None:
        new[0].pack()
    return new[0] if new else None


@contextmanager
def _image_editor(context: bpy.types.Context) -> Iterator[dict[str, Any] | None]:
    """Yield the context of an Image Editor: an open one, else another area turned for a moment.

    Blender's operator needs one, and shows in it what it pasted: that is taken back.
    """
    areas = list(context.window.screen.areas)
    area = next((one for one in areas if one.type == "IMAGE_EDITOR"), None)
    others = sorted(areas, key=lambda one: one.width * one.height)
    borrowed = next((one for one in others if one != context.area), None) if area is None else None
    area = area or borrowed
    if area is None:
        yield None
        return
    kind = area.ui_type
    if borrowed:
        area.ui_type = "IMAGE_EDITOR"
    space = area.spaces.active
    shown = space.image
    try:
        region = next(one for one in area.regions if one.type == "WINDOW")
        yield {"window": context.window, "area": area, "region": region, "space_data": space}
    finally:
        space.image = shown
        if borrowed:
            area.ui_type = kind


def _by_tool() -> bpy.types.Image | None:
    for kinds, picture in TOOLS:
        if PICTURE.encode() in _told(kinds, ASKED_SECONDS):
            data = _told(picture, TOOL_SECONDS)
            if data:
                return image_of_bytes(data, NAME)
    return None


def _told(command: tuple[str, ...], seconds: float) -> bytes:
    """Return what a tool writes, nothing if it is not there or has none."""
    tool = shutil.which(command[0])
    if tool is None:
        return b""
    try:
        asked = subprocess.Popen(
            [tool, *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError:
        return b""
    try:
        data, _ = asked.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        # Not killed: an answer to a window that is gone ends the program that gives it.
        _asked[:] = [one for one in (*_asked, asked) if one.poll() is None]
        return b""
    return data if asked.returncode == 0 else b""


def _by_path(text: str) -> bpy.types.Image | None:
    """Open a picture file that was copied, or whose path was."""
    line = text.strip().splitlines()[0].strip().strip('"') if text.strip() else ""
    path = Path(unquote(_OF_FILE.sub("", line)) if line.startswith("file://") else line)
    if not line or not path.is_absolute() or path.suffix.lower() not in bpy.path.extensions_image:
        return None
    try:
        return bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError:
        return None
