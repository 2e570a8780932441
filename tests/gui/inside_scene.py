# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside of Blender: describes a scene, a view, and the file, to compare them later."""

from __future__ import annotations

from typing import Any

import bpy


def scene_facts() -> dict[str, Any]:
    """Return what an artist would call the scene: objects, selection, cursor, settings, data."""
    context = bpy.context
    scene, layer = context.scene, context.view_layer
    return {
        "objects": {obj.name: _object_facts(obj) for obj in scene.objects},
        "active": layer.objects.active and layer.objects.active.name,
        "mode": context.mode,
        "data": _data_in_use(),
        "collections": sorted(child.name for child in scene.collection.children_recursive),
        "scene": _plain(scene),
        "cursor": _plain(scene.cursor),
        "render": _plain(scene.render),
        "units": _plain(scene.unit_settings),
        "tools": _plain(scene.tool_settings),
        "colors": _plain(scene.view_settings),
        "choices": _plain(scene.image_to_mesh),
        "view": _view_facts(),
    }


def rules_facts() -> dict[str, Any]:
    """Return what must stay in any mode: the mode itself, what is active and what is selected."""
    layer = bpy.context.view_layer
    active = layer.objects.active
    return {
        "mode": bpy.context.mode,
        "active": active and active.name,
        "selected": sorted(obj.name for obj in layer.objects.selected),
        "vertices": _selected_vertices(active),
        "tools": _plain(bpy.context.scene.tool_settings),
    }


def mesh_facts(name: str) -> dict[str, Any]:
    """Return how a mesh stands in the world, and the picture that its material shows."""
    obj = bpy.data.objects[name]
    corners = [obj.matrix_world @ vertex.co for vertex in obj.data.vertices]
    low, high = ([pick(c[axis] for c in corners) for axis in range(3)] for pick in (min, max))
    material = obj.active_material
    surface = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    source = surface.inputs["Base Color"].links[0].from_node
    return {
        "location": list(obj.matrix_world.translation),
        "low": low,
        "high": high,
        "faces": len(obj.data.polygons),
        "uvs": len(obj.data.uv_layers),
        "picture": list(source.image.size),
        "packed": bool(source.image.packed_file),
        "selected": obj.select_get(),
    }


def _object_facts(obj: Any) -> list[Any]:
    matrix = [round(value, 6) for row in obj.matrix_world for value in row]
    return [obj.type, obj.data and obj.data.name, matrix, obj.select_get()]


def _selected_vertices(obj: Any) -> list[int]:
    if obj is None or obj.type != "MESH":
        return []
    if obj.mode == "EDIT":
        obj.update_from_editmode()
    return [vertex.index for vertex in obj.data.vertices if vertex.select]


def _data_in_use() -> dict[str, list[str]]:
    """Return the names of all data-blocks that have users, by kind."""
    kinds = [prop.identifier for prop in bpy.data.bl_rna.properties if prop.type == "COLLECTION"]
    if "all_ids" in kinds:  # all the others again, since 5.2
        kinds.remove("all_ids")
    used = {
        kind: sorted(item.name for item in getattr(bpy.data, kind) if item.users) for kind in kinds
    }
    return {kind: names for kind, names in used.items() if names}


def _view_facts() -> dict[str, Any]:
    screen = bpy.context.window_manager.windows[0].screen
    space = next(area.spaces.active for area in screen.areas if area.type == "VIEW_3D")
    return {
        "shading": _plain(space.shading),
        "overlay": _plain(space.overlay),
        "from": [round(value, 5) for row in space.region_3d.view_matrix for value in row],
    }


def _plain(owner: Any) -> dict[str, Any]:
    """Return the properties that are values; computed ones are left out."""
    values = {}
    for prop in owner.bl_rna.properties:
        if prop.type not in ("POINTER", "COLLECTION"):
            value = getattr(owner, prop.identifier)
            values[prop.identifier] = sorted(value) if isinstance(value, set) else value
    return values
