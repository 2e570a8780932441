# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the library as Blender may open them.

Blender follows links, waits for pipes, and takes pictures of any size. So what it gets was looked
at before; where others can write to the folder it gets a copy, which they cannot change meanwhile.
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
from ..disk.plain_files import read_plain
from ..disk.trust import is_private
from ..steps.inputs import READABLE

SMALL = PictureLimits(max_bytes=64 * 1024 * 1024)
"""What a small picture is made of, at most."""
PIXELS = 64_000_000


@contextmanager
def picture_to_open(path: Path) -> Iterator[Path | None]:
    """Give a picture of a job's folder, or its copy, while the block runs.

    None is for what must not be opened.
    """
    data = _looked_at(path, READABLE)
    if data is None or is_private(path.parent):
        yield path if data else None
        return
    with tempfile.TemporaryDirectory(prefix="image_to_mesh-") as place:
        copy = Path(place, path.name)
        copy.write_bytes(data)
        yield copy


class Thumbnails:
    """The files of small pictures, which Blender opens later and beside the interface."""

    def __init__(self) -> None:
        self._files: dict[str, Path | None] = {}
        self._numbers = itertools.count()
        self._place: Path | None = None

    def file(self, key: str, path: Path) -> Path | None:
        """Return what to open for a picture; None for one that must not be. Looks at it once."""
        if key not in self._files:
            data = _looked_at(path, SMALL)
            self._files[key] = None if data is None else self._shown(path, data)
        return self._files[key]

    def forget(self, key: str) -> None:
        """Look at a picture again when it is asked for next."""
        self._files.pop(key, None)

    def close(self) -> None:
        """Remove the copies."""
        place, self._place = self._place, None
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)

    def _shown(self, path: Path, data: bytes) -> Path | None:
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
    """Return the small pictures of this process."""
    made = Thumbnails()
    atexit.register(made.close)
    return made


def _looked_at(path: Path, limits: PictureLimits) -> bytes | None:
    """Return a picture's bytes; None where they are none that may be opened."""
    try:
        data = read_plain(path, limits.max_bytes)
        info = read_picture_info(data, path.stem)
        check_picture(info, len(data), limits, path.stem)  # guard: pictures-of-strangers
    except (OSError, BadImage):
        return None
    return data if limits is not SMALL or info.width * info.height <= PIXELS else None
