# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens HEIC and AVIF photos with a program that the system has: Blender reads neither format.

The decoder runs as a process of its own, since the photo may come from anybody. A Python package
that reads HEIC would add 5 MB for each platform and Python version to a zip of 7 MB.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ...providers import BadImage, Message, clean_picture, read_picture_info
from ...providers._shared.images.other_formats import is_heif
from ..process import memory
from ..process.environment import clean_environment

LONGEST_SIDE = 16_384
SECONDS = 90.0
MOST_MEMORY = 4 * 1024**3
INTERVAL = 0.05
_SIZE = re.compile(rb"ispe\0\0\0\0(.{8})", re.DOTALL)
"""The box with an image's size (ISO/IEC 23008-12, 6.5.3)."""

WINDOWS_SCRIPT = Path(__file__).with_name("decode_photo.ps1")


@dataclass(frozen=True)
class Decoder:
    """A program that converts a photo to PNG; `{source}` and `{target}` stand for the files.

    One that `rotates` applies the photo's orientation to the pixels, but may leave the orientation
    in the file, where it would be applied again. `may_crop`: old versions return a single tile of a
    phone's photo, which consists of many.
    """

    program: str
    arguments: tuple[str, ...]
    rotates: bool = True
    may_crop: bool = False

    def command(self, source: Path, target: Path) -> list[str] | None:
        """Return the command, or None if the program is not installed."""
        found = shutil.which(self.program)
        if found is None:
            return None
        values = {"{source}": str(source), "{target}": str(target)}
        words = list(self.arguments)
        for mark, value in values.items():
            words = [word.replace(mark, value) for word in words]
        return [found, *words]


DECODERS = {
    "darwin": (
        Decoder("sips", ("-s", "format", "png", "{source}", "--out", "{target}"), rotates=False),
    ),
    "win32": (
        Decoder(
            "powershell",
            (
                "-NoProfile",
                "-NonInteractive",
                "-ExecutionPolicy",
                "Bypass",
                "-File",
                str(WINDOWS_SCRIPT),
                "{source}",
                "{target}",
            ),
            rotates=False,
        ),
    ),
    "linux": (
        Decoder("heif-dec", ("{source}", "{target}")),
        Decoder("heif-convert", ("{source}", "{target}")),
        Decoder("magick", ("{source}[0]", "{target}")),
        Decoder(
            "ffmpeg",
            ("-v", "error", "-i", "{source}", "-frames:v", "1", "{target}"),
            may_crop=True,
        ),
    ),
}
"""By platform, the best first. `heif-dec` is the newer name of `heif-convert`."""
HINTS = {
    "win32": "Install “HEIF Image Extensions” from the Microsoft Store, or save the photo as JPEG.",
    "darwin": "Save the photo as JPEG (Preview › File › Export).",
    "linux": "Install heif-convert (libheif), or save the photo as JPEG.",
}


def decode_if_needed(data: bytes, name: str, check: Callable[[], None] = lambda: None) -> bytes:
    """Return an image file that Blender reads: a HEIC or AVIF photo as PNG, others unchanged.

    `check` is called while the decoder runs; an exception of it stops the decoder. Raises BadImage
    if no program of this system can open the photo.
    """
    if not is_heif(data):
        return data
    size = _declared_size(data, name)
    for decoder in DECODERS.get(sys.platform, DECODERS["linux"]):
        with tempfile.TemporaryDirectory(prefix="image-to-mesh-") as folder:
            decoded = _run(decoder, data, Path(folder), check)
        if upright := _accept(decoded, decoder, size, name):
            return upright
    raise BadImage(
        Message("“{name}” is a HEIC or AVIF photo, which this computer cannot open.", name=name),
        HINTS.get(sys.platform, HINTS["linux"]),
    )


def _declared_size(data: bytes, name: str) -> tuple[int, int]:
    """Return the size of the whole image, which is larger than its tiles and its thumbnail.

    Raises BadImage for one too large to be decoded, or without a size.
    """
    sizes = [struct.unpack(">II", found) for found in _SIZE.findall(data)]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    if width < 1 or height < 1:
        raise BadImage(Message("“{name}” is damaged.", name=name), "Use another image.")
    if max(width, height) > LONGEST_SIDE:
        raise BadImage(
            Message(
                "“{name}” is {width} × {height} pixels.", name=name, width=width, height=height
            ),
            Message("Scale it down to at most {limit} pixels.", limit=LONGEST_SIDE),
        )
    return width, height


def _accept(data: bytes, decoder: Decoder, declared: tuple[int, int], name: str) -> bytes:
    """Return a decoder's PNG without metadata, to be shown upright; empty if it is not usable."""
    try:
        info = read_picture_info(data, name) if data else None
        if info is None or (decoder.may_crop and {info.width, info.height} != set(declared)):
            return b""
        is_swapped = (info.height, info.width) == declared and info.width != info.height
        if decoder.rotates or is_swapped:
            info = replace(info, orientation=1)
        return clean_picture(data, info, name) or b""
    except BadImage:
        return b""


def _run(decoder: Decoder, data: bytes, folder: Path, check: Callable[[], None]) -> bytes:
    """Return the PNG that a program made of the photo; empty if it is missing or fails."""
    source, target = folder / "photo.heic", folder / "photo.png"
    command = decoder.command(source, target)
    if command is None:
        return b""
    source.write_bytes(data)
    environment = {**clean_environment(os.environ), "TMPDIR": str(folder)}
    quiet = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment, cwd=folder
        )
    except OSError:
        return b""
    with process:
        try:
            _wait(process, check)
        finally:
            process.kill()
    # Of several images in one file, heif-convert numbers the results.
    found = [target, *sorted(folder.glob("photo-1.png"))]
    return next((file.read_bytes() for file in found if file.is_file()), b"")


def _wait(process: subprocess.Popen[bytes], check: Callable[[], None]) -> None:
    """Wait for the end; a decoder that takes too long or too much memory is left to be killed."""
    end = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < end:
        check()
        if (memory.of_process(process.pid) or 0) > MOST_MEMORY:
            return
        time.sleep(INTERVAL)
