# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture the error messages of image decoders, which Blender discards.

Without such a message, a failure may go unnoticed. In Blender's own builds, libtiff has no LZMA or
Zstandard: it fills no pixels and reports that on standard error only, so the image is black or
holds stale memory.
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
    """Yield a list; when the block ends, append the bytes that were written to standard error.

    The file descriptor is redirected, since the messages come from C. At the end, they are also
    written to the actual standard error.
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
