# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture messages of image decoders, which Blender discards, although it passes on their pixels.

libtiff without LZMA or Zstandard, as in Blender's own builds, fills no pixels and says so on
standard error only: the image is then black or holds stale memory.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STANDARD_ERROR = 2
NO_DECODER = b"compression support is not configured"


@contextmanager
def capture_stderr() -> Iterator[list[bytes]]:
    """Yield a list that gets what the block has written to standard error, once the block ends.

    The descriptor is redirected, since the messages come from C; they are passed on at the end.
    """
    words: list[bytes] = []
    sys.stderr.flush()
    saved = os.dup(STANDARD_ERROR)
    try:
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), STANDARD_ERROR)
            try:
                yield words
            finally:
                sys.stderr.flush()
                os.dup2(saved, STANDARD_ERROR)
                file.seek(0)
                words.append(file.read())
        os.write(STANDARD_ERROR, words[-1])
    finally:
        os.close(saved)
