# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory this computer has, and how much a process uses, on each platform."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

UNKNOWN_MACHINE = 16 * 1024**3
"""Assumed size of the computer's memory, in bytes, if the system does not report it."""


@cache
def of_machine() -> int:
    """Return this computer's memory in bytes; `UNKNOWN_MACHINE` on Windows, or if it is unknown."""
    if sys.platform != "win32":
        with contextlib.suppress(ValueError, OSError):
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return UNKNOWN_MACHINE


def of_process(pid: int) -> int | None:
    """Return how many bytes of memory a process uses now; None if that is unknown."""
    with contextlib.suppress(OSError, ValueError, IndexError, subprocess.SubprocessError):
        if sys.platform == "win32":
            return _on_windows(pid)
        # macOS has no /proc.
        if sys.platform == "darwin":
            command = ["ps", "-o", "rss=", "-p", str(pid)]
            return int(subprocess.check_output(command, timeout=1.0)) * 1024
        # The second number is the resident set, in pages (proc_pid_statm(5)).
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return None


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class _Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS of the Windows API."""

        _fields_ = (
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            *(
                (name, ctypes.c_size_t)
                for name in (
                    "PeakWorkingSetSize",
                    "WorkingSetSize",
                    "QuotaPeakPagedPoolUsage",
                    "QuotaPagedPoolUsage",
                    "QuotaPeakNonPagedPoolUsage",
                    "QuotaNonPagedPoolUsage",
                    "PagefileUsage",
                    "PeakPagefileUsage",
                )
            ),
        )

    def _on_windows(pid: int) -> int | None:
        # 0x1000 is PROCESS_QUERY_LIMITED_INFORMATION, the least right that suffices.
        kernel = ctypes.WinDLL("kernel32")
        # Without a declared type, ctypes treats a handle as an int and truncates it to 32 bits.
        kernel.OpenProcess.restype = wintypes.HANDLE
        kernel.CloseHandle.argtypes = [wintypes.HANDLE]
        kernel.K32GetProcessMemoryInfo.argtypes = [
            wintypes.HANDLE,
            ctypes.POINTER(_Counters),
            wintypes.DWORD,
        ]
        handle = kernel.OpenProcess(0x1000, False, pid)
        if not handle:
            return None
        counters = _Counters(cb=ctypes.sizeof(_Counters))
        succeeded = kernel.K32GetProcessMemoryInfo(handle, ctypes.byref(counters), counters.cb)
        kernel.CloseHandle(handle)
        return int(counters.WorkingSetSize) if succeeded else None
