# SPDX-License-Identifier: GPL-3.0-or-later
"""A background Blender's own temporary folder, removed with it however it ended.

The folder is made and removed by the process that starts the Blender, since one that is killed
removes nothing. A lock, which the system frees when that process dies, tells folders in use from
those that were left behind; these are swept at the next start.
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
SWEPT = (PREFIX, "image_to_mesh-zip-", "image_to_mesh-stage-")
"""The others are of `worker`, where a mesh is imported in the artist's own Blender."""
LOCK = ".lock"
ABANDONED = 24 * 3600.0
"""Seconds after which a folder without a lock is nobody's: the artist's Blender makes such ones."""


class WorkerFolder:
    """A temporary folder that is one process's own."""

    def __init__(self) -> None:
        """Make it. Raises OSError where there is no room for it."""
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = _held(self.path)

    def remove(self) -> None:
        """Take it away with all that is in it; what cannot be removed is left to `sweep`."""
        lock, self._lock = self._lock, None
        if lock is not None:  # Windows removes no file that is open.
            with contextlib.suppress(OSError):
                lock.release()
        shutil.rmtree(self.path, ignore_errors=True)  # guard: worker-folder-goes


def sweep() -> int:
    """Remove the folders of this user that nobody uses any more; return how many went."""
    found = 0
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(SWEPT) and _is_ours(entry):
                found += _remove_if_left(Path(entry.path))
    return found


def _is_ours(entry: os.DirEntry[str]) -> bool:
    """Say whether it is a real folder of this user: others may write to the same place."""
    try:
        told = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    is_own = sys.platform == "win32" or told.st_uid == os.getuid()
    return is_own and stat.S_ISDIR(told.st_mode)


def _remove_if_left(folder: Path) -> bool:
    path = folder / LOCK
    try:
        if not path.exists():
            if time.time() - folder.stat().st_mtime < ABANDONED:
                return False
        else:
            lock = _held(folder)
            if lock is None:  # guard: worker-folder-in-use-stays
                return False
            lock.release()
    except OSError:
        return False
    shutil.rmtree(folder, ignore_errors=True)  # guard: worker-leftovers-are-swept
    return not folder.exists()


def _held(folder: Path) -> BaseFileLock | None:
    """Return the folder's lock, held; None where another has it, or where there are no locks."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):  # ENOSYS and its like where a file system has no locks
        return None
    return lock
