# SPDX-License-Identifier: GPL-3.0-or-later
"""Show a model that was just imported in place of another version of it."""

from __future__ import annotations

import math
import re

import bpy
from mathutils import Matrix

from ...jobs.custom_properties import APPLIED, ROTATION
from ..replace import find_model_objects, replace_model
from .mesh_data import exchange_mesh

NUMBER = re.compile(r"\.\d{3,}$")
"""The suffix that Blender adds to a name that is already in use, such as `.001`."""


def adopt_model(
    context: bpy.types.Context, shown: bpy.types.Object, made: bpy.types.Object
) -> bpy.types.Object:
    """Show `made`, a version just imported, in place of `shown`; return the object that shows it.

    If both are single meshes and neither is linked, the object `shown` stays, and its former mesh
    becomes one of its versions. Otherwise, the new model takes the place of the old one, which
    *Restore Replaced Model* brings back.
    """
    old, new = find_model_objects(shown), find_model_objects(made)
    is_single = all(len(objects) == 1 and objects[0].type == "MESH" for objects in (old, new))
    # Linked meshes are read-only, and cannot hold their provenance.
    if not is_single or made.data.library or shown.data.library:
        return replace_model(context, old, new, keep_height=False)
    mesh = made.data
    _match_rotation(shown, made)
    for key in made.keys():  # noqa: SIM118 - an ID is not a dict
        mesh[key] = made[key]
    bpy.data.objects.remove(made)
    spare = _use_same_materials(shown, mesh)
    exchange_mesh(shown, mesh)
    _remove_unused(spare)
    return shown


def _match_rotation(shown: bpy.types.Object, made: bpy.types.Object) -> None:
    """Give the new mesh the rotation of the old one; the object's own rotation stays."""
    mesh = made.data
    wanted, applied = int(shown.get(APPLIED, 0)), int(made.get(APPLIED, 0))
    if wanted != applied:
        mesh.transform(Matrix.Rotation(math.radians(wanted - applied), 4, "Z"))
        made[APPLIED] = wanted
    # The object keeps its rotation, so this property has to agree with it.
    made[ROTATION] = shown.get(ROTATION, 0)


def _use_same_materials(shown: bpy.types.Object, mesh: bpy.types.Mesh) -> list[bpy.types.Material]:
    """Give a mesh the object's materials if its own have the same names; return the replaced ones.

    If the names differ, change nothing and return an empty list. Numbers that Blender added to the
    names are ignored. The object's materials are preferred, since the artist may have changed them.
    """
    own = [slot.material for slot in shown.material_slots]
    theirs = list(mesh.materials)
    if [_plain_name(item) for item in own] != [_plain_name(item) for item in theirs]:
        return []
    for number, material in enumerate(own):
        mesh.materials[number] = material
    return [material for material in theirs if material and material not in own]


def _remove_unused(materials: list[bpy.types.Material]) -> None:
    unused = [material for material in materials if not material.users]
    images = {
        node.image
        for material in unused
        if material.node_tree
        for node in material.node_tree.nodes
        if node.type == "TEX_IMAGE" and node.image
    }
    bpy.data.batch_remove(unused)
    bpy.data.batch_remove([image for image in images if not image.users])


def _plain_name(material: bpy.types.Material | None) -> str:
    return NUMBER.sub("", material.name) if material else ""
