# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognize a mesh file's format by its first bytes: a download's name and type prove nothing.

No bpy. Twin of `providers/_shared/results/mesh_format.py`: the two run in separate processes that
share no modules, so a change of one needs the same change in the other.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

from ..refusal import OTHER_FORMAT, Message, Refusal

BEGIN = 256 * 1024
"""Bytes of a text file that are searched for its first vertex, which may follow long comments."""
VERTEX = re.compile(rb"^[ \t]*v(?:[ \t]+[-+]?\.?\d\S*){3}", re.MULTILINE)
FACET = re.compile(rb"^\s*solid\b[^\n]*\n\s*(?:facet\s+normal|endsolid)\b")


def sniff(path: str) -> str:
    """Return "glb", "gltf", "fbx", "obj", "stl", "ply", or "zip".

    Raise Refusal if the file has another format or cannot be read.
    """
    try:
        # A binary STL has no signature: its length has to match its count.
        size = Path(path).stat().st_size
        with Path(path).open("rb") as file:
            head = file.read(BEGIN)
    except OSError as error:
        raise Refusal(
            "bad_mesh",
            Message("The mesh file cannot be read: {reason}.", reason=error.strerror or str(error)),
            "Check that you can open the file, or download or export it again.",
        ) from error
    format_ = format_of(head, size)
    if format_ is None:
        message = "The file is not a glTF, FBX, OBJ, STL, or PLY mesh, or a ZIP file with one."
        raise Refusal("bad_mesh", message, OTHER_FORMAT)
    return format_


def format_of(head: bytes, size: int) -> str | None:
    """Return the format of a file of `size` bytes that begins with `head`, None if unknown."""
    if head.startswith(b"glTF"):
        return "glb"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if re.match(rb"ply[ \t]*\r?\n", head):
        return "ply"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"Kaydara FBX Binary") or text.startswith(b"; FBX"):
        return "fbx"
    # Before the text formats: the header of a binary STL may contain any text, even "solid".
    if len(head) >= 84 and size == 84 + 50 * struct.unpack_from("<I", head, 80)[0] > 84:
        return "stl"
    if FACET.match(text):
        return "stl"
    if text.startswith(b"{"):
        return "gltf"
    return "obj" if VERTEX.search(text) else None
