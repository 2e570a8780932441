# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that the library can store a result, before anything is paid for."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from ...providers import LibraryProblem, Message
from .plain_files import side_name

LEAST = 64 * 1024 * 1024
"""Bytes that must be free for any order; most meshes, with the files made from them, need less."""
PROBE = 64 * 1024
"""Size of the test file, in bytes: too large for a directory entry, so blocks are allocated."""


def check_room(folder: Path, needed: int) -> None:
    """Raise LibraryProblem unless the job's folder is writable and has `needed` bytes free.

    At least `LEAST` bytes must be free, even if `needed` is less.
    """
    needed = max(needed, LEAST)
    probe = folder / side_name()  # `Library.sweep` removes it if this process is killed
    try:
        # A file is actually written, because `disk_usage` ignores disk quotas.
        try:
            _write(probe)
        finally:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise LibraryProblem(
            Message(
                "The library cannot be written to: {reason}.",
                reason=error.strerror or str(error),
            ),
            "Choose another library folder, or free up disk space.",
        ) from error
    if free < needed:  # guard: room-before-the-order
        raise LibraryProblem(
            Message(
                "The library's disk has only {free} MB free, but {needed} MB are needed. Nothing "
                "was submitted.",
                free=free // 1_000_000,
                needed=-(-needed // 1_000_000),
            ),
            "Free up disk space, then resume the job.",
        )


def _write(path: Path) -> None:
    with path.open("xb") as file:
        file.write(bytes(PROBE))
        file.flush()
        os.fsync(file.fileno())
