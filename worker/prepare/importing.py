# SPDX-License-Identifier: GPL-3.0-or-later
"""Import mesh files with Blender's own importers, chosen by content rather than by file name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import bpy

from ..checks.fbx import read_fbx_version
from ..checks.fbx_textures import redirect_textures
from ..checks.gltf.accessors import MESHOPT
from ..checks.gltf.text_encoding import repair_text
from ..checks.gltf.uris import stage_own_files
from ..checks.imported_scene import ImportedData
from ..checks.mesh_file import check_mesh_file
from ..checks.obj_references import redirect_materials
from ..checks.unreadable_names import make_names_readable
from ..refusal import OTHER_FORMAT, Message, Refusal, as_message
from .gltf_normals import normals_as_attribute

DRACO = "KHR_draco_mesh_compression"
OLDEST_FBX = 7100
"""Oldest version that Blender's importer before 4.5 reads. It cannot read ASCII FBX at all."""


def import_mesh_file(
    path: str, home: str | None = None, *, merge_doubles: bool = False
) -> tuple[str, list[str]]:
    """Check the mesh file, then import it into the open scene.

    Return its format, a key of `IMPORTERS`, and notes for the user. Raise Refusal if the format is
    unknown, the file is damaged or refers to files that do not belong to it, or Blender's importer
    fails. Pass a ZIP through `unpack_archive` first. Textures may lie in the folder `home`, by
    default the file's own. `merge_doubles`: every mesh will go through `merge_vertices` next.
    """
    with repair_text(path) as readable_path:
        result = _import_checked(
            readable_path, Path(home or Path(path).parent), merge_doubles=merge_doubles
        )
    make_names_readable(printable=bpy.app.background)
    return result


def _import_checked(path: str, home: Path, *, merge_doubles: bool) -> tuple[str, list[str]]:
    version = bpy.app.version_string
    format_ = check_mesh_file(path, readable=supported_extensions(), blender=version, home=home)
    read = IMPORTERS[format_]
    # In the worker only: it changes the list of add-ons, which belongs to the artist elsewhere.
    if read is _import_gltf and merge_doubles and bpy.app.background:
        read = _import_gltf_fast
    try:
        notes = read(path, home)
    except RuntimeError as error:  # An operator's ERROR report.
        message = Message(
            "Blender cannot import the mesh file: {reason}",
            reason=as_message(import_error_text(str(error))),
        )
        raise Refusal("bad_mesh", message, OTHER_FORMAT) from error
    return format_, notes


def import_error_text(report: str) -> str:
    """Return an importer's own message: the first line of its report, or the exception it raised.

    After a traceback, Blender adds the location in its own code, which does not help users.
    """
    lines = [line for raw in report.splitlines() if (line := raw.strip())]
    if any(line.endswith("Traceback (most recent call last):") for line in lines):
        raised = [line for line in lines if not line.startswith(("Location:", "File ", "Error:"))]
        lines = raised[-1:] or lines
    words = lines[0].removeprefix("Error: ").strip()[:300] if lines else "no reason was given"
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _import_gltf(path: str, home: Path) -> list[str]:
    arrival = ImportedData()
    with stage_own_files(path, home) as (safe, _):
        bpy.ops.import_scene.gltf(filepath=safe, import_pack_images=True)
        arrival.check()
    return []


def _import_gltf_fast(path: str, home: Path) -> list[str]:
    """Import a glTF file in half the time; `merge_vertices` must set the normals afterwards."""
    with normals_as_attribute():
        return _import_gltf(path, home)


def supported_extensions() -> frozenset[str] | None:
    """Return the glTF extensions that this Blender's importer reads; None if they are not known."""
    # Internal names, not an API: if a version of Blender changes them, the importer's own error
    # message has to do.
    with contextlib.suppress(ImportError, AttributeError, KeyError, TypeError):
        module = import_module("io_scene_gltf2.io.imp.gltf2_io_gltf")
        importer = module.glTFImporter("", {"import_user_extensions": [], "loglevel": 50})
        known = frozenset(importer.extensions_managed)
        return known - frozenset(name for name in known if not _has_library(name))
    return None


def _has_library(extension: str) -> bool:
    """Return whether an extension's decoder library is installed; the `bpy` module lacks some.

    Return True if the extension needs no library, or if its library cannot be determined.
    """
    libraries = {DRACO: ("bf_intern_draco_bridge", "Draco")}
    libraries |= dict.fromkeys(MESHOPT, ("bf_intern_meshopt_bridge", "MeshOptimizer"))
    if extension not in libraries:
        return True
    locations: list[tuple[str, tuple[str, ...]]] = [
        ("library", libraries[extension])
    ]  # In 5.2, 4.5, and 4.2.
    if extension == DRACO:
        locations += [("draco", ()), ("gltf2_io_draco_compression_extension", ())]
    for module, arguments in locations:
        with contextlib.suppress(ImportError, AttributeError, TypeError):
            library = import_module(f"io_scene_gltf2.io.com.{module}").dll_path(*arguments)
            return library is not None and Path(library).is_file()
    return True


def _import_fbx(path: str, home: Path) -> list[str]:
    is_new = has_new_fbx_importer()
    version = read_fbx_version(path)
    if not is_new and (version is None or version < OLDEST_FBX):
        blender = bpy.app.version_string
        message = Message(
            "The mesh is an ASCII FBX file, which Blender {blender} cannot read.",
            blender=blender,
        )
        if version is not None:
            message = Message(
                "The mesh is an FBX {version} file, which Blender {blender} cannot read.",
                version=f"{version / 1000:.1f}",
                blender=blender,
            )
        raise Refusal("bad_mesh", message, OTHER_FORMAT)
    arrival = ImportedData()
    with redirect_textures(path, home) as (safe, is_staged):
        if is_new:
            bpy.ops.wm.fbx_import(filepath=safe, use_anim=True)
        else:
            bpy.ops.import_scene.fbx(filepath=safe, use_anim=True)
        arrival.check()
        if is_staged:
            arrival.pack(Path(safe).parent)
    return []


def has_new_fbx_importer() -> bool:
    """Return whether this Blender has the C++ FBX importer, which is new in 4.5."""
    try:
        # Operators in C appear in `bpy.types` only after their first use.
        bpy.ops.wm.fbx_import.get_rna_type()
    except KeyError:
        return False
    return True


def _import_obj(path: str, home: Path) -> list[str]:
    arrival = ImportedData()
    with redirect_materials(path, home) as shown:
        bpy.ops.wm.obj_import(filepath=shown.path)
        arrival.check()
        if shown.is_staged:
            arrival.pack(Path(shown.path).parent)
    lost = shown.lost
    return (
        [Message("Material files outside the mesh's folder were not read: {names}.", names=lost)]
        if lost
        else []
    )


def _import_stl(path: str, _home: Path) -> list[str]:
    bpy.ops.wm.stl_import(filepath=path)
    return []


def _import_ply(path: str, _home: Path) -> list[str]:
    bpy.ops.wm.ply_import(filepath=path)
    return []


IMPORTERS: dict[str, Callable[[str, Path], list[str]]] = {
    "glb": _import_gltf,
    "gltf": _import_gltf,
    "fbx": _import_fbx,
    "obj": _import_obj,
    "stl": _import_stl,
    "ply": _import_ply,
}
