# SPDX-License-Identifier: GPL-3.0-or-later
"""What a picture's decoder says while it works: Blender keeps it to itself, and hands on pixels.

libtiff without LZMA or Zstandard, as Blender's own builds have it, fills no pixel and says so on
standard error alone: the picture is then black, or holds what was in memory before.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STANDARD_ERROR = 2
GAVE_NOTHING = b"compression support is not configured"


@contextmanager
def decoder_words() -> Iterator[list[bytes]]:
    """Collect what is written to standard error meanwhile; it is passed on at the end."""
    words: list[bytes] = []
    sys.stderr.flush()
    kept = os.dup(STANDARD_ERROR)
    try:
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), STANDARD_ERROR)
            try:
                yield words
            finally:
                sys.stderr.flush()
                os.dup2(kept, STANDARD_ERROR)
                file.seek(0)
                words.append(file.read())
        os.write(STANDARD_ERROR, words[-1])
    finally:
        os.close(kept)
