# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mesh file is, told by its first bytes: names and types of a download are hearsay.

Nothing here imports bpy. `jobs/steps/mesh_header.py` tells formats by the same rules.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

from ..refusal import OTHER_FORMAT, Message, Refusal

BEGIN = 256 * 1024
"""How far in a text file is looked for its first vertex, which may stand behind long comments."""
VERTEX = re.compile(rb"^[ \t]*v(?:[ \t]+[-+]?\.?\d\S*){3}", re.MULTILINE)
FACET = re.compile(rb"^\s*solid\b[^\n]*\n\s*(?:facet\s+normal|endsolid)\b")


def sniff(path: str) -> str:
    """Return "glb", "gltf", "fbx", "obj", "stl", "ply" or "zip"; raise Refusal for all else."""
    try:
        size = Path(path).stat().st_size
        with Path(path).open("rb") as file:
            head = file.read(BEGIN)
    except OSError as error:
        raise Refusal(
            "bad_mesh",
            Message("The mesh file cannot be read: {reason}.", reason=error.strerror),
            "",
        ) from error
    found = format_of(head, size)
    if found is None:
        what = "The file is not a glTF, FBX, OBJ, STL or PLY mesh, nor a ZIP of one."
        raise Refusal("bad_mesh", what, OTHER_FORMAT)
    return found


def format_of(head: bytes, size: int) -> str | None:
    """Tell a format by a file's first bytes and its size, or None."""
    if head.startswith(b"glTF"):
        return "glb"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if re.match(rb"ply[ \t]*\r?\n", head):
        return "ply"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"Kaydara FBX Binary") or text.startswith(b"; FBX"):
        return "fbx"
    # Before the texts: the header of a binary STL may say anything, "solid" as well.
    if len(head) >= 84 and size == 84 + 50 * struct.unpack_from("<I", head, 80)[0] > 84:
        return "stl"
    if FACET.match(text):
        return "stl"
    if text.startswith(b"{"):
        return "gltf"
    return "obj" if VERTEX.search(text) else None
