# SPDX-License-Identifier: GPL-3.0-or-later
"""Time importing a mesh file, with Blender's importer alone and with ours. Runs with `bpy`.

`bench_scene.py bare FILE` and `bench_scene.py ours FILE FOLDER` print one line of JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import places

ROUNDS = 5


def seconds_of(work: Callable[[], Any]) -> float:
    """Run the work; return how many seconds it took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bare(file: str) -> dict[str, float]:
    """Import with Blender's own importer; return how many seconds that blocks Blender (`stall`)."""
    import bpy

    bpy.ops.wm.read_homefile(use_factory_startup=True)
    with contextlib.redirect_stdout(io.StringIO()):
        took = seconds_of(lambda: bpy.ops.import_scene.gltf(filepath=file))
    return {"stall": took}


def bare_append(blend: str) -> None:
    """Append the objects with `libraries.load` and link them: the minimum that any import takes."""
    import bpy

    with bpy.data.libraries.load(blend, link=False) as (there, here):
        here.objects = there.objects
    for obj in here.objects:
        bpy.context.collection.objects.link(obj)


def ours(file: str, folder: str) -> dict[str, float]:
    """Prepare in the background Blender, cold and warm, then append here; return the figures.

    `stall` and `worst` are the longest ticks of the best and of the worst round. `felt` is `stall`
    with the undo step. `floor` is a bare append. `cold` and `warm` are the times from the mesh file
    to the object. All of these are in seconds. `ticks` is the number of ticks.
    """
    import bpy

    from image_to_mesh.app.watcher import TICK
    from image_to_mesh.jobs.library.file_names import CHUNKS_FOLDER
    from image_to_mesh.jobs.process.pool import BackgroundBlender
    from image_to_mesh.jobs.steps.prepare import LEAST
    from image_to_mesh.scene import background_command

    blend = str(Path(folder) / "model.blend")
    request: dict[str, Any] = {
        "do": "prepare",
        "mesh": file,
        "name": "ball",
        "output": blend,
        "parts": {"folder": str(Path(folder) / CHUNKS_FOLDER), "least": LEAST},
        "preview": str(Path(folder) / "preview.png"),
        "render_preview": True,
    }
    cold = until_there(BackgroundBlender(background_command()), request)
    started = BackgroundBlender(background_command())
    # Waits until the worker is ready, as it is in practice: it starts while the service works.
    started.version(_never_cancel)
    warm = until_there(started, request)

    stalls, felt, floors, ticks = [], [], [], []
    for _ in range(ROUNDS):  # Alternating, so that a busy machine slows down both.
        bpy.ops.wm.read_homefile(use_factory_startup=True)
        floors.append(seconds_of(lambda: bare_append(blend)))
        bpy.ops.wm.read_homefile(use_factory_startup=True)
        ticks = come_in(blend)
        stalls.append(max(ticks))
        felt.append(max(*ticks, ticks[-1] + seconds_of(keep)))
    waited = sum(ticks) + TICK * (len(ticks) - 1)
    return {
        "stall": min(stalls),
        "worst": max(stalls),
        "ticks": len(ticks),
        "felt": min(felt),
        "floor": min(floors),
        "cold": cold + waited,
        "warm": warm + waited,
    }


def come_in(blend: str) -> list[float]:
    """Import the model in chunks, as the watcher does; return how many seconds each tick took."""
    import bpy

    from image_to_mesh.scene import chunked_append
    from image_to_mesh.scene.link_to_scene import append_model

    ticks, whole = [], False
    while not whole:
        started = time.perf_counter()
        whole = chunked_append.advance(blend)
        if whole:
            append_model(
                bpy.context,
                blend,
                location=(1, 2, 3),
                name="ball",
                properties={"image_to_mesh_job": "b"},
            )
        ticks.append(time.perf_counter() - started)
    return ticks


def keep() -> None:
    """Do the rest of Blender's work in the tick that imports the model, except for drawing."""
    import bpy

    bpy.context.view_layer.update()
    bpy.ops.ed.undo_push(message="Import")


def until_there(blender: Any, request: dict[str, Any]) -> float:
    """Prepare the model and close the worker; return the seconds until it could be appended.

    It can be appended once the worker starts to render the preview.
    """
    from image_to_mesh.jobs.steps.prepare import DRAWING

    started, there = time.perf_counter(), []

    def report(phase: str, _fraction: float | None) -> None:
        if phase == DRAWING:
            there.append(time.perf_counter() - started)

    blender.ask(request, report, _never_cancel)
    blender.close()
    return there[0]


def _never_cancel() -> None:
    """Do nothing: the wait is never canceled."""


def main() -> None:
    sys.path.insert(0, str(places.link_checkout()))
    command, *arguments = sys.argv[1:]
    found = bare(*arguments) if command == "bare" else ours(*arguments)
    print("\n@" + json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
