# SPDX-License-Identifier: GPL-3.0-or-later
"""A finished job's mesh as Blender's data: appended, or made ready first where that was not done.

A job that ran where there was no Blender has its mesh file only. The background Blender prepares
it now; where none can start, the file is imported in the artist's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from .. import jobs, preferences
from ..providers import LibraryProblem, NoBlender, TimedOut

_libraries: dict[str, Path] = {}
"""Where this process's jobs are, should the preference change while they run."""

BLEND = "model.blend"
LIMIT = 120.0
"""How many seconds a mesh may take to be made ready while the artist's Blender waits for it."""

IN_PLACE = "Imported without the background Blender, which could not start."


def remember(job: str, root: Path) -> None:
    """Note in which library a job was started."""
    _libraries[job] = root


def library_of(context: bpy.types.Context, job: str) -> jobs.Library:
    """Return the library that holds a job."""
    return jobs.Library(_libraries.get(job) or preferences.library(context))


def unregister() -> None:
    """Forget the jobs of this process, as the session does."""
    _libraries.clear()


def bring_in(
    context: bpy.types.Context, record: jobs.Record, location: Sequence[float]
) -> tuple[jobs.Record, tuple[str, ...]]:
    """Put a job's mesh into the scene; return its record as it is now, and notes for the person.

    Raises ImageToMeshError, or OSError for a file that cannot be read.
    """
    from ..scene.placing import append_model

    library = library_of(context, record.id)
    folder = library.folder(record.id)
    what: dict[str, Any] = {
        "location": location,
        "name": record.name,
        "properties": {"image_to_mesh_job": record.id, "image_to_mesh_provider": record.provider},
    }
    try:
        if not (folder / BLEND).is_file():
            record = _prepare(library, record)
    except NoBlender:
        from ..scene.in_place import import_in_place

        _, notes = import_in_place(context, str(_mesh(folder, record)), **what)
        return record, (IN_PLACE, *notes)
    _forget_library(append_model(context, str(folder / BLEND), **what))
    return record, ()


def _forget_library(names: list[str]) -> None:
    """Let packed textures be files beside the artist's own, should they ever be unpacked.

    Appending gives them the prepared file's folder, into which Blender would write them.
    """
    slots = (slot for name in names for slot in bpy.data.objects[name].material_slots)
    trees = {slot.material.node_tree for slot in slots if slot.material}
    for image in (node.image for tree in trees if tree for node in _image_nodes(tree)):
        if image.packed_file and image.library is None:
            image.filepath_raw = f"//{bpy.path.basename(image.filepath_raw)}"
            for packed in image.packed_files:
                packed.filepath = image.filepath_raw


def _image_nodes(tree: bpy.types.NodeTree) -> list[bpy.types.ShaderNodeTexImage]:
    return [node for node in tree.nodes if node.type == "TEX_IMAGE" and node.image]


def _prepare(library: jobs.Library, record: jobs.Record) -> jobs.Record:
    """Make `model.blend` in the background Blender and wait for it: a second or two, once.

    Return the record as it is saved then.
    """
    from ..scene import background_command

    folder = library.folder(record.id)
    mesh, preview = _mesh(folder, record), folder / "preview.png"
    request = {
        "do": "prepare",
        "mesh": str(mesh),
        "name": record.name,
        "output": str(folder / BLEND),
        "preview": str(preview),
        "render_preview": not preview.is_file(),
    }
    blender = jobs.BackgroundBlender(background_command(), at_once=True)
    done = blender.ask(request, _ignore, _until(time.monotonic() + LIMIT, mesh))
    before = library.load(record.id)
    record = replace(
        before,
        state=jobs.State.READY,
        failure=None,
        blend=BLEND,
        preview=preview.name if preview.is_file() else None,
        faces=done.get("faces", before.faces),
        notes=tuple(dict.fromkeys((*before.notes, *done.get("notes", ())))),
    )
    library.save(record)
    return record


def _mesh(folder: Path, record: jobs.Record) -> Path:
    mesh = folder / (record.mesh or "")
    if record.mesh is None or not mesh.is_file():
        raise LibraryProblem(f"The mesh of “{record.name}” is gone from {folder}.")
    return mesh


def _ignore(phase: str, fraction: float | None) -> None:
    """Nobody watches the progress of so short a wait."""


def _until(end: float, mesh: Path) -> Callable[[], None]:
    """Return what ends the wait, since nobody can stop it: Blender stands still meanwhile."""

    def check() -> None:
        if time.monotonic() > end:
            raise TimedOut(
                f"The mesh could not be made ready for Blender within {LIMIT:.0f} seconds.",
                f"Its file is {mesh}.",
            )

    return check
