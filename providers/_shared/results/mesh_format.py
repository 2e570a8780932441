# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognizes mesh files by their first bytes, since names and media types are often wrong.

The worker has the same rules, in `worker/checks/mesh_format.py`.
"""

from __future__ import annotations

import re
import struct

BEGIN = 256 * 1024
"""Bytes of a text file in which the first vertex is searched for; long comments may precede it."""
FACET = re.compile(rb"^\s*solid\b[^\n]*\n\s*(?:facet\s+normal|endsolid)\b")
VERTEX = re.compile(rb"^[ \t]*v(?:[ \t]+[-+]?\.?\d\S*){3}", re.MULTILINE)


def format_of(head: bytes, size: int) -> str | None:
    """Return a file's format, judged by its first bytes and its size; None if it is unknown."""
    if head.startswith(b"glTF"):
        return "glb"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if re.match(rb"ply[ \t]*\r?\n", head):
        return "ply"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"Kaydara FBX Binary") or text.startswith(b"; FBX"):
        return "fbx"
    # Before the text formats, because the header of a binary STL may begin with "solid", too. It
    # has 80 bytes, followed by the number of triangles, and 50 bytes for each of them.
    if len(head) >= 84 and size == 84 + 50 * struct.unpack_from("<I", head, 80)[0] > 84:
        return "stl"
    if FACET.match(text):
        return "stl"
    if text.startswith(b"{"):
        return "gltf"
    return "obj" if VERTEX.search(text) else None
