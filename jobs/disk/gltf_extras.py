# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes what a server wrote about an order into the mesh file that it returned.

Some servers keep the whole workflow, with names of images and texts, in `asset.extras`; see
`Provider.writes_orders`. The layout of GLB is from the glTF 2.0 specification, 4.4.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from shutil import copyfileobj
from typing import Any, BinaryIO

from .plain_files import new_file, open_plain

LONGEST = 64 * 1024 * 1024
"""Maximum bytes of a header that is read."""
_FILE, _CHUNK = struct.Struct("<4sII"), struct.Struct("<I4s")
_UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError, struct.error)


def strip_asset_extras(path: Path) -> bool:
    """Remove `asset.extras` from a GLB file, and return whether it had any.

    Any other file stays as it is, and so does one that is damaged, which a later check reports.
    Raises OSError if the file cannot be read or written.
    """
    try:
        with open_plain(path) as file:
            header, start = _header_without(file), file.tell()
    except _UNREADABLE:
        return False
    if header is None:
        return False
    size = _FILE.size + _CHUNK.size + len(header) + path.stat().st_size - start
    with new_file(path) as changed:
        changed.write(_FILE.pack(b"glTF", 2, size) + _CHUNK.pack(len(header), b"JSON") + header)
        # Closed before it is replaced, which Windows requires.
        with open_plain(path) as file:
            file.seek(start)
            copyfileobj(file, changed)
    return True


def _header_without(file: BinaryIO) -> bytes | None:
    """Return a GLB's header without `asset.extras`; None if it has none. Reads up to its end.

    Raises an error in `_UNREADABLE` for any other file.
    """
    magic, version, _ = _FILE.unpack(file.read(_FILE.size))
    length, kind = _CHUNK.unpack(file.read(_CHUNK.size))
    if (magic, version, kind) != (b"glTF", 2, b"JSON") or length > LONGEST:
        return None
    header: dict[str, Any] = json.loads(file.read(length))
    if header["asset"].pop("extras", None) is None:
        return None
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return text + b" " * (-len(text) % 4)
