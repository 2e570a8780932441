# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker's own temporary folder, which is removed no matter how the worker ends.

The process that starts the worker creates and removes the folder, since a killed worker removes
nothing. The system frees the folder's lock when that process dies; folders whose lock nobody holds
are swept at the next start.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

PREFIX = "image_to_mesh-worker-"
EDIT_PREFIX = "image_to_mesh-edit-"
"""Prefix of the folders through which meshes of the scene go to the worker and back."""
SWEPT = (PREFIX, EDIT_PREFIX, "image_to_mesh-zip-", "image_to_mesh-stage-")
"""Prefixes of all folders to sweep; the last two are from imports in the artist's own Blender."""
LOCK = ".lock"
ABANDONED = 24 * 3600.0
"""Seconds after which a folder without a lock file is swept.

Imports in the artist's own Blender make such folders.
"""


class WorkerFolder:
    """A temporary folder that belongs to one worker process."""

    def __init__(self) -> None:
        """Create the folder. Raises OSError if the disk is full."""
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = _acquire_lock(self.path)

    def remove(self) -> None:
        """Delete the folder and its content; what cannot be deleted is left to `sweep`."""
        lock, self._lock = self._lock, None
        if lock is not None:  # Windows cannot delete an open file
            with contextlib.suppress(OSError):
                lock.release()
        shutil.rmtree(self.path, ignore_errors=True)  # guard: worker-folder-goes


def sweep() -> int:
    """Delete this user's abandoned temporary folders, and return how many were deleted."""
    removed = 0
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(SWEPT) and _is_ours(entry):
                removed += _remove_if_abandoned(Path(entry.path))
    return removed


def _is_ours(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is this user's folder, not a link: others can create entries, too."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    is_own = sys.platform == "win32" or status.st_uid == os.getuid()
    return is_own and stat.S_ISDIR(status.st_mode)


def _remove_if_abandoned(folder: Path) -> bool:
    path = folder / LOCK
    try:
        if not path.exists():
            if time.time() - folder.stat().st_mtime < ABANDONED:
                return False
        else:
            # If the lock can be taken, its process has ended.
            lock = _acquire_lock(folder)
            if lock is None:  # guard: worker-folder-in-use-stays
                return False
            lock.release()
    except OSError:
        return False
    shutil.rmtree(folder, ignore_errors=True)  # guard: worker-leftovers-are-swept
    return not folder.exists()


def _acquire_lock(folder: Path) -> BaseFileLock | None:
    """Return the folder's lock, acquired; None if it is held, or locks are unsupported."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):  # ENOSYS and the like, on file systems without locks
        return None
    return lock
