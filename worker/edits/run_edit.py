# SPDX-License-Identifier: GPL-3.0-or-later
"""Care for a prepared model: looked through, cleaned, made lighter, remeshed, checked for print.

Reads one `.blend` of a job and writes another one; what it read stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ..atomic_files import whole
from ..fresh_file import empty_file
from ..names import clear_name
from ..prepare.cleanup import model_meshes, model_objects
from ..refusal import Message, Refusal
from .clean import clean
from .print_check import print_check
from .quads import quads
from .reduce import decimate, detail_levels
from .report import health_card

Watch = Callable[[float, str], None]
Task = Callable[[bpy.types.Object, dict[str, Any], Watch], tuple[bpy.types.Object, list[str]]]
CHANGES: dict[str, Task] = {
    "clean": clean,
    "decimate": decimate,
    "levels": detail_levels,
    "quads": quads,
}
"""What makes a new version of a model; each returns its root and notes for the person."""

UNKNOWN = "The background Blender knows no care called “{task}”."


def care(request: dict[str, Any], report: Watch) -> dict[str, Any]:
    """Do `request["task"]` to the model of `request["blend"]`.

    "card" and "print" only tell what there is; the others write `request["output"]`. Return the
    health card of what there is then, and notes.
    """
    report(0.0, "Opening the model")
    empty_file()
    name = clear_name(request["name"]) or "mesh"
    root = open_model(request["blend"])
    task, asked = request["task"], {"name": name, **request.get("asked", {})}
    notes: list[str] = []
    if task in CHANGES:
        root, notes = CHANGES[task](root, asked, _part(report, 0.05, 0.85))
        report(0.9, "Saving the version")
        objects = model_objects(root)
        with whole(request["output"]) as side:
            bpy.data.libraries.write(side, set(objects), compress=False)
    elif task not in ("card", "print"):
        raise Refusal("failed", Message(UNKNOWN, task=task), "Restart Blender.")
    report(0.93, "Looking it through")
    shown = [obj for obj in model_meshes(root) if not obj.hide_viewport]
    card = health_card(shown)
    if task == "print":
        card["print"] = print_check(shown, card, asked)
    return {
        "faces": card["faces"],
        "objects": [obj.name for obj in model_objects(root)],
        "card": card,
        "notes": notes,
    }


def open_model(path: str) -> bpy.types.Object:
    """Bring the prepared model into the open, empty file and return its root."""
    if not Path(path).is_file():
        raise Refusal(
            "library", Message("The model {path} is gone.", path=path), "Import the job again."
        )
    with bpy.data.libraries.load(path, link=False) as (there, here):
        here.objects = there.objects
    for library in list(bpy.data.libraries):
        bpy.data.libraries.remove(library)
    for obj in here.objects:
        bpy.context.scene.collection.objects.link(obj)
        if obj.asset_data:  # The library folder has its asset: the original.
            obj.asset_clear()
    bpy.context.view_layer.update()
    root = next((obj for obj in here.objects if obj.parent is None), None)
    if root is None or not model_meshes(root):
        raise Refusal("bad_mesh", "The model holds no faces.", "Import the job again.")
    return root


def _part(report: Watch, start: float, length: float) -> Watch:
    return lambda fraction, phase: report(start + length * fraction, phase)
