# SPDX-License-Identifier: GPL-3.0-or-later
"""Render four shapes with known depth, in plain and in busy surroundings. Runs with `bpy`.

`known_shapes.py FOLDER [SHAPE…]` writes two images of each shape (`monkey_plain.jpg` and
`monkey_busy.jpg`), its depth (`monkey_depth.png`: 16 bits, 0 outside of the subject), and the facts
of camera and depth to `facts.json`. All random choices are fixed.
"""

from __future__ import annotations

import json
import math
import random
import struct
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

if TYPE_CHECKING:
    from collections.abc import Callable

SIDE = 384
"""Width and height of the images in pixels."""
SAMPLES = 64
LENS = 70.0
SENSOR = 36.0
AWAY = 5.2
"""Distance of the camera from the point that it looks at; the subjects are about two units high."""
FROM = Vector((0.35, -1.0, 0.22)).normalized()
DEPTHS = 65535
Part = tuple[str, tuple[float, ...], tuple[float, ...], tuple[float, ...]]


def material(name: str, color: tuple[float, ...], roughness: float = 0.5) -> Any:
    """Return a new material of one color."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    shader = next(node for node in made.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*color, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    return made


def add_part(part: Part, *, smooth: bool = True) -> Any:
    """Add a primitive (its name, size, location, color) to the scene, and return its object.

    An unknown name makes a cube. Balls and monkeys are shaded smooth unless `smooth` is False; all
    other primitives are shaded flat.
    """
    import bmesh  # comes with bpy, which has to be imported first

    kind, size, location, color = part
    mesh, shape = bpy.data.meshes.new(kind), bmesh.new()
    match kind:
        case "ball":
            bmesh.ops.create_uvsphere(shape, u_segments=64, v_segments=32, radius=1.0)
        case "monkey":
            bmesh.ops.create_monkey(shape)
        case "cone":
            bmesh.ops.create_cone(
                shape, cap_ends=True, segments=64, radius1=1.0, radius2=0.35, depth=2.0
            )
        case "tube":
            bmesh.ops.create_cone(
                shape, cap_ends=True, segments=64, radius1=1.0, radius2=1.0, depth=2.0
            )
        case _:
            bmesh.ops.create_cube(shape, size=2.0)
    shape.to_mesh(mesh)
    shape.free()
    for polygon in mesh.polygons:
        polygon.use_smooth = smooth and kind in ("ball", "monkey")
    mesh.materials.append(material(kind, color))
    added = bpy.data.objects.new(kind, mesh)
    added.scale, added.location = size, location
    bpy.context.scene.collection.objects.link(added)
    return added


def add_monkey() -> list[Any]:
    """Add Blender's monkey head; return its object."""
    head = add_part(("monkey", (0.88, 0.88, 0.88), (-0.06, 0.0, 0.87), (0.72, 0.38, 0.16)))
    head.modifiers.new("Subdivision", "SUBSURF").levels = 2
    head.modifiers["Subdivision"].render_levels = 2
    return [head]


def add_toy() -> list[Any]:
    """Add a figure of balls and cones, with its arms in front of the body; return its objects."""
    skin, coat, dark = (0.85, 0.58, 0.42), (0.12, 0.32, 0.62), (0.1, 0.09, 0.1)
    pieces: list[Part] = [
        ("cone", (0.55, 0.45, 0.5), (0.0, 0.0, 0.62), coat),
        ("ball", (0.48, 0.46, 0.46), (0.0, 0.0, 1.42), skin),
        ("cone", (0.36, 0.36, 0.26), (0.0, 0.0, 1.98), (0.75, 0.12, 0.1)),
        ("ball", (0.09, 0.12, 0.09), (0.0, -0.46, 1.4), skin),
        ("ball", (0.06, 0.06, 0.08), (-0.17, -0.41, 1.52), dark),
        ("ball", (0.06, 0.06, 0.08), (0.17, -0.41, 1.52), dark),
        ("ball", (0.36, 0.13, 0.13), (-0.22, -0.45, 0.78), (0.9, 0.75, 0.2)),
        ("ball", (0.36, 0.13, 0.13), (0.26, -0.45, 0.66), (0.9, 0.75, 0.2)),
        ("ball", (0.24, 0.34, 0.13), (-0.26, -0.12, 0.12), dark),
        ("ball", (0.24, 0.34, 0.13), (0.26, -0.12, 0.12), dark),
    ]
    return [add_part(part) for part in pieces]


