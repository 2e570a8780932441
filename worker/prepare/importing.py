# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a mesh file with Blender's own importers, chosen by content and not by name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import bpy

from ..checks.fbx import version_of
from ..checks.fbx_textures import without_outside_textures
from ..checks.gltf.accessors import MESHOPT
from ..checks.gltf.text_encoding import with_whole_texts
from ..checks.gltf.uris import with_own_files
from ..checks.imported_scene import Arrival
from ..checks.mesh_file import check_mesh_file
from ..checks.obj_references import without_outside_materials
from ..checks.unreadable_names import make_names_readable
from ..refusal import OTHER_FORMAT, Refusal
from .gltf_normals import carried_normals

DRACO = "KHR_draco_mesh_compression"
OLDEST_FBX = 7100
"""Of the versions that Blender's importer before 4.5 reads; none in ASCII."""


def import_mesh_file(
    path: str, home: str | None = None, *, to_weld: bool = False
) -> tuple[str, list[str]]:
    """Import the file into the open scene, once it has been checked against itself.

    Return its format, one of `IMPORTERS`, and notes for the person. Raise Refusal if it is none of
    them, if it is damaged, if it reaches for files that are not its own, or if Blender's importer
    gives up on it. A ZIP is for `unpacked` first. `home` is the folder that textures may lie in,
    the file's own by default. `to_weld` says that every mesh goes through `weld` next.
    """
    with with_whole_texts(path) as whole:
        found = _imported(whole, Path(home or Path(path).parent), to_weld=to_weld)
    make_names_readable(printable=bpy.app.background)
    return found


def _imported(path: str, home: Path, *, to_weld: bool) -> tuple[str, list[str]]:
    version = bpy.app.version_string
    format_ = check_mesh_file(path, readable=readable_extensions(), blender=version, home=home)
    read = IMPORTERS[format_]
    # Only in the background: an artist's own preferences are left alone.
    if read is _import_gltf and to_weld and bpy.app.background:
        read = _import_gltf_to_weld
    try:
        notes = read(path, home)
    except RuntimeError as error:  # How an operator's report of kind ERROR arrives in Python.
        what = f"Blender cannot import it: {reason_of(str(error))}"
        raise Refusal("bad_mesh", what, OTHER_FORMAT) from error
    return format_, notes


def reason_of(report: str) -> str:
    """Return an importer's own words: its report's first line, or what its Python raised at last.

    Behind a traceback Blender adds where in its own code it came up.
    """
    lines = [line for one in report.splitlines() if (line := one.strip())]
    if any(line.endswith("Traceback (most recent call last):") for line in lines):
        raised = [line for line in lines if not line.startswith(("Location:", "File ", "Error:"))]
        lines = raised[-1:] or lines
    words = lines[0].removeprefix("Error: ").strip()[:300] if lines else "it gives no reason"
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _import_gltf(path: str, home: Path) -> list[str]:
    arrival = Arrival()
    with with_own_files(path, home) as (safe, _):
        bpy.ops.import_scene.gltf(filepath=safe, import_pack_images=True)
        arrival.check()
    return []


def _import_gltf_to_weld(path: str, home: Path) -> list[str]:
    """Import as `_import_gltf` does, in half the time: what `weld` has not seen is unfinished."""
    with carried_normals():
        return _import_gltf(path, home)


def readable_extensions() -> frozenset[str] | None:
    """Ask Blender's glTF importer which extensions it reads; None if it does not say."""
    # Its own names and not an interface: where they change, the importer's own words must do.
    with contextlib.suppress(ImportError, AttributeError, KeyError, TypeError):
        module = import_module("io_scene_gltf2.io.imp.gltf2_io_gltf")
        importer = module.glTFImporter("", {"import_user_extensions": [], "loglevel": 50})
        known = frozenset(importer.extensions_managed)
        return known - frozenset(name for name in known if not _has_library(name))
    return None


def _has_library(extension: str) -> bool:
    """Say whether a decoder's library is there: the `bpy` module comes without some."""
    named = {DRACO: ("bf_intern_draco_bridge", "Draco")}
    named |= dict.fromkeys(MESHOPT, ("bf_intern_meshopt_bridge", "MeshOptimizer"))
    if extension not in named:
        return True
    places: list[tuple[str, tuple[str, ...]]] = [
        ("library", named[extension])
    ]  # Where it is asked for: 5.2, 4.5, and 4.2.
    if extension == DRACO:
        places += [("draco", ()), ("gltf2_io_draco_compression_extension", ())]
    for module, arguments in places:
        with contextlib.suppress(ImportError, AttributeError, TypeError):
            found = import_module(f"io_scene_gltf2.io.com.{module}").dll_path(*arguments)
            return found is not None and Path(found).is_file()
    return True


def _import_fbx(path: str, home: Path) -> list[str]:
    is_new = has_new_fbx_importer()
    version = version_of(path)
    if not is_new and (version is None or version < OLDEST_FBX):
        kind = "in ASCII" if version is None else f"of version {version / 1000:.1f}"
        blender = bpy.app.version_string
        what = f"The mesh is an FBX file {kind}, which Blender {blender} cannot read."
        raise Refusal("bad_mesh", what, OTHER_FORMAT)
    arrival = Arrival()
    with without_outside_textures(path, home) as (safe, is_staged):
        if is_new:
            bpy.ops.wm.fbx_import(filepath=safe, use_anim=True)
        else:
            bpy.ops.import_scene.fbx(filepath=safe, use_anim=True)
        arrival.check()
        if is_staged:
            arrival.pack(Path(safe).parent)
    return []


def has_new_fbx_importer() -> bool:
    """Say whether this Blender has the importer in C++, as it does since 4.5."""
    try:
        # `bpy.types` knows operators in C only once they were asked for.
        bpy.ops.wm.fbx_import.get_rna_type()
    except KeyError:
        return False
    return True


def _import_obj(path: str, home: Path) -> list[str]:
    arrival = Arrival()
    with without_outside_materials(path, home) as shown:
        bpy.ops.wm.obj_import(filepath=shown.path)
        arrival.check()
        if shown.is_staged:
            arrival.pack(Path(shown.path).parent)
    lost = shown.lost
    return [f"Material files outside of the mesh's folder were not read: {lost}."] if lost else []


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
