# SPDX-License-Identifier: GPL-3.0-or-later
"""A file system that is full from a chosen write call on: opening, writing or renaming.

Every call of this process that needs room below a folder is counted; from a chosen one on they all
fail, a write after half of it.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
from pathlib import Path
from typing import Any, Self

import pytest


class FullDisk:
    """Counts the calls that need room; the first `allowed` of them succeed."""

    def __init__(self, *folders: Path) -> None:
        self._folders = tuple(str(folder) for folder in folders)
        self.allowed = 10**9
        self.calls = 0

    @property
    def is_full(self) -> bool:
        """Whether a call has failed."""
        return self.calls > self.allowed

    def has(self, path: object) -> bool:
        """Tell whether a path or an open file is on the disk."""
        if isinstance(path, int):
            with contextlib.suppress(OSError):
                path = Path(f"/proc/self/fd/{path}").readlink()
        return isinstance(path, str | os.PathLike) and str(path).startswith(self._folders)

    def take(self, path: object) -> None:
        """Count a call on a path; raises OSError once the disk is full."""
        if not self.has(path):
            return
        self.calls += 1
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def room_again(self) -> None:
        """Free the disk."""
        self.allowed, self.calls = 10**9, 0


class _File:
    """An open file whose writes are counted."""

    def __init__(self, file: Any, disk: FullDisk, path: object) -> None:
        self._file, self._disk, self._path = file, disk, path

    def write(self, data: Any) -> Any:
        try:
            self._disk.take(self._path)
        except OSError:
            self._file.write(data[: len(data) // 2])
            with contextlib.suppress(OSError):
                self._file.flush()
            raise
        return self._file.write(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def fill(patch: pytest.MonkeyPatch, disk: FullDisk) -> None:
    """Make every write of this process go through that disk."""
    real_open, real_os_open = io.open, os.open

    def open_counted(path: Any, mode: str = "r", *args: Any, **how: Any) -> Any:
        writes = bool(set(mode) & set("wax+"))
        if writes and not isinstance(path, int):
            disk.take(path)
        file = real_open(path, mode, *args, **how)
        return _File(file, disk, path) if writes and disk.has(path) else file

    def os_open_counted(path: Any, flags: int, *args: Any, **how: Any) -> int:
        if flags & os.O_CREAT:
            disk.take(path)
        return real_os_open(path, flags, *args, **how)

    patch.setattr(io, "open", open_counted)
    patch.setattr(builtins, "open", open_counted)
    patch.setattr(os, "open", os_open_counted)
    for name in ("mkdir", "rename", "replace", "fsync", "link", "write"):
        patch.setattr(os, name, _count_calls(getattr(os, name), disk))


def _count_calls(real: Any, disk: FullDisk) -> Any:
    def call(path: Any, *args: Any, **how: Any) -> Any:
        disk.take(path)
        return real(path, *args, **how)

    return call
