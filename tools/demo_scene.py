# SPDX-License-Identifier: GPL-3.0-or-later
"""Put a prepared model on a plain floor, save the scene, and render it. Runs with `bpy`.

`demo_scene.py MODEL SCENE PICTURE`: the .blend to read, the .blend and the PNG to write.
"""

from __future__ import annotations

import math
import os
import sys
from typing import Any

import bpy
from mathutils import Vector

_SIDE = 700
_SAMPLES = 8
_LENS = 70.0
# From the right of the front and slightly above: both the image and the depth can be seen.
_FROM = Vector((0.5, -1.0, 0.35)).normalized()


def _bring_in(model: str) -> list[Any]:
    with bpy.data.libraries.load(model, link=False) as (there, here):
        here.objects = list(there.objects)
    for obj in here.objects:
        bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.update()
    return list(here.objects)


def _corners(objects: list[Any]) -> list[Vector]:
    meshes = [obj for obj in objects if obj.type == "MESH"]
    return [obj.matrix_world @ Vector(corner) for obj in meshes for corner in obj.bound_box]


def _add(name: str, data: Any, place: Vector, target: Vector) -> Any:
    added = bpy.data.objects.new(name, data)
    added.location = place
    added.rotation_euler = (target - place).to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(added)
    return added


def _stage(corners: list[Vector]) -> None:
    """Add camera, lights, and floor in proportion to the model, so that any size looks the same."""
    center = sum(corners, Vector()) / len(corners)
    radius = max((corner - center).length for corner in corners)
    camera = bpy.data.cameras.new("Camera")
    camera.lens = _LENS
    away = 0.85 * radius / math.sin(camera.angle / 2)
    bpy.context.scene.camera = _add("Camera", camera, center + _FROM * away, center)
    lights = (("Key", (-0.6, -1.0, 1.2), 20.0), ("Fill", (1.2, -0.6, 0.5), 7.0))
    for name, direction, power in lights:
        light = bpy.data.lights.new(name, "AREA")
        light.size = 2.5 * radius
        light.energy = power * (2 * radius) ** 2
        _add(name, light, center + Vector(direction).normalized() * 3 * radius, center)
    floor = bpy.data.meshes.new("Floor")
    low, far = min(corner.z for corner in corners), 40 * radius
    edges = [(-far, -far, low), (far, -far, low), (far, far, low), (-far, far, low)]
    floor.from_pydata(edges, [], [(0, 1, 2, 3)])
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Floor", floor))


def _set_up_render(picture: str) -> None:
    scene = bpy.context.scene
    world = bpy.data.worlds.new("World")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.8, 0.8, 0.8, 1.0)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.55
    scene.world = world
    scene.render.engine = "CYCLES"
    scene.cycles.samples = _SAMPLES
    # Few samples and fast settings: seconds on a small machine, and denoising keeps it smooth.
    scene.cycles.max_bounces = 2
    scene.cycles.use_light_tree = False
    scene.cycles.use_denoising = True
    scene.cycles.denoising_quality = "FAST"
    scene.cycles.denoising_prefilter = "NONE"
    scene.render.resolution_x = scene.render.resolution_y = _SIDE
    scene.render.filepath = picture
    # Blender's default view transform would mute the image's colors.
    scene.view_settings.view_transform = "Standard"


def main() -> None:
    model, saved, picture = sys.argv[-3:]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    _stage(_corners(_bring_in(model)))
    _set_up_render(picture)
    bpy.ops.file.pack_all()
    bpy.ops.wm.save_as_mainfile(filepath=saved, compress=True, check_existing=False)
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main()
    # The bpy module sometimes hangs at exit, waiting for one of its own threads.
    os._exit(0)
