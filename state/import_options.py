# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of a scene for imported models: placement, cleanup on import, and mesh edits.

They are pointers of `Scene.image_to_mesh`, next to the providers' settings.
"""

from __future__ import annotations

import math
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
)

from ..i18n.translate import CONTEXT

NO_UNDO: set[str] = set()
"""No options. Blender's default is ANIMATABLE, and keyframes on these properties make no sense."""

MILLIMETERS = {"subtype": "DISTANCE_CAMERA", "unit": "CAMERA"}
"""Blender's only length in millimeters; the fields show the unit and accept others."""


def _text(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "options": NO_UNDO,
        "translation_context": CONTEXT,
    }


def _forget_image_reference(chosen: Any, _context: bpy.types.Context) -> None:
    """Drop the image's own reference: another location was chosen by hand."""
    chosen.bind_reference(None, None)


class IMAGE_TO_MESH_PG_placement(bpy.types.PropertyGroup):
    """Location, size, and storage of imported models."""

    position: EnumProperty(
        **_text("Location", "Where new models are placed"),
        items=(
            ("free", "Free Ground", "Next to the visible objects, on the same ground",
             "ORIENTATION_GLOBAL", 4),
            ("cursor", "3D Cursor", "At the 3D cursor", "PIVOT_CURSOR", 0),
            ("origin", "World Origin", "At the world origin", "EMPTY_AXIS", 1),
            ("surface", "Surface", "On the surface directly below the 3D cursor", "SNAP_FACE", 2),
            ("reference", "Reference", "At an image or object, matching its height and rotation",
             "IMAGE_REFERENCE", 3),
        ),
        default="free",
        update=_forget_image_reference,
    )  # fmt: skip
    reference: PointerProperty(
        **_text("Reference", "Image empty or object whose location and height new models match"),
        type=bpy.types.Object,
    )
    image_reference: PointerProperty(type=bpy.types.Object, options={"HIDDEN"})
    referenced_image: PointerProperty(type=bpy.types.Image, options={"HIDDEN"})
    use_size: BoolProperty(**_text("Size", "Scale every new model to this size"))
    size: FloatProperty(
        **_text("Size", "Size of new models"),
        default=1.0,
        # Not zero, which stands for the model's own size in a `Placement`.
        min=1e-6,
        soft_min=0.001,
        soft_max=100.0,
        subtype="DISTANCE",
        unit="LENGTH",
    )
    measure: EnumProperty(
        **_text("Dimension", "Dimension that the size applies to"),
        items=(
            ("height", "Height", "From bottom to top", 0),
            ("longest", "Longest Side", "The longest of width, depth, and height", 1),
        ),
    )
    use_row: BoolProperty(
        **_text("Arrange in Row", "Line up next to existing results instead of overlapping them"),
        default=True,
    )
    spacing: FloatProperty(
        **_text("Spacing", "Gap between results in a row"),
        default=0.25,
        min=0.0,
        soft_max=10.0,
        subtype="DISTANCE",
        unit="LENGTH",
    )
    storage: EnumProperty(
        **_text("Import Method", "How imported models are stored"),
        items=(
            ("appended", "Append", "The mesh becomes part of this file", "APPEND_BLEND", 0),
            ("linked", "Link", "The mesh stays in the library folder", "LINK_BLEND", 1),
        ),
    )
    images: EnumProperty(
        **_text("Textures", "Where textures of imported models are stored"),
        items=(
            ("packed", "Packed", "In this file", "PACKAGE", 0),
            ("unpacked", "Files", "In the “textures” folder next to this file", "FILE_FOLDER", 1),
        ),
    )

    def current_position(self) -> str:
        """Return where new models are placed.

        That is "reference" if the scene's image has a reference of its own, else the user's choice.
        """
        return "reference" if self.own_reference() else str(self.position)

    def current_reference(self) -> bpy.types.Object | None:
        """Return the image's own reference, or the chosen one if it has none; None without both."""
        own = self.own_reference()
        chosen: bpy.types.Object | None = self.reference
        return own or chosen

    def own_reference(self) -> bpy.types.Object | None:
        """Return the object that the scene's image was taken from.

        Return None if there is no such object, or if it is no longer in the scene.
        """
        image = self.id_data.image_to_mesh.image
        own: bpy.types.Object | None = self.image_reference
        is_current = image is not None and image == self.referenced_image
        return own if is_current and own and own.name in self.id_data.objects else None

    def bind_reference(
        self, reference: bpy.types.Object | None, image: bpy.types.Image | None
    ) -> None:
        """Place models of this image at the object; models of other images are placed as before.

        With None for both, no image has a reference of its own.
        """
        self.image_reference, self.referenced_image = reference, image


