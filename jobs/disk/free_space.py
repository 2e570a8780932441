# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the library can take what an order will bring: looked at before anything is paid."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from ...providers import LibraryProblem, Message
from .plain_files import side_name

LEAST = 64 * 1024 * 1024
"""Bytes that have to be free for any order: most meshes, and what is made of them, have less."""
PROBE = 64 * 1024


def check_room(folder: Path, needed: int) -> None:
    """Raise LibraryProblem unless a job's folder takes a file, and its disk `needed` bytes.

    A file is really written, because a limit of the user's own shows in nothing else.
    """
    needed = max(needed, LEAST)
    probe = folder / side_name()  # one that a killed process leaves is swept
    try:
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
            "Choose another folder, or make room.",
        ) from error
    if free < needed:  # guard: room-before-the-order
        raise LibraryProblem(
            Message(
                "The library's disk has {free} MB left, and an order needs {needed} MB: nothing "
                "was ordered.",
                free=free // 1_000_000,
                needed=-(-needed // 1_000_000),
            ),
            "Make room, then resume the job.",
        )


def _write(path: Path) -> None:
    with path.open("xb") as file:
        file.write(bytes(PROBE))
        file.flush()
        os.fsync(file.fileno())
