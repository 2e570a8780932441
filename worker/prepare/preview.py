# SPDX-License-Identifier: GPL-3.0-or-later
"""Render the model's preview with its own materials, lit softly from the upper left.

Uses Cycles on the CPU: Workbench and EEVEE need a GPU, which the background Blender may not have.
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

from ..images.read_image import read_image
from .evaluated_objects import evaluated_positions

SIZE = 256
SAMPLES = 16
"""Few, without denoising: the image is small, and the light is even."""
TEXTURE_SIDE = "1024"
"""Cycles scales textures down to this, four times the preview's size, which saves memory."""
MARGIN = 0.06
"""Share of the image that stays free on each side."""
# From the model to the camera: to the right, in front (-Y), and above.
VIEW = Vector((0.45, -1.0, 0.3)).normalized()
KEY_LIGHT = Vector((-0.55, -0.6, 0.8)).normalized()
KEY_STRENGTH, KEY_ANGLE = 1.7, 0.9
# Brightness of the surroundings from bottom to top. Metal reflects them, and they give dark models
# a visible shape.
STUDIO = ((0.0, 0.12), (0.45, 0.22), (0.55, 0.55), (1.0, 0.85))
STUDIO_STRENGTH = 0.85
BACKDROP = 168.0, 116.0
"""Gray values at the top and bottom of thumbnails: on a theme's color, a model could be invisible.
"""
ROOM = 0.01, 100.0
"""Model sizes in meters for which Cycles' rays are precise and volumes keep their density."""


def render_preview(root: bpy.types.Object) -> NDArray[np.uint8] | None:
    """Return a rendered image of the model, as (SIZE, SIZE, 4) uint8.

    It is sRGB with straight alpha, top row first.

    Return None if this Blender cannot render; the model is complete without a preview.
    """
    with _studio(root) as scene, tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "preview.png")
        try:
            scene.render.engine = "CYCLES"
            _set_up(scene)
            bpy.ops.render.render(write_still=True)
            pixels = read_image(scene.render.filepath, 1, SIZE)
        except (RuntimeError, TypeError):  # Out of memory, or a build without Cycles.
            return None
    return np.rint(pixels * np.float32(255.0)).astype(np.uint8)


def over_backdrop(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a uint8 image (height, width, 4) over a gray backdrop.

    Both black and white models are visible on the gray.
    """
    height = picture.shape[0]
    gray = np.linspace(*BACKDROP, height, dtype=np.float32)[:, None, None]
    alpha = picture[..., 3:].astype(np.float32) / np.float32(255.0)
    over = picture.astype(np.float32) * alpha + gray * (np.float32(1.0) - alpha)
    over[..., 3] = 255.0
    return np.rint(over).astype(np.uint8)


def set_asset_preview(root: bpy.types.Object, picture: NDArray[np.uint8]) -> None:
    """Set the root's asset preview to a uint8 image (height, width, 4), top row first."""
    preview = root.preview_ensure()
    preview.image_size = picture.shape[1], picture.shape[0]
    bottom_up = picture[::-1].astype(np.float32) / np.float32(255.0)
    preview.image_pixels_float.foreach_set(bottom_up.ravel())


def _set_up(scene: bpy.types.Scene) -> None:
    cycles, render = scene.cycles, scene.render
    cycles.device, cycles.samples, cycles.seed = "CPU", SAMPLES, 0
    cycles.use_denoising = cycles.use_adaptive_sampling = False
    # Foliage stacks many transparent faces; other light paths contribute little at this size.
    cycles.max_bounces, cycles.transparent_max_bounces = 6, 16
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.texture_limit_render, render.use_simplify = TEXTURE_SIDE, True
    render.resolution_x = render.resolution_y = SIZE
    render.resolution_percentage = 100
    render.film_transparent = True
    render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA"
    render.image_settings.color_depth = "8"
    # Blender's default view transform would mute the colors.
    scene.view_settings.view_transform, scene.view_settings.look = "Standard", "None"
    scene.view_settings.exposure, scene.view_settings.gamma = 0.0, 1.0


@contextmanager
def _studio(root: bpy.types.Object) -> Iterator[bpy.types.Scene]:
    """Yield the scene with a camera, a light, and surroundings, which are removed afterwards.

    A tiny or huge model is scaled while the block runs.
    """
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
    """Return the world positions (n, 3) of all vertices of visible meshes."""
    bpy.context.view_layer.update()
    positions = []
    for obj in (root, *root.children_recursive):
        if obj.type == "MESH" and not obj.hide_viewport:
            world = np.array(obj.matrix_world, np.float32)
            positions.append(evaluated_positions(obj) @ world[:3, :3].T + world[:3, 3])
    return np.concatenate(positions)


def _camera(corners: NDArray[np.float32]) -> bpy.types.Object:
    """Return a new orthographic camera that frames the positions (n, 3)."""
    rotation = VIEW.to_track_quat("Z", "Y")
    projected = corners @ np.array(rotation.to_matrix(), np.float32)
    low, high = projected.min(axis=0), projected.max(axis=0)
    extent = max(*(high - low)[:2], 1e-12)
    depth = max(float(high[2] - low[2]), extent)
    middle = (low + high) / 2.0
    camera = bpy.data.objects.new("preview", bpy.data.cameras.new("preview"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", extent / (1.0 - 2.0 * MARGIN)
    camera.data.clip_start, camera.data.clip_end = depth * 0.01, depth * 10.0
    camera.rotation_euler = rotation.to_euler()
    camera.location = rotation @ Vector((*middle[:2], high[2] + depth))
    return camera


def _surroundings() -> bpy.types.World:
    world = bpy.data.worlds.new("preview")
    if bpy.app.version < (5, 0, 0):
        world.use_nodes = True  # Always on, and deprecated, since 5.0.
    world.cycles.sampling_method = "NONE"  # Even light: nothing to sample.
    nodes, links = world.node_tree.nodes, world.node_tree.links
    background_node = next(node for node in nodes if node.type == "BACKGROUND")
    background_node.inputs["Strength"].default_value = STUDIO_STRENGTH
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
    links.new(ramp.outputs["Color"], background_node.inputs["Color"])
    return world
