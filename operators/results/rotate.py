# SPDX-License-Identifier: GPL-3.0-or-later
"""Rotate a result about Z, and remember the rotation for its provider."""

from __future__ import annotations

import math
from typing import Any

import bpy
from bpy.props import EnumProperty
from mathutils import Matrix

from ... import preferences
from ...i18n.translate import tr
from ...jobs.custom_properties import JOB, MODEL, PROVIDER, ROTATION
from ...state.active_result import result_root
from ..arguments import argument

STEPS = {"LEFT": 90, "RIGHT": 270, "BACK": 180}
REMEMBERED = "Future results from this provider use the same rotation"


class IMAGE_TO_MESH_OT_turn(bpy.types.Operator):
    """Rotate a result about Z, and remember its rotation for its provider and model."""

    bl_idname = "image_to_mesh.turn"
    bl_label = "Rotate"
    bl_description = "Rotate the model about Z"
    bl_options = {"REGISTER", "UNDO"}

    to: EnumProperty(
        name="Rotate",
        description="Direction of the rotation",
        items=(
            ("LEFT", "Left", "Rotate 90° counterclockwise, as seen from above"),
            ("RIGHT", "Right", "Rotate 90° clockwise, as seen from above"),
            ("BACK", "Turn Around", "Rotate by 180°"),
            ("RESET", "Original", "Use the rotation of the original mesh file"),
        ),
        options={"SKIP_SAVE"},
    )
    job: argument("Job", "Job whose model is rotated; if empty, the active object's", hidden=True)

    @classmethod
    def description(cls, _: bpy.types.Context, properties: Any) -> str:
        """Return the tooltip: how a button with this direction rotates the model, and what else."""
        items = properties.bl_rna.properties["to"].enum_items
        return f"{tr(items[properties.to].description)}\n{tr(REMEMBERED)}"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if any(result_roots(context)):
            return True
        cls.poll_message_set("There is no generated model in this scene")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        root = _chosen_root(context, self.job)
        if root is None:
            self.report({"WARNING"}, "Select a generated model first")
            return {"CANCELLED"}
        before = int(root.get(ROTATION, 0))
        step = -before if self.to == "RESET" else STEPS[self.to]
        rotate_by(root, step)
        root[ROTATION] = (before + step) % 360
        preferences.remember_rotation(context, _key(root), root[ROTATION])
        return {"FINISHED"}


def rotate_by(root: bpy.types.Object, degrees: int) -> None:
    """Rotate an object about the vertical axis through its origin, without adding any tilt."""
    angle = math.radians(degrees)
    # Adding to Z keeps X and Y exact; going through a matrix would leave rounding errors there.
    if root.rotation_mode == "XYZ" and not root.parent:
        root.rotation_euler.z = math.remainder(root.rotation_euler.z + angle, math.tau)
        return
    place = Matrix.Translation(root.matrix_world.translation)
    root.matrix_world = (
        place @ Matrix.Rotation(angle, 4, "Z") @ place.inverted() @ root.matrix_world
    )


def result_roots(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Return the roots of all results in the view layer, the active one first."""
    roots = [
        obj
        for obj in context.view_layer.objects
        if JOB in obj and (obj.parent is None or JOB not in obj.parent)
    ]
    active = result_root(context.view_layer.objects.active)
    return sorted(roots, key=lambda obj: obj != active)


def _chosen_root(context: bpy.types.Context, job: str) -> bpy.types.Object | None:
    if not job:
        return result_root(context.view_layer.objects.active)
    found = [root for root in result_roots(context) if root[JOB] == job]
    return found[0] if found else None


def _key(root: bpy.types.Object) -> str:
    return f"{root.get(PROVIDER, '')}/{root.get(MODEL, '')}"


classes = (IMAGE_TO_MESH_OT_turn,)
