# SPDX-License-Identifier: GPL-3.0-or-later
"""See whether anybody opens a file, by the kernel's own word for it: no process can hide it."""

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


class Watch:
    """Counts how often a file is opened, on Linux, while the block runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> Self:
        if sys.platform != "linux":
            raise OSError("only on Linux")
        system = ctypes.CDLL(None, use_errno=True)
        self._file = system.inotify_init1(os.O_NONBLOCK)
        watched = system.inotify_add_watch(self._file, os.fsencode(self._path), _OPEN)
        assert watched >= 0, os.strerror(ctypes.get_errno())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def opened(self) -> int:
        """Return how often the file was opened since the last call."""
        try:
            return len(os.read(self._file, 64 * 1024)) // _EVENT.size
        except BlockingIOError:
            return 0
