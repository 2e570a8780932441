# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a mesh file with Blender's own importers, chosen by content and not by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import bpy

from .addresses import check_gltf, without_outside_materials
from .refusal import OTHER_FORMAT, Refusal

BEGIN = 256 * 1024
"""How far in a text file is looked for its first vertex, which may stand behind long comments."""
VERTEX = re.compile(rb"^[ \t]*v(?:[ \t]+[-+]?\.?\d\S*){3}", re.MULTILINE)


def import_mesh_file(path: str) -> tuple[str, list[str]]:
    """Import the file into the open scene.

    Return its format, "glb", "gltf", "fbx" or "obj", and notes for the person. Raise Refusal if
    it is none of them, if it is a glTF that names files outside of its folder, or if Blender's
    importer gives up on it.
    """
    format_ = sniff(path)
    try:
        notes = IMPORTERS[format_](path)
    except RuntimeError as error:  # How an operator's report of kind ERROR arrives in Python.
        reason = str(error).removeprefix("Error: ").strip().splitlines()[0]
        raise Refusal("bad_mesh", f"Blender cannot import it: {reason}", OTHER_FORMAT) from error
    return format_, notes


def sniff(path: str) -> str:
    """Say what the file is by its first bytes; raise Refusal if it is no mesh file.

    `jobs/meshfile.py` tells formats by the same rules.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(BEGIN)
    except OSError as error:
        raise Refusal("bad_mesh", f"The mesh file cannot be read: {error.strerror}.", "") from error
    if head.startswith(b"glTF"):
        return "glb"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"Kaydara FBX Binary") or text.startswith(b"; FBX"):
        return "fbx"
    if text.startswith(b"{"):
        return "gltf"
    if VERTEX.search(text):
        return "obj"
    raise Refusal("bad_mesh", "The file is not a glTF, FBX or OBJ mesh.", OTHER_FORMAT)


def _import_gltf(path: str) -> list[str]:
    check_gltf(path)
    bpy.ops.import_scene.gltf(filepath=path, import_pack_images=True)
    return []


def _import_fbx(path: str) -> list[str]:
    if hasattr(bpy.types, "WM_OT_fbx_import"):  # The importer in C++, since 4.5.
        bpy.ops.wm.fbx_import(filepath=path, use_anim=False)
        return []
    with Path(path).open("rb") as file:
        if not file.read(18).startswith(b"Kaydara FBX Binary"):
            version = bpy.app.version_string
            what = f"The mesh is an FBX file in ASCII, which Blender {version} cannot read."
            raise Refusal("bad_mesh", what, OTHER_FORMAT)
    bpy.ops.import_scene.fbx(filepath=path, use_anim=False)
    return []


def _import_obj(path: str) -> list[str]:
    with without_outside_materials(path) as (safe, lost):
        bpy.ops.wm.obj_import(filepath=safe)
    return [f"Material files outside of the mesh's folder were not read: {lost}."] if lost else []


IMPORTERS: dict[str, Callable[[str], list[str]]] = {
    "glb": _import_gltf,
    "gltf": _import_gltf,
    "fbx": _import_fbx,
    "obj": _import_obj,
}
