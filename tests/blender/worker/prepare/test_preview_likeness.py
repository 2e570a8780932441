# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview is a picture of what Blender's own import shows, for every kind of surface."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.looks import import_plainly
from blender.own_materials import SURFACES, write_surface
from blender.picture_files import read_picture

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

LEAST = 40
SIDE = 64
SAMPLES = 32
LIKE, MEAN = 5.0, 1.5
"""By how much a channel may differ, of 255: the noise of 16 samples, of frosted glass the most."""


def room(name: str) -> Any:
    return import_module(f"bl_ext.user_default.image_to_mesh.worker.{name}")


def previewed(mesh: Path, folder: Path) -> NDArray[np.float64]:
    """Return the preview that a job gets."""
    request = {"mesh": str(mesh), "name": "ball", "output": str(folder / "model.blend"),
               "preview": str(folder / "preview.png"), "render_preview": True}  # fmt: skip
    room("prepare.build_model").prepare_model(request, lambda *_: None)
    return picture(folder / "preview.png")


def rendered(mesh: Path, folder: Path) -> NDArray[np.float64]:
    """Return what Cycles makes of Blender's own import, in the same light."""
    import_plainly(mesh)
    (thing,) = (obj for obj in bpy.context.scene.objects if obj.type == "MESH")
    with room("prepare.preview")._studio(thing) as scene:
        scene.render.engine = "CYCLES"
        room("prepare.preview")._set_up(scene)
        scene.cycles.samples, scene.cycles.seed = SAMPLES, 7
        scene.cycles.texture_limit_render = "OFF"
        scene.render.resolution_x = scene.render.resolution_y = 2 * SIDE
        scene.render.filepath = str(folder / "own.png")
        bpy.ops.render.render(write_still=True)
    return picture(folder / "own.png")


def picture(path: Path) -> NDArray[np.float64]:
    """Return (SIDE, SIDE, 4), multiplied by alpha: what nobody sees is no difference."""
    pixels = read_picture(path).astype(np.float64)
    pixels[..., :3] *= pixels[..., 3:] / 255
    step = len(pixels) // SIDE
    return pixels.reshape(SIDE, step, SIDE, step, 4).mean((1, 3))


def difference(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the mean difference of a channel where either picture shows something."""
    shown = (one[..., 3] > 0) | (other[..., 3] > 0)
    return float(np.abs(one - other)[shown].mean())


@pytest.mark.once
@pytest.mark.timeout(900)
def test_previews_look_like_the_import(addon: ModuleType, tmp_path: Path) -> None:
    """Each is like its own, and nearer to it than to any other surface."""
    assert len(SURFACES) >= LEAST
    ours, own = [], []
    for name in SURFACES:
        mesh = write_surface(name, tmp_path)
        ours.append(previewed(mesh, tmp_path))
        own.append(rendered(mesh, tmp_path))
    apart = np.array([[difference(our, other) for other in own] for our in ours])
    names = list(SURFACES)
    rows = (f"{apart[n, n]:5.2f} {np.sort(apart[n])[1]:6.2f} {names[n]}" for n in range(len(names)))
    print(*rows, f"mean {np.diag(apart).mean():.2f}", sep="\n")
    unlike = {name: round(apart[n, n], 2) for n, name in enumerate(names) if apart[n, n] > LIKE}
    assert not unlike
    mistaken = {name: names[apart[n].argmin()] for n, name in enumerate(names)}
    assert mistaken == {name: name for name in names}
    assert np.diag(apart).mean() < MEAN
