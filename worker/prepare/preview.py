# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the model's preview: its own materials, in a studio with soft light from the upper left.

Cycles on the processor: Workbench and EEVEE need a GPU, which a background Blender may not have.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ..images.read_image import read_photo
from .evaluated_objects import shown_positions

SIZE = 256
SAMPLES = 16
TEXTURE_SIDE = "1024"
MARGIN = 0.06
# Where the camera is, seen from the model: to the right, in front (-Y), above.
VIEW = Vector((0.45, -1.0, 0.3)).normalized()
KEY_LIGHT = Vector((-0.55, -0.6, 0.8)).normalized()
KEY_STRENGTH, KEY_ANGLE = 1.7, 0.9
# What the surroundings are like from below to above: metal mirrors them, and a black thing shows
# its shape by them.
STUDIO = ((0.0, 0.12), (0.45, 0.22), (0.55, 0.55), (1.0, 0.85))
STUDIO_STRENGTH = 0.85
ROOM = 0.01, 100.0
"""Sizes in meters within which Cycles' rays are exact enough, and volumes keep their density."""


def render_preview(root: bpy.types.Object) -> NDArray[np.uint8] | None:
    """Return a picture of the model: (SIZE, SIZE, 4), sRGB, straight alpha, top row first.

    None if this Blender cannot render: the model is whole without.
    """
    with _studio(root) as scene, tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "preview.png")
        try:
            scene.render.engine = "CYCLES"
            _set_up(scene)
            bpy.ops.render.render(write_still=True)
            pixels = read_photo(scene.render.filepath, 1, SIZE)
        except (RuntimeError, TypeError):  # Out of memory; built without Cycles.
            return None
    return np.rint(pixels * np.float32(255.0)).astype(np.uint8)


def set_asset_preview(root: bpy.types.Object, picture: NDArray[np.uint8]) -> None:
    """Make the picture what the asset browser shows for the root."""
    preview = root.preview_ensure()
    preview.image_size = picture.shape[1], picture.shape[0]
    bottom_up = picture[::-1].astype(np.float32) / np.float32(255.0)
    preview.image_pixels_float.foreach_set(bottom_up.ravel())


def _set_up(scene: bpy.types.Scene) -> None:
    cycles, render = scene.cycles, scene.render
    cycles.device, cycles.samples, cycles.seed = "CPU", SAMPLES, 0
    cycles.use_denoising = cycles.use_adaptive_sampling = False
    cycles.max_bounces, cycles.transparent_max_bounces = 6, 16
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.texture_limit_render, render.use_simplify = TEXTURE_SIDE, True
    render.resolution_x = render.resolution_y = SIZE
    render.resolution_percentage = 100
    render.film_transparent = True
    render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA"
    render.image_settings.color_depth = "8"
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0.0, 1.0


@contextmanager
def _studio(root: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    """Put camera, light and surroundings around the model; afterwards all is as it was."""
    scene, before = bpy.context.scene, bpy.context.scene.world
    corners = _corners(root)
    extent = float(np.linalg.norm(corners.max(axis=0) - corners.min(axis=0)))
    scale = 1.0 / extent if extent and not ROOM[0] <= extent <= ROOM[1] else 1.0
    place = root.matrix_world.copy()
    root.matrix_world = Matrix.Scale(scale, 4) @ place
    camera = _camera(corners * scale)
    light = bpy.data.lights.new("preview", "SUN")
    light.energy, light.angle = KEY_STRENGTH, KEY_ANGLE
    sun = bpy.data.objects.new("preview", light)
    sun.rotation_euler = KEY_LIGHT.to_track_quat("Z", "Y").to_euler()
    world = _surroundings()
    scene.world, scene.camera = world, camera
    for obj in (camera, sun):
        scene.collection.objects.link(obj)
    try:
        yield scene
    finally:
        root.matrix_world, scene.world = place, before
        bpy.data.batch_remove([camera, camera.data, sun, light, world])


def _corners(root: bpy.types.Object) -> NDArray[np.float32]:
    """Return the points (n, 3) in the world of all that is shown."""
    bpy.context.view_layer.update()
    parts = []
    for obj in (root, *root.children_recursive):
        if obj.type == "MESH" and not obj.hide_viewport:
            world = np.array(obj.matrix_world, np.float32)
            parts.append(shown_positions(obj) @ world[:3, :3].T + world[:3, 3])
    return np.concatenate(parts)


def _camera(corners: NDArray[np.float32]) -> bpy.types.Object:
    """Add a camera without perspective that the points fill."""
    turn = VIEW.to_track_quat("Z", "Y")
    seen = corners @ np.array(turn.to_matrix(), np.float32)
    low, high = seen.min(axis=0), seen.max(axis=0)
    extent = max(*(high - low)[:2], 1e-12)
    depth = max(float(high[2] - low[2]), extent)
    middle = (low + high) / 2.0
    camera = bpy.data.objects.new("preview", bpy.data.cameras.new("preview"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", extent / (1.0 - 2.0 * MARGIN)
    camera.data.clip_start, camera.data.clip_end = depth * 0.01, depth * 10.0
    camera.rotation_euler = turn.to_euler()
    camera.location = turn @ Vector((*middle[:2], high[2] + depth))
    return camera


def _surroundings() -> bpy.types.World:
    world = bpy.data.worlds.new("preview")
    if bpy.app.version < (5, 0, 0):
        world.use_nodes = True  # Always on, and deprecated, since 5.0.
    world.cycles.sampling_method = "NONE"  # Nothing in it is bright enough to be looked for.
    nodes, links = world.node_tree.nodes, world.node_tree.links
    background = next(node for node in nodes if node.type == "BACKGROUND")
    background.inputs["Strength"].default_value = STUDIO_STRENGTH
    place = nodes.new("ShaderNodeNewGeometry")
    axes = nodes.new("ShaderNodeSeparateXYZ")
    height = nodes.new("ShaderNodeMapRange")
    height.inputs["From Min"].default_value = -1.0
    ramp = nodes.new("ShaderNodeValToRGB")
    elements = ramp.color_ramp.elements
    for number, (at, gray) in enumerate(STUDIO):
        element = elements[number] if number < 2 else elements.new(at)
        element.position, element.color = at, (gray, gray, gray, 1.0)
    links.new(place.outputs["Position"], axes.inputs["Vector"])
    links.new(axes.outputs["Z"], height.inputs["Value"])
    links.new(height.outputs["Result"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], background.inputs["Color"])
    return world
