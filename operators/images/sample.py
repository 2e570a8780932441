# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the sample image that comes with the add-on."""

from __future__ import annotations

from pathlib import Path

import bpy

from .choose import take

SAMPLE = Path(__file__).parent.parent.parent / "samples" / "dahlia.jpg"


class IMAGE_TO_MESH_OT_use_sample(bpy.types.Operator):
    """Use the bundled sample image."""

    bl_idname = "image_to_mesh.use_sample"
    bl_label = "Try a Sample Image"
    bl_description = "Use a photo of a dahlia that comes with the add-on"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        return take(self, context, _load_sample)


def _load_sample(_context: bpy.types.Context) -> bpy.types.Image:
    """Return the sample image; load it unless it is in the .blend file already.

    It is packed, since the add-on's folder differs between computers.
    """
    for image in bpy.data.images:
        if image.packed_file and image.filepath == str(SAMPLE):
            return image
    image = bpy.data.images.load(str(SAMPLE))
    image.name = SAMPLE.stem
    image.pack()
    return image


classes = (IMAGE_TO_MESH_OT_use_sample,)
