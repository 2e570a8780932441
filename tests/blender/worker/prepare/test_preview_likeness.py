# SPDX-License-Identifier: GPL-3.0-or-later
"""The preview matches a render of Blender's own import, for every kind of material."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from blender.appearance import import_with_blender
from blender.own_materials import SURFACES, write_surface
from blender.picture_files import read_picture

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

LEAST = 40
BACKDROP_NOISE = 2.0
"""Maximum difference of the backdrop, of 255: its gradient is rounded at two sizes."""
SIDE = 64
SAMPLES = 32
MAX_DIFFERENCE, MAX_MEAN = 6.5, 1.5
"""Maximum and mean difference of a color, of 255: the noise of 16 samples, mostly in frosted glass.
"""


def render_preview(mesh: Path, folder: Path) -> NDArray[np.float64]:
    """Return the preview that the worker renders for a job."""
    request = {"mesh": str(mesh), "name": "ball", "output": str(folder / "model.blend"),
               "preview": str(folder / "preview.png"), "render_preview": True}  # fmt: skip
    addon_module("worker.prepare.build_model").prepare_model(request, lambda *_: None)
    return picture(folder / "preview.png")


def render_with_cycles(mesh: Path, folder: Path) -> NDArray[np.float64]:
    """Return a Cycles render of Blender's own import, in the same light."""
    import_with_blender(mesh)
    (obj,) = (item for item in bpy.context.scene.objects if item.type == "MESH")
    with addon_module("worker.prepare.preview")._studio(obj) as scene:
        scene.render.engine = "CYCLES"
        addon_module("worker.prepare.preview")._set_up(scene)
        scene.cycles.samples, scene.cycles.seed = SAMPLES, 7
        scene.cycles.texture_limit_render = "OFF"
        scene.render.resolution_x = scene.render.resolution_y = 2 * SIDE
        scene.render.filepath = str(folder / "own.png")
        bpy.ops.render.render(write_still=True)
    own = read_picture(folder / "own.png").astype(np.uint8)
    over = addon_module("worker.prepare.preview").over_backdrop(own)
    over[..., 3] = own[..., 3]  # tells where the model is
    return scale_down(over)


def picture(path: Path) -> NDArray[np.float64]:
    """Return the pixels (SIDE, SIDE, 4) of a file."""
    return scale_down(read_picture(path))


def scale_down(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """Return a picture at the size (SIDE, SIDE, 4)."""
    step = len(pixels) // SIDE
    return pixels.astype(np.float64).reshape(SIDE, step, SIDE, step, 4).mean((1, 3))


def difference(preview: NDArray[np.float64], render: NDArray[np.float64]) -> float:
    """Return the mean difference of a color where either picture shows more than the backdrop."""
    apart = np.abs(preview - render)[..., :3]
    shown = (render[..., 3] > 0) | (apart.max(axis=2) > BACKDROP_NOISE)
    return float(apart[shown].mean())


@pytest.mark.once
@pytest.mark.timeout(900)
def test_previews_match_the_import(addon: ModuleType, tmp_path: Path) -> None:
    """Each preview is close to its own material's render, and closer than to any other."""
    assert len(SURFACES) >= LEAST
    previews, cycles = [], []
    for name in SURFACES:
        mesh = write_surface(name, tmp_path)
        previews.append(render_preview(mesh, tmp_path))
        cycles.append(render_with_cycles(mesh, tmp_path))
    distances = np.array(
        [[difference(preview, second) for second in cycles] for preview in previews]
    )
    names = list(SURFACES)
    rows = (
        f"{distances[n, n]:5.2f} {np.sort(distances[n])[1]:6.2f} {names[n]}"
        for n in range(len(names))
    )
    print(*rows, f"mean {np.diag(distances).mean():.2f}", sep="\n")
    unlike = {
        name: round(distances[n, n], 2)
        for n, name in enumerate(names)
        if distances[n, n] > MAX_DIFFERENCE
    }
    assert not unlike, "mean differences above the limit"
    mistaken = {name: names[distances[n].argmin()] for n, name in enumerate(names)}
    assert mistaken == {name: name for name in names}, "nearest render of each preview"
    assert np.diag(distances).mean() < MAX_MEAN
