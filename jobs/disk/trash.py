# SPDX-License-Identifier: GPL-3.0-or-later
"""Moves jobs to the system's trash, where users can restore them."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

from ...providers._shared.bundled_modules import bundled_imports
from ..library.store import Library

log = logging.getLogger(__name__)

FIXED_DRIVE = 3
"""DRIVE_FIXED, as GetDriveTypeW returns it."""


def move_to_trash(library: Library, job: str) -> bool:
    """Move a job's folder to the trash, and return whether that worked.

    It usually fails because the drive has no trash. Raises LibraryProblem if there is no such job,
    or a process is working on it.
    """
    folder = library.idle_folder(job)
    if not _has_trash(folder):
        return False
    with bundled_imports("send2trash"):
        from send2trash import send2trash

    try:
        send2trash(folder)
    except OSError as error:
        log.info("job %s cannot be moved to the trash: %s", job, error)
        return False
    return True


def is_fixed_drive(folder: Path) -> bool:
    """Return whether Windows reports a folder's drive as fixed; True on other systems."""
    return _has_trash(folder)


def _has_trash(folder: Path, platform: str = sys.platform) -> bool:
    """Return whether a folder's drive has a trash: on Windows, whether it is a fixed drive."""
    if platform != "win32":
        return True
    # On network and removable drives, Windows silently deletes files instead of moving them.
    import ctypes

    drive = f"{folder.resolve().drive}\\"
    windows: Any = ctypes
    return bool(windows.windll.kernel32.GetDriveTypeW(drive) == FIXED_DRIVE)
