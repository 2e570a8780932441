# SPDX-License-Identifier: GPL-3.0-or-later
"""One process at a time works on a job: a lock that the system frees when its process dies.

Locks are hidden files in the library itself, so that they hold for whoever shares the folder, and
outside of the jobs' folders, which can be renamed and deleted while one is held.
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

_NOT_KNOWN = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EIO})
"""What file systems answer that know no such locks."""


TRIES, MOMENT = 3, 0.05
"""Tries to take a lock, and the seconds between them: `is_held` holds it for an instant."""


class JobLock:
    """The right to work on one job. Not reentrant."""

    def __init__(self, library: Path, job: str) -> None:
        self._path = library / f".{job}.lock"
        self._lock: BaseFileLock | None = None
        self._in_the_way = self._path

    def problem(self, what: str | Message, hint: str) -> LibraryProblem:
        """Return the error for a lock that cannot be taken: what it keeps from, and the way out.

        A process that was killed on another computer leaves its lock where the file system knows
        none that end with their process.
        """
        path = self._in_the_way
        if path.suffix != ".process":
            return LibraryProblem(what, hint)
        return LibraryProblem(
            Message("{what} Its lock: {path} (computer, process: {holder}).", what=what, path=path,
                    holder=_holder(path)),
            Message("{hint} If nobody works on it, on any computer, delete that file.", hint=hint),
        )  # fmt: skip

    def take(self) -> bool:
        """Take it without waiting; False while another process, or thread, has it.

        Raises OSError where the library cannot be written to.
        """
        make_root(self._path.parent)
        self._in_the_way = self._path
        if self._path.is_symlink():  # guard: locks-are-no-links
            raise OSError(errno.ELOOP, Message("{path} is a link", path=self._path))
        if self._path.is_dir():
            raise OSError(errno.EISDIR, Message("{path} is a folder", path=self._path))
        try:
            self._lock = self._taken(soft=False)
        except OSError as error:
            if error.errno not in _NOT_KNOWN:
                raise
            # NFS without a lock daemon, some FUSE and SMB mounts: a file that names its process is
            # all there is. It stays behind if the process is killed, hence `problem`.
            self._lock = self._taken(soft=True)
        return self._lock is not None

    def take_soon(self) -> bool:
        """Take it, with a few tries: another process may hold it only to test it."""
        for _ in range(TRIES):
            if self.take():
                return True
            time.sleep(MOMENT)
        return False

    def release(self) -> None:
        """Give it back, if it was taken; also a lock whose file is gone."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        # Before the release, and only where an open file can be unlinked: a process that opened the
        # old file and locks it next notices that its name is gone, and tries again.
        if os.name == "posix":
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            lock.release()

    def _taken(self, *, soft: bool) -> BaseFileLock | None:
        """Return a lock that is held. A soft one is a file that names its process."""
        with bundled_imports("filelock"):
            from filelock import FileLock, SoftFileLock, Timeout

        lock: BaseFileLock
        if soft:
            self._in_the_way = self._path.with_suffix(".process")
            lock = SoftFileLock(self._in_the_way, thread_local=False)
        else:
            lock = FileLock(self._path, thread_local=False, fallback_to_soft=False)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return None
        return lock


def _holder(path: Path) -> str:
    """Say whom a lock names: a computer and a process there."""
    try:
        lines = read_plain(path, 1024).decode("ascii", "replace").split("\n")
    except OSError:
        return "unknown"
    number, host = (*lines, "", "")[:2]
    if not number.strip().isdigit() or not host.strip().isprintable():
        return "unknown"
    return f"{host.strip()[:80]}, {number.strip()[:12]}"


def is_held(library: Path, job: str) -> bool:
    """Say whether somebody works on a job now."""
    if not any((library / f".{job}.{kind}").exists() for kind in ("lock", "process")):
        return False
    lock = JobLock(library, job)
    try:
        return not lock.take()
    except OSError:
        return False
    finally:
        lock.release()
