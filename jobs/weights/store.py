# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of the weights, beside the default library: all Blenders of a user share it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ...providers import Failed, LibraryProblem, Message
from ..disk.plain_files import is_plain, new_file, open_plain, read_plain, write_whole
from ..library.store import default_folder
from .table import Weights

PIECE = 1 << 20
SHA256 = re.compile(r"[0-9a-f]{64}")
_HASH_BYTES = 64

Check = Callable[[], None]
ReportProgress = Callable[[int, int | None], None]


def folder() -> Path:
    """Return the path of the folder of the weights, which may not exist yet."""
    library = default_folder(os.environ)
    return library.with_name(f"{library.name}_models")


def path_of(weights: Weights) -> Path:
    """Return the path of a file of weights, whether the file exists or not."""
    return folder() / weights.file_name


def is_there(weights: Weights) -> bool:
    """Return whether a file of weights is on disk; only a whole file gets its name."""
    return is_plain(path_of(weights))


def paths_there(*known: Weights) -> dict[str, str]:
    """Return the paths of those weights that are on disk, by the weights' names."""
    return {weights.name: str(path_of(weights)) for weights in known if is_there(weights)}


def kept_hash(weights: Weights) -> str | None:
    """Return the SHA-256 in the table, else the saved one from the host, else None.

    A saved value that is not a hash is ignored.
    """
    if weights.sha256 is not None:
        return weights.sha256
    try:
        saved = read_plain(_note_of(weights), _HASH_BYTES).decode("ascii")
    except (OSError, UnicodeDecodeError):
        return None
    return saved if SHA256.fullmatch(saved) else None


def keep_hash(weights: Weights, sha256: str) -> None:
    """Save the SHA-256 that the host stated. Raises LibraryProblem if that fails."""
    try:
        write_whole(_note_of(weights), sha256.encode("ascii"))
    except OSError as error:
        raise unwritable(error) from error


def make_folder() -> None:
    """Create the folder, if it is missing. Raises LibraryProblem if that fails."""
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise unwritable(error) from error


def take_file(source: Path, weights: Weights, progress: ReportProgress, check: Check) -> None:
    """Copy a file of weights from elsewhere, such as a studio's share.

    If no hash is known, only the size is checked, because a computer without internet access cannot
    ask the host. The file's layout is checked when the file is used. `check` is called for every
    piece, and may raise Cancelled. Raises Failed if `source` is another file, and LibraryProblem if
    a file cannot be read or written.
    """
    make_folder()
    expected = kept_hash(weights)
    try:
        file = open_plain(source.resolve())
    except OSError as error:
        raise LibraryProblem(
            Message("{path} cannot be read: {reason}.", path=source,
                    reason=error.strerror or error),
            "Choose another file.",
        ) from error  # fmt: skip
    with file:
        if os.fstat(file.fileno()).st_size != weights.size:
            raise _other_file(source.name, weights)
        try:
            with new_file(path_of(weights)) as copy:
                found = _copy(file, copy, weights, progress, check)
                if expected not in (None, found):
                    # Raised inside the block: the copy never gets its name.
                    raise _other_file(source.name, weights)
        except OSError as error:
            raise unwritable(error) from error


def _copy(
    file: BinaryIO, copy: BinaryIO, weights: Weights, progress: ReportProgress, check: Check
) -> str:
    """Copy a file, and return its SHA-256. Raises OSError, or the error of `check`."""
    found, done = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        check()
        copy.write(piece)
        found.update(piece)
        done += len(piece)
        progress(done, weights.size)
    return found.hexdigest()


def hash_of(path: Path, check: Check) -> str:
    """Return a file's SHA-256 in hexadecimal. Raises OSError if it cannot be read.

    `check` is called for every piece, and may raise Cancelled.
    """
    found = hashlib.sha256()
    with open_plain(path) as file:
        while piece := file.read(PIECE):
            check()
            found.update(piece)
    return found.hexdigest()


def _other_file(name: str, weights: Weights) -> Failed:
    """Return the error for a file that is not the one in the table."""
    return Failed(
        Message("“{file}” is not the {model} file, or it is damaged.", file=name,
                model=weights.title),
        Message("Use {path} from {page}.", path=weights.path, page=weights.page),
        weights.page,
    )  # fmt: skip


def unwritable(error: OSError) -> LibraryProblem:
    """Return the error for weights that cannot be saved in their folder."""
    return LibraryProblem(
        Message("The depth model cannot be saved in {folder}: {reason}.", folder=folder(),
                reason=error.strerror or error),
        "Free up disk space, or check whether you can write to that folder. Then try again.",
    )  # fmt: skip


def _note_of(weights: Weights) -> Path:
    return folder() / f"{weights.file_name}.sha256"
