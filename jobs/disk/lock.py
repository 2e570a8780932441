# SPDX-License-Identifier: GPL-3.0-or-later
"""Job locks: only one process works on a job, and the system frees its lock if that process dies.

Locks are hidden files in the library itself, so that they also work between computers that share
the folder. They are outside the jobs' folders, which can be renamed and deleted while a lock is
held.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ...providers import LibraryProblem, Message
from ...providers._shared.bundled_modules import bundled_imports
from .plain_files import read_plain
from .trust import make_root

if TYPE_CHECKING:
    from filelock import BaseFileLock

_UNSUPPORTED = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EIO})
"""Error codes of file systems that do not support file locks."""

TRIES, MOMENT = 3, 0.05
"""Attempts of `take_soon` to take a lock, and the seconds between them."""


class JobLock:
    """The right to work on one job. Not reentrant."""

    def __init__(self, library: Path, job: str) -> None:
        self._path = library / f".{job}.lock"
        self._lock: BaseFileLock | None = None
        self._blocking_file = self._path

    def problem(self, message: str | Message, hint: str) -> LibraryProblem:
        """Return the error for a lock that cannot be taken.

        On file systems without real locks, the error also names the lock file: a process that is
        killed leaves its file behind, and only the user can tell that it is no longer in use.
        """
        path = self._blocking_file
        if path.suffix != ".process":
            return LibraryProblem(message, hint)
        return LibraryProblem(
            Message("{what} Lock file: {path} (computer, process: {holder}).", what=message,
                    path=path, holder=_holder(path)),
            Message("{hint} If the job is not running on any computer, delete the lock file.",
                    hint=hint),
        )  # fmt: skip

    def take(self) -> bool:
        """Try to take the lock without waiting, and return whether it was taken.

        It is not taken while another process or thread holds it. Raises OSError if the library is
        not writable, or if the lock's path is a link or a folder.
        """
        make_root(self._path.parent)
        self._blocking_file = self._path
        if self._path.is_symlink():  # guard: locks-are-no-links
            raise OSError(errno.ELOOP, Message("{path} is a symbolic link", path=self._path))
        if self._path.is_dir():
            raise OSError(errno.EISDIR, Message("{path} is a folder", path=self._path))
        try:
            self._lock = self._acquire(soft=False)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            # On NFS without a lock daemon, and some FUSE and SMB mounts, only a file that names its
            # process is possible. It stays behind if the process is killed, hence `problem`.
            self._lock = self._acquire(soft=True)
        return self._lock is not None

    def take_soon(self) -> bool:
        """Try a few times to take the lock, since another process may hold it only for a test.

        Returns whether the lock was taken. Raises OSError as `take` does.
        """
        for _ in range(TRIES):
            if self.take():
                return True
            time.sleep(MOMENT)
        return False

    def release(self) -> None:
        """Release the lock if it is held, even if its file was deleted."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        # Unlinked before the release: a process that has opened this file and locks it next will
        # notice that its name is gone, and try again. Windows cannot unlink an open file.
        if os.name == "posix":
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            lock.release()

    def _acquire(self, *, soft: bool) -> BaseFileLock | None:
        """Acquire and return the lock, or None if it is held; a `soft` lock is only a file."""
        with bundled_imports("filelock"):
            from filelock import FileLock, SoftFileLock, Timeout

        lock: BaseFileLock
        if soft:
            self._blocking_file = self._path.with_suffix(".process")
            # Not thread-local: the job's thread takes the lock, but another may release it.
            lock = SoftFileLock(self._blocking_file, thread_local=False)
        else:
            lock = FileLock(self._path, thread_local=False, fallback_to_soft=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        return lock


def _holder(path: Path) -> str:
    """Return the computer and process in a lock file; “unknown” if it is unreadable or invalid."""
    try:
        lines = read_plain(path, 1024).decode("ascii", "replace").split("\n")
    except OSError:
        return "unknown"
    number, host = (*lines, "", "")[:2]
    if not number.strip().isdigit() or not host.strip().isprintable():
        return "unknown"
    return f"{host.strip()[:80]}, {number.strip()[:12]}"


def is_held(library: Path, job: str) -> bool:
    """Return whether a process is working on a job now; False if that cannot be determined."""
    # Without this, the test would create a lock file for each job of a long list.
    if not any((library / f".{job}.{kind}").exists() for kind in ("lock", "process")):
        return False
    lock = JobLock(library, job)
    try:
        return not lock.take()
    except OSError:
        return False
    finally:
        lock.release()
