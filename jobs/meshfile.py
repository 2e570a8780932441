# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a mesh file's head before anything is told about it: its format, whether it is whole.

Names, types and extensions of a download are hearsay; the first bytes decide. GLB's layout is that
of the glTF 2.0 specification, section 4.4.
"""

from __future__ import annotations

import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..providers import BadMesh

AGAIN = "Resume the job: it is downloaded again without paying."
TRIANGLES = 4
MAX_HEAD = 64 * 1024 * 1024
MAX_TEXT = 256 * 1024 * 1024

BEGIN = 256 * 1024
"""How far in a text file is looked for its first vertex, which may stand behind long comments."""
VERTEX = re.compile(rb"^[ \t]*v(?:[ \t]+[-+]?\.?\d\S*){3}", re.MULTILINE)

DAMAGED = (ValueError, LookupError, TypeError, AttributeError, RecursionError, struct.error)
"""What a head raises that is not what its format says."""

COMPRESSED = 100
"""How many corners a compressed byte may stand for at most; an uncompressed one is one corner."""


@dataclass(frozen=True, slots=True)
class MeshFile:
    """What a mesh file's head says; `faces` only where the head tells (GLB and glTF)."""

    format: str
    faces: int | None


def read_mesh_file(path: Path) -> MeshFile:
    """Say what the file is; raises BadMesh if it is no mesh file or not whole.

    `scene/background/importing.py` tells formats by the same rules.
    """
    with path.open("rb") as file:
        head = file.read(BEGIN)
    if head.startswith(b"glTF"):
        return MeshFile("glb", _glb_faces(path))
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"Kaydara FBX Binary") or text.startswith(b"; FBX"):
        return MeshFile("fbx", None)
    if text.startswith(b"{"):
        return MeshFile("gltf", _gltf_faces(path))
    if VERTEX.search(text):
        return MeshFile("obj", None)
    what = "empty" if not head else "not a GLB, FBX or OBJ file"
    raise BadMesh(f"The result is {what}.", AGAIN)


def _glb_faces(path: Path) -> int:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(20)
        if len(head) < 20:
            raise BadMesh("The mesh file is cut short.", AGAIN)
        _, version, length, head_length, kind = struct.unpack("<4sIII4s", head)
        if version != 2 or kind != b"JSON":
            raise BadMesh(f"The mesh file is GLB of version {version}, which is not read.")
        if length != size or head_length > min(size - 20, MAX_HEAD):
            raise BadMesh(f"The mesh file has {size} bytes where it says {length}.", AGAIN)
        text = file.read(head_length)
    try:
        return _count_faces(json.loads(text), size)
    except DAMAGED as error:
        raise BadMesh("The mesh file's head is damaged.", AGAIN) from error


def _gltf_faces(path: Path) -> int:
    """Count the faces of a glTF file in JSON: one that is whole holds its buffers itself."""
    size = path.stat().st_size
    if size > MAX_TEXT:
        raise BadMesh(f"The mesh file is a text of {size / 1e6:.0f} MB, which is not read.")
    try:
        gltf = json.loads(path.read_bytes())
        if not isinstance(gltf, dict) or "version" not in gltf["asset"]:
            raise ValueError("no glTF")
        faces = _count_faces(gltf, size)
        outside = [one for one in gltf.get("buffers", []) if not _is_embedded(one)]
    except DAMAGED as error:
        raise BadMesh("The result is not a glTF mesh, or cut short.", AGAIN) from error
    if outside:
        raise BadMesh("The mesh file lies in several files, of which only one came.", AGAIN)
    return faces


def _is_embedded(buffer: dict[str, Any]) -> bool:
    address = buffer.get("uri", "")
    return isinstance(address, str) and address.startswith("data:")


def _count_faces(gltf: dict[str, Any], size: int) -> int:
    """Count the triangles; raises one of DAMAGED where the head of `size` bytes cannot be true."""
    accessors = gltf.get("accessors", [])
    room = size * (COMPRESSED if _is_compressed(gltf) else 1)
    corners = 0
    for mesh in gltf.get("meshes", []):
        for primitive in mesh["primitives"]:
            if primitive.get("mode", TRIANGLES) == TRIANGLES:
                index = primitive.get("indices", primitive["attributes"]["POSITION"])
                corners += _between(accessors[_between(index, len(accessors))]["count"], room)
    return corners // 3


def _is_compressed(gltf: dict[str, Any]) -> bool:
    return any("compression" in str(name) for name in gltf.get("extensionsUsed", []))


def _between(value: Any, end: int) -> int:
    if not isinstance(value, int) or not 0 <= value <= end:
        raise ValueError(f"{value!r} is not between 0 and {end}")
    return value
