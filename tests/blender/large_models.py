# SPDX-License-Identifier: GPL-3.0-or-later
"""Models with all that a mended one may have, and what is seen of them, value for value."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import bmesh
import bpy
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

ADDON = "bl_ext.user_default.image_to_mesh"
JOB = "2026-11-21_0002_photo"
KINDS = ("objects", "meshes", "materials", "images", "libraries", "node_groups", "collections")


def room(name: str) -> Any:
    """Return one of the add-on's modules."""
    return import_module(f"{ADDON}.{name}")


def textured(name: str) -> bpy.types.Material:
    """Return a material with a packed picture."""
    image = bpy.data.images.new(name, 32, 32)
    image.pack()
    material = room("worker.prepare.principled").new_material(name)
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    return material


def ball(name: str, segments: int) -> bpy.types.Object:
    """Return a ball of quads and triangles with all that a mended mesh may have."""
    mesh = bpy.data.meshes.new(name)
    work = bmesh.new()
    bmesh.ops.create_uvsphere(work, u_segments=segments, v_segments=6, radius=1.0)
    work.to_mesh(mesh)
    work.free()
    chosen = np.random.default_rng(segments)
    uvs = mesh.uv_layers.new(name="UVMap").uv
    uvs.foreach_set("vector", chosen.random(len(mesh.loops) * 2, np.float32))
    color = mesh.color_attributes.new("Color", "FLOAT_COLOR", "POINT")
    color.data.foreach_set("color", chosen.random(len(mesh.vertices) * 4, np.float32))
    mesh.color_attributes.active_color_index = mesh.color_attributes.render_color_index = 0
    for material in (textured(f"{name} a"), None, textured(f"{name} b")):
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", chosen.integers(0, 3, len(mesh.polygons)))
    flat = mesh.attributes.get("sharp_face") or mesh.attributes.new("sharp_face", "BOOLEAN", "FACE")
    flat.data.foreach_set("value", chosen.random(len(mesh.polygons)) < 0.5)
    if bpy.app.version >= (4, 5):  # before, they are no attribute
        mesh.normals_split_custom_set(chosen.random((len(mesh.loops), 3), np.float32))
    mesh["note"] = "a mesh's own"
    room("worker.mesh.arrays").drop_selections(mesh)
    return bpy.data.objects.new(name, mesh)


def make_job(root: Path) -> Path:
    """Make a finished job, its model of two balls under an empty also in parts; open a new file."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    objects = [bpy.data.objects.new("photo", None), ball("photo 1", 8), ball("photo 2", 12)]
    for part in objects[1:]:
        part.parent = objects[0]
        part["note"] = "an object's own"
    jobs = room("jobs")
    library = jobs.Library(root)
    folder: Path = library.folder(JOB)
    folder.mkdir(parents=True)
    room("worker.prepare.chunks").write_chunks(folder / "model-parts", objects, 0)
    bpy.data.libraries.write(str(folder / "model.blend"), set(objects))
    room("jobs.disk.signatures").mark_file(folder / "model.blend")
    room("jobs.steps.prepare").note_own_chunks(folder)
    (folder / "model.glb").write_bytes(b"glTF")
    library.save(jobs.Record(
        id=JOB, state=jobs.State.READY, provider="local", name="photo",
        created="2026-11-21T00:00:02+00:00", mesh="model.glb", blend="model.blend",
    ))  # fmt: skip
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    bpy.ops.ed.undo_push(message="Start")
    return folder


def named(kind: str, *, hidden: bool = False) -> list[str]:
    """Return the names that people see of a kind of data-blocks, or all."""
    names = [item.name for item in getattr(bpy.data, kind)]
    return sorted(name for name in names if hidden or not name.startswith("."))


def facts(*, hidden: bool = False) -> dict[str, list[str]]:
    """Return the names of all kinds."""
    return {kind: named(kind, hidden=hidden) for kind in KINDS}


def values(items: Any, name: str, dtype: type, width: int = 1) -> list[Any]:
    """Return one property of all items."""
    found: Any = np.empty(len(items) * width, dtype)
    items.foreach_get(name, found)
    return list(found)


def mesh_facts(mesh: bpy.types.Mesh) -> dict[str, Any]:
    """Return all that can be seen of a mesh, value for value."""
    layouts = room("worker.mesh.arrays").LAYOUTS
    found: dict[str, Any] = {}
    for attribute in mesh.attributes:
        name, width, dtype = layouts[attribute.data_type]
        found[attribute.name] = (
            attribute.data_type,
            attribute.domain,
            values(attribute.data, name, dtype, width),
        )
    uvs, colors = mesh.uv_layers, mesh.color_attributes
    return {
        **found,
        "names": (mesh.name, [material and material.name for material in mesh.materials]),
        "faces": values(mesh.polygons, "loop_start", np.int32),
        "normals": values(mesh.corner_normals, "vector", np.float32, 3),
        "edges": values(mesh.edges, "is_loose", bool),
        "uvs": (uvs.active_index, [(uv.name, uv.active_render) for uv in uvs]),
        "colors": (colors.active_color_index, colors.render_color_index),
        "custom": (dict(mesh.items()), mesh.has_custom_normals, mesh.users, mesh.use_fake_user),
    }


def model_facts(names: list[str]) -> list[Any]:
    """Return all that can be seen of a model's objects, and of what Blender makes of them."""
    bpy.context.view_layer.update()
    found: list[Any] = []
    for obj in (bpy.data.objects[name] for name in names):
        mesh = mesh_facts(obj.data) if obj.type == "MESH" else None
        box = [tuple(corner) for corner in obj.bound_box]
        slots = [(slot.link, slot.name) for slot in obj.material_slots]
        parent = obj.parent and obj.parent.name
        own = (obj.name, dict(obj.items()), parent, slots, obj.users, box, mesh)
        evaluated = obj.evaluated_get(bpy.context.evaluated_depsgraph_get())
        found.append((own, len(evaluated.data.vertices) if mesh else 0))
    return found
