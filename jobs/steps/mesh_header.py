# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a mesh file's header: its format, and whether the file is complete.

The first bytes decide, not file names or media types, which are often wrong. The layout of GLB is
from the glTF 2.0 specification, section 4.4. This code runs in the artist's Blender, so anything
slow or risky is left to the worker, which checks the whole file before importing it.
"""

from __future__ import annotations

import json
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...providers import BadMesh, Message
from ...providers._shared.results.mesh_format import BEGIN as BEGIN
from ...providers._shared.results.mesh_format import FACET as FACET
from ...providers._shared.results.mesh_format import VERTEX as VERTEX
from ...providers._shared.results.mesh_format import format_of as format_of
from ..disk.plain_files import open_plain

OTHER = "Choose another format or provider, then generate again."
AGAIN = "Resume the job to download the mesh again at no extra cost."
TRIANGLES = 4
MAX_HEAD = 64 * 1024 * 1024
NO_MESH = "The result is not a GLB, FBX, OBJ, STL, or PLY file, or a ZIP file with one."
QUICK = 8 * 1024 * 1024
"""Bytes of the largest header that is parsed here: json.loads holds the GIL, freezing Blender."""

FORMATS = ("glb", "gltf", "fbx", "obj", "ply", "stl")
"""Mesh formats by preference, for an archive that holds several."""
MAX_ENTRIES = 2000
MAX_LIST = 4 * 1024 * 1024
TAIL = 22 + 0xFFFF
"""Maximum distance of an archive's directory record from its end: 22 bytes plus a comment."""

DAMAGED = (ValueError, LookupError, TypeError, AttributeError, RecursionError, struct.error)
"""Errors raised while parsing a header that violates its format."""

BROKEN_ARCHIVE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError)

COMPRESSED = 100
"""Maximum number of corners per compressed byte; an uncompressed corner takes at least one byte."""


@dataclass(frozen=True, slots=True)
class MeshFile:
    """A mesh file's properties, from its header.

    `suffix` is the one that fits the file's content. `format` is "glb", "fbx", "obj", or None for
    any other format; for an archive, that of the mesh inside. `faces` is None unless it is a GLB or
    glTF file with a small header.
    """

    suffix: str
    format: str | None
    faces: int | None = None


def read_mesh_file(path: Path) -> MeshFile:
    """Return a file's properties.

    Raises BadMesh if the file is incomplete or not a mesh file, and OSError if it cannot be read.
    `worker/checks/mesh_format.py` recognizes formats by the same rules.
    """
    with open_plain(path) as file:
        head = file.read(BEGIN)
    suffix = format_of(head, path.stat().st_size)
    if suffix is None:
        raise BadMesh(NO_MESH if head else "The result is empty.", AGAIN)
    if suffix == "glb":
        return MeshFile(suffix, suffix, _glb_faces(path))
    if suffix == "gltf":
        return MeshFile(suffix, None, _gltf_faces(path))
    return MeshFile(suffix, _reported_format(_in_archive(path) if suffix == "zip" else suffix))


def _reported_format(format_: str) -> str | None:
    return format_ if format_ in ("glb", "fbx", "obj") else None


def _in_archive(path: Path) -> str:
    """Return the format of the mesh in a ZIP, the first in `FORMATS` if it has several.

    Nothing is extracted. Raises BadMesh if the archive is damaged, or has no mesh.
    """
    try:
        found = {_format_in(archive, entry) for archive, entry in _entries(path)}
    except (*BROKEN_ARCHIVE, *DAMAGED) as error:
        raise BadMesh("The archive is damaged or password-protected.", AGAIN) from error
    mesh = next((format_ for format_ in FORMATS if format_ in found), None)
    if mesh is None:
        raise BadMesh("The archive contains no mesh that Blender can read.", OTHER)
    return mesh


def _entries(path: Path) -> Iterator[tuple[zipfile.ZipFile, zipfile.ZipInfo]]:
    """Yield an archive's regular files. Raises ValueError if there are too many for a mesh."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        tail = file.read()
    # Checked before `zipfile` reads the whole list, which is slow for millions of names.
    # At offset 8 of its last record: entries on this disk, entries in all, bytes of the list.
    _, count, length = struct.unpack_from("<HHI", tail, tail.rindex(b"PK\x05\x06") + 8)
    if count > MAX_ENTRIES or length > MAX_LIST:
        raise ValueError("too many entries")
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            # The upper half is the Unix mode, 0 in archives made on Windows. Links are left out.
            if stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG) and not entry.is_dir():
                yield archive, entry


def _format_in(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str | None:
    if entry.filename.lower().endswith((".png", ".jpg", ".jpeg", ".webp", ".mtl")):
        return None
    with archive.open(entry) as file:
        return format_of(file.read(BEGIN), entry.file_size)


def _glb_faces(path: Path) -> int | None:
    size = path.stat().st_size
    with path.open("rb") as file:
        # 12 bytes of file header, and 8 of the first chunk's.
        head = file.read(20)
        if len(head) < 20:
            raise BadMesh("The mesh file is incomplete.", AGAIN)
        _, version, length, head_length, kind = struct.unpack("<4sIII4s", head)
        if version != 2:
            raise BadMesh(
                Message(
                    "The mesh file is GLB version {version}, which is not supported.",
                    version=version,
                ),
                OTHER,
            )
        # A download that was cut short has fewer bytes than its header says.
        if kind != b"JSON" or (length == size and head_length > min(size - 20, MAX_HEAD)):
            raise BadMesh("The mesh file's header is damaged.", AGAIN)
        if length != size:
            raise BadMesh(
                Message(
                    "The mesh file is {size} bytes, but its header says {length}.",
                    size=size,
                    length=length,
                ),
                AGAIN,
            )
        if head_length > QUICK:
            return None
        text = file.read(head_length)
    try:
        return _count_faces(json.loads(text), size)
    except DAMAGED as error:
        raise BadMesh("The mesh file's header is damaged.", AGAIN) from error


def _gltf_faces(path: Path) -> int | None:
    """Return the number of triangles in a glTF file; None if the file is large.

    Raises BadMesh if the file is damaged, is not glTF 2, or has buffers in other files.
    """
    size = path.stat().st_size
    if size > QUICK:
        return None
    try:
        gltf = json.loads(path.read_bytes())
        version = str(gltf["asset"]["version"])
        if version.partition(".")[0] != "2":
            message = Message(
                "The mesh file is glTF {version}, but Blender only reads glTF 2.0.",
                version=f"{version:.8}",
            )
            raise BadMesh(message, OTHER)
        faces = _count_faces(gltf, size)
        outside = [buffer for buffer in gltf.get("buffers", []) if not _is_embedded(buffer)]
    except DAMAGED as error:
        raise BadMesh("The result is not a glTF mesh, or is incomplete.", AGAIN) from error
    if outside:
        raise BadMesh("The mesh consists of several files, but only one was downloaded.", AGAIN)
    return faces


def _is_embedded(buffer: dict[str, Any]) -> bool:
    address = buffer.get("uri", "")
    return isinstance(address, str) and address.startswith("data:")


def _count_faces(gltf: dict[str, Any], size: int) -> int:
    """Return the number of triangles in a parsed glTF file of `size` bytes.

    Raises an error in `DAMAGED` if they do not fit in the file.
    """
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
