# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the library's images before Blender opens them.

Blender follows links, waits for pipes, and loads images of any size. Each file is therefore checked
first. If others can write to its folder, Blender gets a copy, which they cannot change afterwards.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...providers import BadImage, PictureLimits, check_picture, read_picture_info
from ..steps.inputs import READABLE
from .plain_files import read_plain
from .trust import is_private

SMALL = PictureLimits(max_bytes=64 * 1024 * 1024)
"""Limits of the image files that thumbnails are made from."""
PIXELS = 64_000_000
"""Maximum pixels of an image for a thumbnail: Blender decodes all of it before scaling it down."""


@contextmanager
def picture_to_open(path: Path) -> Iterator[Path | None]:
    """Yield a path where an image can be opened safely; None if it is unreadable or unsafe.

    If others can write to the image's folder, this is the path of a temporary copy.
    """
    data = _read_checked(path, READABLE)
    if data is None or is_private(path.parent):
        yield path if data else None
        return
    with tempfile.TemporaryDirectory(prefix="image_to_mesh-") as place:
        copy = Path(place, path.name)
        copy.write_bytes(data)
        yield copy


class Thumbnails:
    """Paths of images that are safe to show as thumbnails.

    Blender loads thumbnails later, on its own thread, so copies are kept until `close`.
    """

    def __init__(self) -> None:
        self._files: dict[str, Path | None] = {}
        self._numbers = itertools.count()
        self._place: Path | None = None

    def file(self, key: str, path: Path) -> Path | None:
        """Return the path of an image, or of a copy if others can write to the image's folder.

        Returns None if the image is unreadable or unsafe, or if it cannot be copied. The result is
        cached by `key` until `forget` is called.
        """
        if key not in self._files:
            data = _read_checked(path, SMALL)
            self._files[key] = None if data is None else self._path_or_copy(path, data)
        return self._files[key]

    def forget(self, key: str) -> None:
        """Drop the stored result for an image, so that the next request checks the image again."""
        self._files.pop(key, None)

    def close(self) -> None:
        """Delete the copies."""
        place, self._place = self._place, None
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)

    def _path_or_copy(self, path: Path, data: bytes) -> Path | None:
        if is_private(path.parent):
            return path
        if self._place is None:
            self._place = Path(tempfile.mkdtemp(prefix="image_to_mesh-"))
        copy = self._place / f"{next(self._numbers)}{path.suffix}"
        with suppress(OSError):
            copy.write_bytes(data)
            return copy
        return None


@functools.cache
def thumbnail_files() -> Thumbnails:
    """Return this process's thumbnails, whose copies are deleted when it exits."""
    thumbnails = Thumbnails()
    # At exit, not in `unregister`: Blender may still be loading the files on its own thread.
    atexit.register(thumbnails.close)
    return thumbnails


def _read_checked(path: Path, limits: PictureLimits) -> bytes | None:
    """Return an image file's bytes; None if it is unreadable, unsafe to open, or beyond `limits`.

    With `SMALL`, also return None if the image has more than `PIXELS` pixels.
    """
    try:
        data = read_plain(path, limits.max_bytes)
        info = read_picture_info(data, path.stem)
        check_picture(info, len(data), limits, path.stem)  # guard: pictures-of-strangers
    except (OSError, BadImage):
        return None
    return data if limits is not SMALL or info.width * info.height <= PIXELS else None