def add_jug() -> list[Any]:
    """Add a turned jug with a handle, through which the background is seen; return its objects."""
    profile = [(0.0, 0.0), (0.5, 0.0), (0.72, 0.4), (0.74, 0.8), (0.55, 1.25), (0.34, 1.5),
               (0.36, 1.72), (0.46, 1.86), (0.4, 1.86), (0.3, 1.72), (0.0, 1.6)]  # fmt: skip
    points = [(radius, 0.0, height) for radius, height in profile]
    mesh = bpy.data.meshes.new("jug")
    mesh.from_pydata(points, [(k, k + 1) for k in range(len(points) - 1)], [])
    mesh.materials.append(material("glaze", (0.16, 0.42, 0.38), 0.3))
    jug = bpy.data.objects.new("jug", mesh)
    bpy.context.scene.collection.objects.link(jug)
    screw = jug.modifiers.new("Screw", "SCREW")
    screw.steps = screw.render_steps = 64
    screw.use_merge_vertices = screw.use_smooth_shade = True
    jug.modifiers.new("Subdivision", "SUBSURF").levels = 1
    bpy.ops.mesh.primitive_torus_add(
        location=(0.78, 0.0, 1.1), rotation=(math.pi / 2, 0.0, 0.0), major_radius=0.4,
        minor_radius=0.08, major_segments=64, minor_segments=24,
    )  # fmt: skip
    handle = bpy.context.object
    bpy.ops.object.shade_smooth()
    handle.data.materials.append(mesh.materials[0])
    return [jug, handle]


def add_chair() -> list[Any]:
    """Add a wooden chair of bars, with a seat and a back; return its objects."""
    wood = (0.52, 0.28, 0.12)
    legs = [(x, y) for x in (-0.48, 0.48) for y in (-0.45, 0.45)]
    pieces: list[Part] = [("cube", (0.06, 0.06, 0.45), (x, y, 0.45), wood) for x, y in legs]
    pieces += [("cube", (0.06, 0.06, 0.55), (x, 0.45, 1.45), wood) for x in (-0.48, 0.48)]
    pieces += [("cube", (0.56, 0.54, 0.05), (0.0, 0.0, 0.93), (0.66, 0.4, 0.2))]
    pieces += [("cube", (0.48, 0.04, 0.09), (0.0, 0.45, z), wood) for z in (1.3, 1.6, 1.9)]
    return [add_part(part, smooth=False) for part in pieces]


SHAPES: dict[str, Callable[[], list[Any]]] = {
    "monkey": add_monkey,
    "toy": add_toy,
    "jug": add_jug,
    "chair": add_chair,
}


def add_plain_ground() -> None:
    """Add a light floor, and a wall behind the subject."""
    add_part(("cube", (14.0, 14.0, 0.1), (0.0, 0.0, -0.1), (0.78, 0.77, 0.75)), smooth=False)
    add_part(("cube", (14.0, 0.1, 8.0), (0.0, 6.0, 8.0), (0.78, 0.77, 0.75)), smooth=False)


def add_busy_ground(seed: int) -> None:
    """Add a patterned floor and wall, and many colored objects behind and beside the subject."""
    chance = random.Random(seed)
    floor = add_part(("cube", (14.0, 14.0, 0.1), (0.0, 0.0, -0.1), (0.4, 0.3, 0.2)), smooth=False)
    wall = add_part(("cube", (14.0, 0.1, 8.0), (0.0, 4.5, 8.0), (0.4, 0.3, 0.2)), smooth=False)
    for obj, scale in ((floor, 9.0), (wall, 13.0)):
        _add_pattern(obj.data.materials[0], scale)
    for _ in range(46):
        size = [chance.uniform(0.12, 0.55) for _ in range(3)]
        place = (chance.uniform(-3.6, 3.0), chance.uniform(1.4, 4.0), chance.uniform(0.1, 2.8))
        color = tuple(chance.uniform(0.05, 0.7) for _ in range(3))
        kind = chance.choice(("cube", "ball", "tube", "cone"))
        made = add_part((kind, tuple(size), place, color), smooth=kind == "ball")
        made.rotation_euler = [chance.uniform(0.0, 3.0) for _ in range(3)]


def _add_pattern(target: Any, scale: float) -> None:
    """Color a material with a checkerboard of colored noise and one plain color."""
    nodes, links = target.node_tree.nodes, target.node_tree.links
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    checker, noise = nodes.new("ShaderNodeTexChecker"), nodes.new("ShaderNodeTexNoise")
    place = nodes.new("ShaderNodeTexCoord")
    noise.inputs["Scale"].default_value = scale
    checker.inputs["Scale"].default_value = scale
    checker.inputs["Color2"].default_value = (0.12, 0.16, 0.1, 1.0)
    links.new(place.outputs["Generated"], checker.inputs["Vector"])
    links.new(place.outputs["Generated"], noise.inputs["Vector"])
    links.new(noise.outputs["Color"], checker.inputs["Color1"])
    links.new(checker.outputs["Color"], shader.inputs["Base Color"])


