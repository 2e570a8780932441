# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a network's answers in files, so that all processes ask it once about an image.

Files are never trusted: one that is damaged, or has another size, is not used.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...atomic_files import atomic_path
from ..array_types import Singles

MOST_FILES = 200
MOST_DAYS = 30
MOST_BYTES = 1 << 20
"""Maximum number of files in the folder, days since a file was last used, and bytes of a file. The
least recently used files are deleted first."""
_MAGIC = b"I2M answer\n"
_STEPS = 65535
"""The 16-bit integer that stands for the value 1 in a file."""
_SUFFIX = ".answer"


@dataclass(frozen=True)
class AnswerFile:
    """The cache file of a network's answer about one image or a part of it.

    An answer is a square map, `side` pixels wide, with values from 0 to 1.
    """

    folder: Path
    name: str
    side: int

    def of_part(self, *part: object) -> AnswerFile:
        """Return the cache file of another answer about the image, such as one about a part of it.

        The values `part` distinguish this answer from others about the image.
        """
        return replace(self, name=_digest(self.name, *part))

    def read(self) -> Singles | None:
        """Return the answer (side, side) from 0 to 1, and mark the file as used.

        Return None if the file is missing or damaged.
        """
        with contextlib.suppress(OSError, ValueError, zlib.error):
            with self._path.open("rb") as file:
                steps = _decode(file.read(MOST_BYTES), self.side)
            self._path.touch()
            return as_kept(steps / np.float32(_STEPS))
        return None

    def write(self, answer: Singles) -> None:
        """Write an answer to the file, and delete old files from the folder.

        Failures are ignored, since the file is only a cache.
        """
        steps = np.rint(answer * np.float32(_STEPS)).astype("<u2")
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with atomic_path(str(self._path)) as side:
                Path(side).write_bytes(_MAGIC + zlib.compress(steps.tobytes(), 1))
            _trim(self.folder)

    @property
    def _path(self) -> Path:
        return self.folder / f"{self.name}{_SUFFIX}"


def answer_file(
    folder: str, image: str, orientation: int, *, version: str, side: int
) -> AnswerFile | None:
    """Return the file for a network's answer about an image; None if the image cannot be read.

    `version` names the network and its weights: answers of other versions are not used. Answers
    have `side` × `side` values.
    """
    try:
        with Path(image).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return AnswerFile(Path(folder), _digest(digest, orientation, version), side)


def as_kept(answer: Singles) -> Singles:
    """Clip an answer to 0 to 1, and round it to the precision of the files.

    New and stored answers are therefore equal.
    """
    steps = np.rint(np.clip(answer, 0.0, 1.0) * np.float32(_STEPS))
    return np.asarray(steps / np.float32(_STEPS), np.float32)


def _decode(data: bytes, side: int) -> Singles:
    """Return the answer (side, side) as integers from 0 to _STEPS, in 32-bit floats.

    Raise ValueError or zlib.error if the data is damaged.
    """
    if not data.startswith(_MAGIC):
        raise ValueError("this is not an answer")
    unpacking = zlib.decompressobj()
    # Bounded: a few bytes could unpack to any size.
    plain = unpacking.decompress(data[len(_MAGIC) :], 2 * side * side + 1)
    if not unpacking.eof or len(plain) != 2 * side * side:  # guard: answer-has-its-size
        raise ValueError("the answer has the wrong size, or is truncated")
    return np.frombuffer(plain, "<u2").reshape(side, side).astype(np.float32)


def _digest(*values: object) -> str:
    return hashlib.sha256("\0".join(map(str, values)).encode()).hexdigest()


def _trim(folder: Path) -> None:
    """Delete files not used for MOST_DAYS, and all but the MOST_FILES used last."""
    files = [(path.stat().st_mtime, path) for path in folder.glob(f"*{_SUFFIX}")]
    oldest = time.time() - MOST_DAYS * 24 * 3600.0
    for number, (used, path) in enumerate(sorted(files, reverse=True)):
        if number >= MOST_FILES or used < oldest:
            path.unlink(missing_ok=True)
