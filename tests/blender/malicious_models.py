# SPDX-License-Identifier: GPL-3.0-or-later
"""A .blend file that does what is forbidden: runs scripts, adds a world, links to other hosts."""

from __future__ import annotations

from pathlib import Path

import bpy

UNC = "//attacker.invalid/share/picture.png"


def write_malicious(path: Path, trap: Path) -> None:
    """Write a model whose drivers and scripts write the file `trap` if anything evaluates them."""
    expression = f"__import__('pathlib').Path({str(trap)!r}).write_text('sprung') or 0.0"
    mesh = bpy.data.meshes.new("evil")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    obj = bpy.data.objects.new("evil", mesh)
    blocks: set[bpy.types.ID] = {obj, mesh}
    for owner, name in ((obj, "location"), (mesh, '["depth"]')):
        if name != "location":
            owner["depth"] = 0.0
        driver = owner.driver_add(name, 0) if name == "location" else owner.driver_add(name)
        driver.driver.expression = expression
    text = bpy.data.texts.new("startup.py")
    text.write(f"import pathlib; pathlib.Path({str(trap)!r}).write_text('text')")
    text.use_module = True
    obj["script"] = text
    cache = obj.modifiers.new("cache", "MESH_CACHE")
    cache.filepath = UNC
    image = bpy.data.images.new("evil", 8, 8)
    image.source, image.filepath_raw = "FILE", UNC
    material = bpy.data.materials.new("evil")
    if material.node_tree is None:  # before 5.0
        material.use_nodes = True
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    script = material.node_tree.nodes.new("ShaderNodeScript")
    script.mode, script.filepath = "EXTERNAL", UNC
    mesh.materials.append(material)
    world = bpy.data.worlds.new("evil")
    blocks |= {text, image, material, world}
    if bpy.app.version < (5, 2):  # Blender 5.2 crashes when it writes a scene
        scene = bpy.data.scenes.new("evil")
        scene.world, obj["scene"] = world, scene
        blocks.add(scene)
    bpy.data.libraries.write(str(path), blocks, fake_user=True)
    for owner in (obj, mesh):
        owner.animation_data_clear()
    bpy.data.batch_remove(blocks)
    trap.unlink(missing_ok=True)


def traces() -> list[str]:
    """Return the traces of the malicious model in the open file."""
    blocks = (*bpy.data.texts, *bpy.data.worlds, *bpy.data.scenes, *bpy.data.images,
              *bpy.data.materials, *bpy.data.meshes, *bpy.data.objects)  # fmt: skip
    names = [block.name for block in blocks if block.name.startswith(("evil", "startup.py"))]
    names += [image.filepath for image in bpy.data.images if "attacker" in image.filepath]
    names += [library.filepath for library in bpy.data.libraries]
    for obj in bpy.data.objects:
        names += [f"driver of {obj.name}"] * bool(obj.animation_data and obj.animation_data.drivers)
        names += [f"modifier of {obj.name}"] * len(obj.modifiers)
    return names


def evaluate_scene() -> None:
    """Evaluate everything in the scene, which runs drivers."""
    bpy.context.view_layer.update()
    bpy.context.evaluated_depsgraph_get().update()