def begin_scene() -> Any:
    """Replace everything in Blender with a new scene that has a camera and lights; return it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    camera = bpy.data.cameras.new("Camera")
    camera.lens, camera.sensor_width = LENS, SENSOR
    scene.camera = bpy.data.objects.new("Camera", camera)
    scene.collection.objects.link(scene.camera)
    aim = Vector((0.0, 0.0, 1.0))
    scene.camera.location = aim + FROM * AWAY
    scene.camera.rotation_euler = (-FROM).to_track_quat("-Z", "Y").to_euler()
    for place, power, size in (((-3.0, -4.0, 5.0), 420.0, 2.0), ((4.0, -3.0, 2.5), 130.0, 3.0)):
        light = bpy.data.lights.new("Light", "AREA")
        light.energy, light.size = power, size
        lamp = bpy.data.objects.new("Light", light)
        lamp.location = place
        lamp.rotation_euler = (aim - Vector(place)).to_track_quat("-Z", "Y").to_euler()
        scene.collection.objects.link(lamp)
    scene.world = bpy.data.worlds.new("World")
    scene.world.color = (0.25, 0.25, 0.25)
    render = scene.render
    render.engine, render.resolution_x, render.resolution_y = "CYCLES", SIDE, SIDE
    render.image_settings.file_format, render.image_settings.quality = "JPEG", 90
    scene.cycles.samples, scene.cycles.seed = SAMPLES, 1
    scene.view_settings.view_transform = "Standard"
    return scene


def measure_depth(scene: Any, subject: list[Any]) -> Any:
    """Return the distance (h, w) to the subject along the camera's axis; inf outside of it."""
    names = {obj.name for obj in subject}
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    camera = scene.camera.matrix_world
    depth = np.full((SIDE, SIDE), np.inf)
    for row in range(SIDE):
        for column in range(SIDE):
            across, up = (column + 0.5) / SIDE - 0.5, 0.5 - (row + 0.5) / SIDE
            ray = Vector((across * SENSOR / LENS, up * SENSOR / LENS, -1.0))
            hit, point, _, _, obj, _ = scene.ray_cast(
                graph, camera.translation, camera.to_3x3() @ ray
            )
            if hit and obj.name in names:
                depth[row, column] = -(camera.inverted() @ point).z
    return depth


def save_depth(depth: Any, path: Path) -> dict[str, float]:
    """Write depth as a gray PNG of 16 bits, in which 0 is outside of the subject.

    Return the depths of the values 1 and 65535 as `near` and `far`.
    """
    inside = np.isfinite(depth)
    near, far = float(depth[inside].min()), float(depth[inside].max())
    steps = np.zeros(depth.shape, np.uint16)
    steps[inside] = 1 + np.rint((depth[inside] - near) / (far - near) * (DEPTHS - 1))
    _write_gray(steps, path)
    return {"near": round(near, 6), "far": round(far, 6)}


def _write_gray(values: Any, path: Path) -> None:
    """Write a gray PNG of 16 bits, each row as its difference from the row above."""
    big = values.astype(">u2").view(np.uint8).reshape(len(values), -1)
    above = np.vstack([np.zeros_like(big[:1]), big[:-1]])
    rows = np.hstack([np.full((len(big), 1), 2, np.uint8), big - above])

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, 0, 0, 0, 0)
    packed = zlib.compress(rows.tobytes(), 9)
    pieces = chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + pieces)


def render(scene: Any, path: Path) -> None:
    """Render the scene to a JPEG file."""
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def make_shape(name: str, folder: Path, seed: int) -> dict[str, float]:
    """Write the images and the depth of one shape; return its near and far depth.

    The seed determines what is in its busy surroundings.
    """
    for ground in ("plain", "busy"):
        scene = begin_scene()
        subject = SHAPES[name]()
        add_plain_ground() if ground == "plain" else add_busy_ground(seed)
        render(scene, folder / f"{name}_{ground}.jpg")
    return save_depth(measure_depth(scene, subject), folder / f"{name}_depth.png")


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    known = folder / "facts.json"
    depths = json.loads(known.read_text("utf-8"))["depth"] if known.is_file() else {}
    for seed, name in enumerate(SHAPES):
        if name in (sys.argv[2:] or SHAPES):
            depths[name] = make_shape(name, folder, seed)
    matrix: Matrix = bpy.context.scene.camera.matrix_world
    facts = {
        "side": SIDE,
        "lens": LENS,
        "sensor": SENSOR,
        "camera": [[round(value, 6) for value in row] for row in matrix],
        "depth": depths,
    }
    known.write_text(json.dumps(facts, indent=2) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
