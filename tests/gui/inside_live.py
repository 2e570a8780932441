# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside of Blender: records previews that are shown, how soon, and what they cost."""

from __future__ import annotations

import importlib
import time
from typing import Any

import bpy

live: dict[str, list[Any]] = {"latency": [], "cpu": [], "depth": [], "faces": [], "numbers": [],
                              "facts": []}  # fmt: skip
_changed_at: list[float] = []
_still: dict[str, float] = {}
_asked_at: dict[int, float] = {}


def watch_live(package: str) -> None:
    """Wrap what Blender calls for live previews, and what shows a preview."""
    step = importlib.import_module(f"{package}.app.live.live_preview")
    reported = importlib.import_module(f"{package}.state.updates.live_preview")
    heartbeat = importlib.import_module(f"{package}.app.heartbeat")
    shown: Any = importlib.import_module(f"{package}.scene.live_preview.shown_mesh")
    previews = importlib.import_module(f"{package}.jobs.tasks.live_previews").live_previews()
    note_change, run = _timer(step.note_change), _timer(step.STEP.run)
    show, ask = shown.show_preview, previews.ask

    def note(context: Any) -> None:
        _changed_at.append(time.monotonic())
        note_change(context)

    def request(asked: Any) -> None:
        if _changed_at:  # not the one that only starts the process
            _asked_at[asked.number] = _changed_at[0]
            _changed_at.clear()
        ask(asked)

    def show_it(obj: Any, arrays: Any) -> None:
        show(obj, arrays)
        live["latency"].append(time.monotonic() - _asked_at[arrays.number])
        live["depth"].append(live_depth(obj))
        live["faces"].append(arrays.faces)
        live["numbers"].append(arrays.number)
        live["facts"].append(result_facts())

    reported.listen(note, step.note_drawn)
    heartbeat.add(step.STEP._replace(run=run))
    previews.ask, shown.show_preview = request, show_it


def wait_while_dragged(package: str, *, dragged: bool) -> None:
    """Start no update while dragged: on a busy machine, the test's hand rests between two moves."""
    session: Any = importlib.import_module(f"{package}.app.live.session")
    _still.setdefault("seconds", session.STILL)
    session.STILL = 600.0 if dragged else _still["seconds"]


def is_warm(package: str) -> bool:
    """Return whether the process has found the subject, which takes it seconds, once."""
    tasks: Any = importlib.import_module(f"{package}.jobs.tasks.live_previews")
    return tasks.live_previews()._answer is not None


def has_caught_up() -> bool:
    """Return whether the newest change is shown."""
    return not _changed_at and bool(live["numbers"]) and live["numbers"][-1] == max(_asked_at)


def live_depth(obj: Any) -> float:
    """Return the extent of an object's mesh along Y."""
    ys = [0.0] * 3 * len(obj.data.vertices)
    obj.data.vertices.foreach_get("co", ys)
    return max(ys[1::3]) - min(ys[1::3])


def result_facts() -> dict[str, Any]:
    """Return what the active object shows, and what meshes the file holds."""
    obj = bpy.context.view_layer.objects.active
    return {
        "name": obj.name,
        "job": obj["image_to_mesh_job"],
        "depth": live_depth(obj),
        "faces": len(obj.data.polygons),
        "preview": "image_to_mesh_live" in obj.data,
        "previews": sum("image_to_mesh_live" in mesh for mesh in bpy.data.meshes),
        "unused": sorted(mesh.name for mesh in bpy.data.meshes if not mesh.users),
        "objects": len(bpy.data.objects),
        "materials": [slot.material.name for slot in obj.material_slots],
        "thickness": bpy.context.scene.image_to_mesh.local.thickness,
    }


def _timer(function: Any) -> Any:
    def call(*arguments: Any) -> Any:
        started = time.thread_time()
        try:
            return function(*arguments)
        finally:
            live["cpu"].append(time.thread_time() - started)

    return call
