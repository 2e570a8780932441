# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs into the system's bin, from where people can take them back."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

from ...providers._shared.bundled_modules import bundled_imports
from ..library.store import Library

log = logging.getLogger(__name__)

FIXED_DRIVE = 3


def move_to_trash(library: Library, job: str) -> bool:
    """Move a job's folder to the bin; False where the system has none for it, or refuses.

    Raises LibraryProblem where there is no such job, or somebody works on it.
    """
    folder = library.unused(job)
    if not _has_bin(folder):
        return False
    with bundled_imports("send2trash"):
        from send2trash import send2trash

    try:
        send2trash(folder)
    except OSError as error:
        log.info("job %s cannot go to the bin: %s", job, error)
        return False
    return True


def is_fixed_drive(folder: Path) -> bool:
    """Say whether a folder is on a drive of this computer, as far as Windows knows."""
    return _has_bin(folder)


def _has_bin(folder: Path, platform: str = sys.platform) -> bool:
    """Say whether what is thrown away from there can be taken back.

    Windows deletes for good what lies on network and removable drives, without a word.
    """
    if platform != "win32":
        return True
    import ctypes

    drive = f"{folder.resolve().drive}\\"
    windows: Any = ctypes
    return bool(windows.windll.kernel32.GetDriveTypeW(drive) == FIXED_DRIVE)
