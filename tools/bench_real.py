# SPDX-License-Identifier: GPL-3.0-or-later
"""Time how long importing meshes of public packages blocks Blender. Runs with `bpy`.

Prepares each sample, appends it ROUNDS times, and keeps its best time. Prints one line of JSON: the
number of imported files, and the longest of these times, in CPU seconds of this thread, with its
file.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import places

import samples

ROUNDS = 3


def come_in(mesh: Path, folder: Path, worker: Any) -> float | None:
    """Prepare a mesh, and return the CPU seconds for which importing it blocks Blender.

    This is the best of ROUNDS imports. Return None if the file is refused.
    """
    from image_to_mesh.providers import BadMesh

    blend = folder / "model.blend"
    blend.unlink(missing_ok=True)
    request = {"do": "prepare", "mesh": str(mesh), "name": mesh.stem, "output": str(blend)}
    try:
        worker.ask(request, lambda *_: None, lambda: None)
    except BadMesh:
        return None
    return min(append(str(blend), mesh.stem) for _ in range(ROUNDS))


def append(blend: str, name: str) -> float:
    """Append the model to Blender's startup file; return the CPU seconds that this took."""
    import bpy

    from image_to_mesh.scene.link_to_scene import append_model

    bpy.ops.wm.read_homefile(use_factory_startup=True)
    started = time.thread_time()
    append_model(bpy.context, blend, name=name, properties={"image_to_mesh_job": "a"})
    return time.thread_time() - started


def main() -> None:
    sys.path.insert(0, str(places.link_checkout()))
    from image_to_mesh.jobs.process.pool import BackgroundBlender
    from image_to_mesh.scene import background_command

    worker = BackgroundBlender(background_command())
    found: list[tuple[float, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        for _, mesh in samples.wanted_files():
            took = come_in(mesh, Path(folder), worker)
            if took is not None:
                found.append((took, mesh.name))
    worker.close()
    print("\n@" + json.dumps({"count": len(found), "longest": max(found)}), flush=True)


if __name__ == "__main__":
    main()
