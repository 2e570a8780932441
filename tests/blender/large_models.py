# SPDX-License-Identifier: GPL-3.0-or-later
"""Models with every kind of data that a prepared one may have, and everything read from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bmesh
import bpy
import numpy as np
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from pathlib import Path

JOB = "2026-11-21_0002_photo"
KINDS = ("objects", "meshes", "materials", "images", "libraries", "node_groups", "collections")


def new_textured_material(name: str) -> bpy.types.Material:
    """Return a material with a packed image texture."""
    image = bpy.data.images.new(name, 32, 32)
    image.pack()
    material = addon_module("worker.prepare.principled").new_material(name)
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    return material


def ball(name: str, segments: int) -> bpy.types.Object:
    """Return a ball with every kind of data that a prepared mesh may have."""
    mesh = bpy.data.meshes.new(name)
    work = bmesh.new()
    bmesh.ops.create_uvsphere(work, u_segments=segments, v_segments=6, radius=1.0)
    work.to_mesh(mesh)
    work.free()
    random = np.random.default_rng(segments)
    uvs = mesh.uv_layers.new(name="UVMap").uv
    uvs.foreach_set("vector", random.random(len(mesh.loops) * 2, np.float32))
    color = mesh.color_attributes.new("Color", "FLOAT_COLOR", "POINT")
    color.data.foreach_set("color", random.random(len(mesh.vertices) * 4, np.float32))
    mesh.color_attributes.active_color_index = mesh.color_attributes.render_color_index = 0
    for material in (new_textured_material(f"{name} a"), None, new_textured_material(f"{name} b")):
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", random.integers(0, 3, len(mesh.polygons)))
    flat = mesh.attributes.get("sharp_face") or mesh.attributes.new("sharp_face", "BOOLEAN", "FACE")
    flat.data.foreach_set("value", random.random(len(mesh.polygons)) < 0.5)
    if bpy.app.version >= (4, 5):  # Before 4.5 custom normals are not an attribute.
        mesh.normals_split_custom_set(random.random((len(mesh.loops), 3), np.float32))
    mesh["note"] = "a mesh's own"
    addon_module("worker.mesh.arrays").drop_selections(mesh)
    return bpy.data.objects.new(name, mesh)


def make_job(root: Path) -> Path:
    """Create a finished job whose model, two balls under an empty, is also split into chunks."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    objects = [bpy.data.objects.new("photo", None), ball("photo 1", 8), ball("photo 2", 12)]
    for part in objects[1:]:
        part.parent = objects[0]
        part["note"] = "an object's own"
    jobs = addon_module("jobs")
    library = jobs.Library(root)
    folder: Path = library.folder(JOB)
    folder.mkdir(parents=True)
    addon_module("worker.prepare.chunks").write_chunks(folder / "model-parts", objects, 0)
    bpy.data.libraries.write(str(folder / "model.blend"), set(objects))
    addon_module("jobs.disk.signatures").mark_file(folder / "model.blend")
    addon_module("jobs.steps.prepare").note_own_chunks(folder)
    (folder / "model.glb").write_bytes(b"glTF")
    library.save(jobs.Record(
        id=JOB, state=jobs.State.READY, provider="local", name="photo",
        created="2026-11-21T00:00:02+00:00", mesh="model.glb", blend="model.blend",
    ))  # fmt: skip
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    bpy.ops.ed.undo_push(message="Start")
    return folder


def data_block_names(kind: str, *, hidden: bool = False) -> list[str]:
    """Return the names of one kind of data-blocks, hidden ones only on request."""
    names = [item.name for item in getattr(bpy.data, kind)]
    return sorted(name for name in names if hidden or not name.startswith("."))


def all_names(*, hidden: bool = False) -> dict[str, list[str]]:
    """Return the names of data-blocks by their kinds."""
    return {kind: data_block_names(kind, hidden=hidden) for kind in KINDS}


def values(items: Any, name: str, dtype: type, width: int = 1) -> list[Any]:
    """Return one property of all items, as `foreach_get` reads it."""
    facts: Any = np.empty(len(items) * width, dtype)
    items.foreach_get(name, facts)
    return list(facts)


def mesh_facts(mesh: bpy.types.Mesh) -> dict[str, Any]:
    """Return everything that can be read from a mesh, value by value."""
    layouts = addon_module("worker.mesh.arrays").LAYOUTS
    facts: dict[str, Any] = {}
    for attribute in mesh.attributes:
        name, width, dtype = layouts[attribute.data_type]
        facts[attribute.name] = (
            attribute.data_type,
            attribute.domain,
            values(attribute.data, name, dtype, width),
        )
    uvs, colors = mesh.uv_layers, mesh.color_attributes
    return {
        **facts,
        "names": (mesh.name, [material and material.name for material in mesh.materials]),
        "faces": values(mesh.polygons, "loop_start", np.int32),
        "normals": values(mesh.corner_normals, "vector", np.float32, 3),
        "edges": values(mesh.edges, "is_loose", bool),
        "uvs": (uvs.active_index, [(uv.name, uv.active_render) for uv in uvs]),
        "colors": (colors.active_color_index, colors.render_color_index),
        "custom": (dict(mesh.items()), mesh.has_custom_normals, mesh.users, mesh.use_fake_user),
    }


def model_facts(names: list[str]) -> list[Any]:
    """Return everything that can be read from the named objects and their evaluated meshes."""
    bpy.context.view_layer.update()
    facts: list[Any] = []
    for obj in (bpy.data.objects[name] for name in names):
        mesh = mesh_facts(obj.data) if obj.type == "MESH" else None
        box = [tuple(corner) for corner in obj.bound_box]
        slots = [(slot.link, slot.name) for slot in obj.material_slots]
        parent = obj.parent and obj.parent.name
        own = (obj.name, dict(obj.items()), parent, slots, obj.users, box, mesh)
        evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
        facts.append((own, len(evaluated.data.vertices) if mesh else 0))
    return facts
