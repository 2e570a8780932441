# SPDX-License-Identifier: GPL-3.0-or-later
"""Count how often any process opens a file, with inotify."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

_OPEN = 0x20
_EVENT = struct.Struct("iIII")


class FileAccess:
    """A context that counts how often any process opens a file; Linux only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> Self:
        if sys.platform != "linux":
            raise OSError("only on Linux")
        system = ctypes.CDLL(None, use_errno=True)
        self._file = system.inotify_init1(os.O_NONBLOCK)
        watch = system.inotify_add_watch(self._file, os.fsencode(self._path), _OPEN)
        assert watch >= 0, os.strerror(ctypes.get_errno())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def count_opens(self) -> int:
        """Return how often the file was opened since the last call."""
        try:
            return len(os.read(self._file, 64 * 1024)) // _EVENT.size
        except BlockingIOError:
            return 0