class IMAGE_TO_MESH_PG_mending(bpy.types.PropertyGroup):
    """Options of Cleanup on Import."""

    colors: EnumProperty(
        **_text("Vertex Colors", "How to handle vertex colors on meshes without a texture"),
        items=(
            ("wired", "Use as Base Color", "Connect them to the material's Base Color", 0),
            ("baked", "Bake to Texture", "Bake them to a texture; takes longer", 1),
            (
                "kept",
                "Keep Unused",
                "Keep them as imported, without connecting them to the material",
                2,
            ),
        ),
    )
    metals: BoolProperty(
        **_text("Fix Metallic", "Set Metallic to 0 on textured surfaces without a metallic map"),
        default=True,
    )
    tidy: BoolProperty(
        **_text(
            ("Tidy Hierarchy"),
            "Remove empties, cameras, and lights, and simplify the hierarchy",
        ),
        default=True,
    )
    weld: BoolProperty(
        **_text("Merge by Distance", ("Merge vertices that the file format split along UV seams")),
        default=True,
    )
    normals: EnumProperty(
        **_text("Normals", "How the surface is shaded"),
        items=(
            ("auto", "Automatic", "Use the file's normals, or smooth shading if it has none", 0),
            ("keep", "Keep", "Use the file's normals unchanged", 1),
            (
                "angle",
                "Smooth by Angle",
                ("Smooth shading except at edges sharper than the angle"),
                2,
            ),
        ),
    )
    angle: FloatProperty(
        **_text("Angle", "Edges sharper than this stay sharp"),
        default=math.radians(60.0),
        min=0.0,
        max=math.pi,
        subtype="ANGLE",
    )
    outward: BoolProperty(
        **_text("Recalculate Outside", "Flip closed parts whose faces point inward"), default=True
    )
    apply_transforms: BoolProperty(
        **_text("Apply Transforms", "Apply rotation and scale to the mesh"), default=True
    )
    texture_limit: EnumProperty(
        **_text("Texture Limit", "Maximum size of a texture's longer side"),
        items=(
            ("0", "None", "Keep the size of all textures", 0),
            # Files store the number: the side itself stays the same if the list grows.
            *((str(side), f"{side} px", "Scale down larger textures to this size", side)
              for side in (512, 1024, 2048, 4096)),
        ),
    )  # fmt: skip


class IMAGE_TO_MESH_PG_care(bpy.types.PropertyGroup):
    """Targets of the mesh tools, such as the number of faces."""

    faces: IntProperty(
        **_text(
            "Faces",
            "Approximate number of faces for Reduce, Quads, and the coarsest level of detail",
        ),
        default=10_000,
        min=4,
        soft_min=100,
        soft_max=1_000_000,
    )
    levels: IntProperty(
        **_text("Levels", "Number of levels of detail, including the finest"),
        default=4,
        min=2,
        max=6,
    )
    shells: BoolProperty(
        **_text("Inner Shells", "Remove closed parts that are inside others"), default=True
    )
    debris: FloatProperty(
        **_text("Debris", "Remove parts smaller than this fraction of the whole model"),
        default=0.01,
        min=0.0,
        max=0.5,
        subtype="FACTOR",
    )
    fill: IntProperty(
        **_text("Fill Holes", "Fill holes with up to this many edges (0 = leave all open)"),
        default=64,
        min=0,
        max=10_000,
    )
    print_height: FloatProperty(
        **_text("Print Height", "Height of the print in millimeters (0 = as in the scene)"),
        default=0.0,
        min=0.0,
        soft_max=500.0,
        precision=1,
        **MILLIMETERS,
    )
    wall: FloatProperty(
        **_text("Wall Thickness", "Minimum thickness of a printed wall in millimeters"),
        default=0.8,
        min=0.01,
        soft_max=10.0,
        precision=2,
        **MILLIMETERS,
    )


classes = (
    IMAGE_TO_MESH_PG_placement,
    IMAGE_TO_MESH_PG_mending,
    IMAGE_TO_MESH_PG_care,
)


def pointers() -> dict[str, Any]:
    """Return the pointer properties for the scene's group, by name."""
    # The names of 0.1.0 stay: files store the values under them.
    return {
        "placement": PointerProperty(type=IMAGE_TO_MESH_PG_placement),
        "mending": PointerProperty(type=IMAGE_TO_MESH_PG_mending),
        "care": PointerProperty(type=IMAGE_TO_MESH_PG_care),
    }


def placement_of(scene: bpy.types.Scene) -> Any:
    """Return the scene's placement options."""
    return scene.image_to_mesh.placement


def edit_options_of(scene: bpy.types.Scene) -> Any:
    """Return the scene's options for mesh edits."""
    return scene.image_to_mesh.care


def cleanup_options(scene: bpy.types.Scene) -> dict[str, Any]:
    """Return the scene's cleanup options by name, with the values that the worker expects."""
    chosen = scene.image_to_mesh.mending
    asked = {name: getattr(chosen, name) for name in IMAGE_TO_MESH_PG_mending.__annotations__}
    return {**asked, "texture_limit": int(chosen.texture_limit)}
