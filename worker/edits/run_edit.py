# SPDX-License-Identifier: GPL-3.0-or-later
"""Edit a model, or meshes of the scene: report, cleanup, decimation, remeshing, print check.

Reads one .blend file and writes others; the input file stays unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ..atomic_files import atomic_path
from ..fresh_file import open_empty_file
from ..names import short_name
from ..prepare.cleanup import model_meshes, model_objects
from ..progress import Report
from ..refusal import Message, Refusal
from .clean import clean_model
from .print_check import print_check
from .quads import remesh_quads
from .reduce import decimate, detail_levels, triangle_count
from .report import model_report
from .scene_meshes import open_meshes, write_meshes, write_version

Task = Callable[[bpy.types.Object, dict[str, Any], Report], tuple[bpy.types.Object, list[str]]]
CHANGES: dict[str, Task] = {
    "clean": clean_model,
    "decimate": decimate,
    "levels": detail_levels,
    "quads": remesh_quads,
}
"""Edits that change a model; they return its root and notes for the user."""

UNKNOWN = "The background Blender does not support the edit “{task}”."


def run_edit(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Run `request["task"]` on the model in `request["blend"]`.

    The tasks "card" and "print" only report. The others write `request["output"]`, the model's next
    version, unless there was nothing to change. If `request["objects"]` lists meshes of the scene,
    those are edited instead and written to `request["meshes"]`; an empty `output` then writes no
    version.

    Return a dict with these keys:
    - `card`, `faces`: the report of the result, and its number of faces
    - `notes`: notes for the user
    - `triangles`: their number before and after the edit; after "levels", a number for each level
      below the finest
    - `changed`: whether anything changed
    - `objects`: the names of the result's objects
    - `meshes`: the names of the meshes written for the scene; missing if nothing changed

    Raise Refusal if the task is unknown or impossible.
    """
    report(0.0, "Opening the model")
    open_empty_file()
    name = short_name(request["name"]) or "mesh"
    in_scene = request.get("objects", [])
    if in_scene:
        measured = request["task"] not in CHANGES
        root = open_meshes(request["blend"], in_scene, name, apply=measured)
    else:
        root = open_model(request["blend"])
    task, asked = request["task"], {"name": name, **request.get("asked", {})}
    known = {material.session_uid for material in bpy.data.materials}
    before = _triangles(root)
    notes: list[str] = []
    if task in CHANGES:
        root, notes = CHANGES[task](root, asked, _part(report, 0.05, 0.85))
    elif task not in ("card", "print"):
        raise Refusal("failed", Message(UNKNOWN, task=task), "Restart Blender.")
    # The notes of cleaning list all that it did, so an empty list means no change.
    changed = task in CHANGES and (task != "clean" or bool(notes))
    report(0.88, "Inspecting the mesh")
    shown = [obj for obj in model_meshes(root) if not obj.hide_viewport]
    card = model_report(shown)
    if task == "print":
        card["print"] = print_check(shown, card, asked)
    done = {
        "faces": card["faces"],
        "objects": [obj.name for obj in model_objects(root)],
        "card": card,
        "notes": notes,
        "triangles": [before, *_triangles_after(root, task)],
        "changed": changed,
    }
    if changed:
        report(0.93, "Saving the version")
        done["meshes"] = _save(request, root, known)
    return done


def _save(request: dict[str, Any], root: bpy.types.Object, known: set[int]) -> list[str]:
    """Write the edited model to the files that the request names.

    `known` holds the `session_uid` of each material that the input had. Return the names of the
    meshes written for the scene; empty if a job's model was edited instead.
    """
    if not request.get("objects"):
        # Uncompressed: appending is faster, and the textures are compressed already.
        with atomic_path(request["output"]) as side:
            bpy.data.libraries.write(side, set(model_objects(root)), compress=False)
        return []
    meshes = [obj.data for obj in model_meshes(root)]
    if request["task"] == "levels":
        # The finest one is in the scene already.
        meshes = meshes[1:]
    names = write_meshes(request["meshes"], meshes, known)
    if request["output"]:
        write_version(request["output"], root, request["to_model"])
    return names


def open_model(path: str) -> bpy.types.Object:
    """Append the prepared model to the open, empty file and return its root.

    Raise Refusal if the file is missing or has no faces.
    """
    if not Path(path).is_file():
        raise Refusal(
            "library",
            Message("The model file “{path}” is missing.", path=path),
            "Import the result again.",
        )
    with bpy.data.libraries.load(path, link=False) as (source, target):
        target.objects = source.objects
    # Blender keeps a library data-block even though everything was appended.
    for library in list(bpy.data.libraries):
        bpy.data.libraries.remove(library)
    for obj in target.objects:
        bpy.context.scene.collection.objects.link(obj)
        if obj.asset_data:  # Only the original version is an asset.
            obj.asset_clear()
    bpy.context.view_layer.update()
    root = next((obj for obj in target.objects if obj.parent is None), None)
    if root is None or not model_meshes(root):
        raise Refusal("bad_mesh", "The model has no faces.", "Import the result again.")
    return root


def _triangles(root: bpy.types.Object) -> int:
    shown = (obj for obj in model_meshes(root) if not obj.hide_viewport)
    return sum(triangle_count(obj.data) for obj in shown)


def _triangles_after(root: bpy.types.Object, task: str) -> list[int]:
    if task != "levels":
        return [_triangles(root)]
    return [triangle_count(obj.data) for obj in model_meshes(root)[1:]]


def _part(report: Report, start: float, length: float) -> Report:
    return lambda fraction, phase: report(start + length * fraction, phase)
