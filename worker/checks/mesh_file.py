# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a mesh file of any format before an importer sees it. Nothing here imports bpy."""

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
    """Return the file's format; raise Refusal if it is no mesh, damaged, or wants more than it may.

    `readable` are the extensions that this Blender's glTF importer reads, None where nobody knows;
    `blender` is its version, for the user. `home` is the folder that its files may lie in, its own
    by default. A ZIP is for `unpacked` first.
    """
    format_ = sniff(path)
    if format_ == "zip":
        raise Refusal("bad_mesh", "The archive holds another archive.", OTHER_FORMAT)
    if format_ in ("glb", "gltf"):
        check_gltf(path, readable=readable, blender=blender, home=home)
    elif format_ == "fbx":
        check_fbx(path)  # guard: fbx-checked
    elif format_ == "ply":
        check_ply(path)  # guard: ply-checked
    # OBJ and ASCII STL give no counts; a binary STL is known by its own.
    return format_
