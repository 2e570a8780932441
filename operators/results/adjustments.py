# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of Adjust Last Operation after an import: rotation, size, shading, and cleanup."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty

from ... import jobs


class Adjustable:
    """Mix-in for an operator that imports a model and can be adjusted afterwards."""

    rotation: FloatVectorProperty(
        name="Rotation",
        description="Rotation of the mesh; if not set, the scene's placement is used",
        subtype="EULER",
        size=3,
        options={"SKIP_SAVE"},
    )
    size: FloatProperty(
        name="Size",
        description="Height of the mesh; if not set, the scene's placement is used",
        subtype="DISTANCE",
        unit="LENGTH",
        min=1e-6,
        soft_min=0.001,
        soft_max=100.0,
        default=1.0,
        options={"SKIP_SAVE"},
    )
    shading: EnumProperty(
        name="Shading",
        description="How the surface is shaded",
        items=(
            ("KEEP", "As Imported", "Keep the shading that the mesh was imported with"),
            ("SMOOTH", "Smooth", "Shade all faces smooth"),
            ("ANGLE", "Smooth by Angle", "Smooth shading except at edges sharper than the angle"),
            ("FLAT", "Flat", "Shade all faces flat"),
        ),
        options={"SKIP_SAVE"},
    )
    angle: FloatProperty(
        name="Angle",
        description="Edges sharper than this stay sharp",
        subtype="ANGLE",
        min=0.0,
        max=math.pi,
        default=math.radians(60.0),
        options={"SKIP_SAVE"},
    )
    merge: FloatProperty(
        name="Merge Distance",
        description="Merge vertices that are closer than this (0 = merge nothing)",
        subtype="DISTANCE",
        unit="LENGTH",
        min=0.0,
        soft_max=0.1,
        precision=4,
        step=0.1,
        options={"SKIP_SAVE"},
    )
    outward: BoolProperty(
        name="Recalculate Outside",
        description="Flip closed parts whose faces point inward",
        options={"SKIP_SAVE"},
    )

    def adjust(self: Any, context: bpy.types.Context, root: bpy.types.Object) -> None:
        """Rotate, shade, and clean up a model that was just imported, as the properties ask.

        Models are not rotated if they update an object.
        """
        if not self.into and self.properties.is_property_set("rotation"):
            root.rotation_euler = self.rotation
        if self.shading == "KEEP" and not self.merge and not self.outward:
            return
        from ...scene.updating.adjust import Adjustments, adjust_model

        wanted = Adjustments(self.shading, self.angle, self.merge, self.outward)
        adjust_model([root, *root.children_recursive], wanted)

    def with_size(self: Any, place: jobs.Placement) -> jobs.Placement:
        """Return the placement, with the operator's size as its height if the size was set."""
        if not self.properties.is_property_set("size"):
            return place
        return replace(place, size=self.size, scale=None, measure="height")

    def read_adjustments(self: Any, context: bpy.types.Context, root: bpy.types.Object) -> None:
        """Set `rotation` and `size`, which Adjust Last Operation shows, from the imported model."""
        from ...scene.placement import model_box

        self.rotation = root.rotation_euler
        low, high = model_box([root, *root.children_recursive])
        # The object itself is scaled if its mesh could not be.
        sides = (high - low) * abs(root.scale.z)
        # A flat model has no height: its longest side is its size then, as on import.
        self.size = max(sides.z if sides.z > max(sides) * 1e-6 else max(sides), 1e-6)

    def draw_adjustments(self: Any, *, in_place: bool) -> None:
        """Draw the properties; with `in_place`, without location, rotation, and size."""
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in () if in_place else ("location", "rotation", "size"):
            layout.prop(self, name)
        layout.prop(self, "shading")
        if self.shading == "ANGLE":
            layout.prop(self, "angle")
        layout.prop(self, "merge")
        layout.prop(self, "outward")
