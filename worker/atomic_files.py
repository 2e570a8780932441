# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that appear complete or not at all, and the names of the files of a chunked model.

No numpy here: the artist's Blender imports this module, and importing numpy takes longer than a
tick of its event loop may.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FRAMES_FILE, CHUNKS_FILE = "frame.blend", "parts.json"
"""File names inside a chunked model's folder: the meshes without geometry, and the list of chunks.
"""


@contextmanager
def atomic_path(path: str) -> Iterator[str]:
    """Yield a temporary path beside `path`; rename it to `path` when the block succeeds.

    The temporary file keeps the suffix, because Blender's exporters choose the format by it. It is
    removed if the block raises.
    """
    final = Path(path)
    # A random name, so that nobody can place a symbolic link there in advance.
    temporary = final.with_name(f".{final.stem}.{secrets.token_hex(6)}{final.suffix}")
    try:
        yield str(temporary)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)
