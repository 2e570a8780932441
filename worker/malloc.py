# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep freed memory in the process instead of returning it to the operating system.

Processing a mesh of a million faces allocates hundreds of arrays of many megabytes in sequence. By
default, glibc returns each of them to the kernel, which then zeroes every page again for the next
one. This takes 20% of the run time.
"""

from __future__ import annotations

import ctypes
import sys

# Constants of glibc's malloc.h; Python does not export them.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
MAX_HEAP_ALLOCATION = 1 << 30
"""Bytes below which allocations come from the heap, which is reused, instead of a new mapping."""
HEAP_GROWTH = 64 << 20
"""Bytes by which the heap grows beyond each request."""


def retain_freed_memory() -> None:
    """Configure glibc's malloc to keep freed memory; do nothing with other C libraries."""
    if not sys.platform.startswith("linux"):
        return
    try:
        # musl has no mallopt: the attribute is missing.
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    # Setting the threshold also stops glibc from adjusting it by itself.
    mallopt(M_MMAP_THRESHOLD, MAX_HEAP_ALLOCATION)
    mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    mallopt(M_TOP_PAD, HEAP_GROWTH)
