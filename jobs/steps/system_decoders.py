# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens HEIC and AVIF photos, which Blender cannot read, with a program that the system has.

The decoder runs in its own process, because the photo may come from anybody. Why no decoder comes
with the add-on: docs/dev/architecture.md, “HEIC and AVIF photos”.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ...providers import BadImage, Message, clean_picture, os_reason, read_picture_info
from ...providers._shared.images.other_formats import is_heif
from ..process import memory
from ..process.environment import clean_environment

LONGEST_SIDE = 16_384
MOST_BYTES = 256 * 1024 * 1024
"""Maximum size of a decoded photo, in bytes; the same as in `inputs.READABLE`."""
SECONDS = 90.0
"""Maximum seconds for which a decoder runs."""
MOST_MEMORY = 4 * 1024**3
"""Maximum bytes of memory of a decoder."""
INTERVAL = 0.05
"""Seconds between two checks of a running decoder."""
_SIZE = re.compile(rb"ispe\0\0\0\0(.{8})", re.DOTALL)
"""Matches the box with an image's size (ISO/IEC 23008-12, 6.5.3)."""

_running: set[subprocess.Popen[bytes]] = set()
WINDOWS_SCRIPT = Path(__file__).with_name("decode_photo.ps1")


@dataclass(frozen=True)
class Decoder:
    """A program that converts a photo to PNG; `{source}` and `{target}` stand for the files.

    `rotates`: the program applies the photo's orientation to the pixels, but may also keep it in
    the file, where it would be applied again. `may_crop`: phones store a photo as many tiles, and
    old versions of the program return only one of them.
    """

    program: str
    arguments: tuple[str, ...]
    rotates: bool = True
    may_crop: bool = False

    def command(self, source: Path, target: Path) -> list[str]:
        """Return the command that converts the file `source` to the file `target`."""
        values = {"{source}": str(source), "{target}": str(target)}
        words = list(self.arguments)
        for mark, value in values.items():
            words = [word.replace(mark, value) for word in words]
        return [shutil.which(self.program) or self.program, *words]


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
"""Decoders by platform, the best first. `heif-dec` is the newer name of `heif-convert`."""
HINTS = {
    "win32": "Install “HEIF Image Extensions” from the Microsoft Store, or save the photo as JPEG.",
    "darwin": "Save the photo as JPEG (Preview › File › Export).",
    "linux": "Install heif-convert (libheif), or save the photo as JPEG.",
}


def decode_if_needed(data: bytes, name: str, check: Callable[[], None] = lambda: None) -> bytes:
    """Return an image file that Blender can read: a HEIC or AVIF photo as PNG, others unchanged.

    `check` is called while the decoder runs; if it raises, the decoder is stopped. Raises BadImage
    if the photo is too large, or no program on this system can open it.
    """
    if not is_heif(data):
        return data
    size = _declared_size(data, name)
    decoders = DECODERS.get(sys.platform, DECODERS["linux"])
    installed = [decoder for decoder in decoders if shutil.which(decoder.program)]
    for decoder in installed:
        try:
            with tempfile.TemporaryDirectory(prefix="image-to-mesh-") as folder:
                decoded = _run(decoder, data, Path(folder), check)
        except OSError as error:
            raise BadImage(
                Message(
                    "“{name}” could not be opened: {reason}.", name=name, reason=os_reason(error)
                ),
                "Free up disk space.",
            ) from error
        if upright := _accept(decoded, decoder, size, name):
            return upright
    if installed:
        raise BadImage(
            Message("“{name}” could not be opened. It may be damaged.", name=name),
            "Save the photo as JPEG, or use another image.",
        )
    raise BadImage(
        Message("“{name}” is a HEIC or AVIF photo, which this computer cannot open.", name=name),
        HINTS.get(sys.platform, HINTS["linux"]),
    )


def _declared_size(data: bytes, name: str) -> tuple[int, int]:
    """Return the width and height of the whole image, in pixels.

    This is the largest size in the file; tiles and thumbnails are smaller. Raises BadImage if the
    file states no size, or one that is too large to be decoded.
    """
    sizes = [struct.unpack(">II", found) for found in _SIZE.findall(data)]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    if width < 1 or height < 1:
        raise BadImage(Message("“{name}” is damaged.", name=name), "Use another image.")
    if max(width, height) > LONGEST_SIDE:
        raise BadImage(
            Message(
                "“{name}” is too large: {width} × {height} pixels.",
                name=name,
                width=width,
                height=height,
            ),
            Message("Scale it down to at most {limit} pixels.", limit=LONGEST_SIDE),
        )
    return width, height


def _accept(data: bytes, decoder: Decoder, declared: tuple[int, int], name: str) -> bytes:
    """Return a decoder's PNG without metadata except its orientation; b"" if it is unusable."""
    try:
        info = read_picture_info(data, name) if data else None
        if info is None or max(info.width, info.height) > LONGEST_SIDE:
            return b""
        if decoder.may_crop and {info.width, info.height} != set(declared):
            return b""
        is_swapped = (info.height, info.width) == declared and info.width != info.height
        if decoder.rotates or is_swapped:
            info = replace(info, orientation=1)
        return clean_picture(data, info, name) or b""
    except BadImage:
        return b""


def _run(decoder: Decoder, data: bytes, folder: Path, check: Callable[[], None]) -> bytes:
    """Return the PNG that a program makes of a photo; b"" if it fails or takes too long."""
    source, target = folder / "photo.heic", folder / "photo.png"
    source.write_bytes(data)
    environment = {**clean_environment(os.environ), "TMPDIR": str(folder)}
    quiet = subprocess.DEVNULL
    # In its own session, so that its child processes can be stopped together with it.
    try:
        process = subprocess.Popen(
            decoder.command(source, target),
            stdin=quiet, stdout=quiet, stderr=quiet, env=environment, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
    except OSError:
        return b""  # it is installed, but cannot be started
    _running.add(process)
    try:
        _limit(process.pid)
        _wait(process, check)
    finally:
        _stop(process)
    # If the file contains several images, heif-convert numbers its results.
    found = [file for file in (target, folder / "photo-1.png") if file.is_file()]
    is_done = process.returncode == 0 and found and found[0].stat().st_size <= MOST_BYTES
    return found[0].read_bytes() if is_done else b""


def _limit(pid: int) -> None:
    """On Linux, limit the decoder's CPU time and memory; the limits outlast this process."""
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(OSError):
            resource.prlimit(pid, resource.RLIMIT_CPU, (int(SECONDS) + 1, int(SECONDS) + 1))
            resource.prlimit(pid, resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))


def _wait(process: subprocess.Popen[bytes], check: Callable[[], None]) -> None:
    """Wait until a decoder ends, or takes too long or too much memory; the caller stops it."""
    end = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < end:
        check()
        if (memory.of_process(process.pid) or 0) > MOST_MEMORY:
            return
        time.sleep(INTERVAL)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Kill a decoder and its child processes, and wait until it has ended."""
    if sys.platform == "win32":
        command = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        if process.poll() is None:
            subprocess.run(command, capture_output=True, check=False)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    _running.discard(process)


@atexit.register
def stop_all() -> None:
    """Stop all decoders when this process exits, since the threads that wait for them end, too."""
    for process in list(_running):
        _stop(process)
