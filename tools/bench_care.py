# SPDX-License-Identifier: GPL-3.0-or-later
"""Time edits of a large mesh, and compare the results with it. Runs with `bpy`.

`bench_care.py FILE FOLDER` prepares a mesh file, then reduces its faces and remeshes it with quads,
as the Mesh Tools panel does. It prints one line of JSON: for each edit how much the renders differ,
how long it took, the longest time for which the main thread was blocked, and the mesh card.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import bench_scene
import places
from numpy.typing import NDArray

FACES = {"decimate": 50_000, "quads": 20_000}
SIDE, SAMPLES = 384, 32
SUN = (0.9, 0.1, 0.5)
"""Rotation of the light, in radians."""
NAP = 0.002


def edit_mesh(file: str, folder: str) -> dict[str, Any]:
    """Prepare the file and edit it; return each edit's figures, compared with the original."""
    from image_to_mesh.jobs.disk.signatures import mark_file
    from image_to_mesh.jobs.process.pool import BackgroundBlender
    from image_to_mesh.scene import background_command

    blend = str(Path(folder) / "model.blend")
    request = {"do": "prepare", "mesh": file, "name": "ball", "output": blend,
               "preview": str(Path(folder) / "preview.png"), "render_preview": True}  # fmt: skip
    worker = BackgroundBlender(background_command())
    worker.ask(request, lambda *_: None, lambda: None)
    worker.close()
    mark_file(Path(blend))  # As a job does: edits refuse a model without its user's mark.
    before = render(blend)
    return {task: _one(task, folder, before) for task in FACES}


def _one(task: str, folder: str, before: NDArray[Any]) -> dict[str, Any]:
    from image_to_mesh.jobs.tasks.edit_values import EditRequest
    from image_to_mesh.jobs.tasks.mesh_edits import MeshEdit
    from image_to_mesh.scene import background_command

    order = EditRequest("ball", "ball", Path(folder), task, asked={"faces": FACES[task]})
    care = MeshEdit(order, background_command())
    started = latest = time.perf_counter()
    longest = 0.0
    care.start()
    while not care.view.over:
        time.sleep(NAP)
        longest, latest = max(longest, time.perf_counter() - latest), time.perf_counter()
    if care.view.failure is not None:
        raise SystemExit(care.view.failure.message)
    seconds = time.perf_counter() - started
    after = render(str(Path(folder) / care.view.version))
    seen = (before[..., 3] > 0) | (after[..., 3] > 0)
    off = abs(before - after)[..., :3][seen].mean()
    return {"difference": float(off) * 255.0, "seconds": seconds, "gap": longest,
            "card": dict(care.view.card)}  # fmt: skip


def render(blend: str) -> NDArray[Any]:
    """Render a model with Cycles to a PNG file beside it.

    Return the pixels (SIDE, SIDE, 4), sRGB, from 0 to 1.
    """
    import bpy
    import numpy as np

    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bench_scene.bare_append(blend)
    scene = bpy.context.scene
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", 2.4
    camera.location, camera.rotation_euler = (4.0, -8.0, 1.05), (np.pi / 2, 0.0, 0.46)
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 3.0, SUN
    for obj in (camera, sun):
        scene.collection.objects.link(obj)
    scene.camera, scene.render.engine = camera, "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = SAMPLES, False
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.film_transparent = True
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = str(Path(blend).with_suffix(".png"))
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = np.empty(SIDE * SIDE * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(SIDE, SIDE, 4)


def main() -> None:
    sys.path.insert(0, str(places.link_checkout()))
    print("\n@" + json.dumps(edit_mesh(*sys.argv[1:])), flush=True)


if __name__ == "__main__":
    main()
