# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a mesh file of any format before an importer reads it. No bpy."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..refusal import OTHER_FORMAT, Refusal
from .fbx import check_fbx
from .gltf.check import check_gltf
from .mesh_format import sniff
from .ply import check_ply


def check_mesh_file(
    path: str, *, readable: Collection[str] | None, blender: str, home: Path | None = None
) -> str:
    """Return the file's format; raise Refusal if it is not a mesh, is damaged, or exceeds a limit.

    `readable` contains the glTF extensions that this Blender reads; None if unknown. `blender` is
    its version, for messages. `home` is the folder that companion files may lie in, by default the
    file's own. Pass a ZIP through `unpack_archive` first.
    """
    format_ = sniff(path)
    if format_ == "zip":
        raise Refusal("bad_mesh", "The archive contains another archive.", OTHER_FORMAT)
    if format_ in ("glb", "gltf"):
        check_gltf(path, readable=readable, blender=blender, home=home)
    elif format_ == "fbx":
        check_fbx(path)  # guard: fbx-checked
    elif format_ == "ply":
        check_ply(path)  # guard: ply-checked
    # OBJ and ASCII STL have no counts; a binary STL is recognized by its count.
    return format_
