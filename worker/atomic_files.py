# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are there whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FRAME, LIST = "frame.blend", "parts.json"
"""Of a model in parts: what they are put into, and what they are.

Here, where no numpy is, for the artist's Blender: importing that takes longer than a tick may.
"""


@contextmanager
def whole(path: str) -> Iterator[str]:
    """Give a side name with the same suffix to write to; rename it when the block ends well."""
    final = Path(path)
    # Of a random name: nobody can lay a link there before.
    side = final.with_name(f".{final.stem}.{secrets.token_hex(6)}{final.suffix}")
    try:
        yield str(side)
        side.replace(final)
    finally:
        side.unlink(missing_ok=True)
