# SPDX-License-Identifier: GPL-3.0-or-later
"""Edit the scene's image before it is sent: crop it or remove its background.

The original stays."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty

from ... import jobs
from ...app import heartbeat
from ...app.chosen_image import choose
from ...app.periodic import edited_images
from ...app.periodic.image_checks import subject_detection
from ...app.redraw import redraw
from ...i18n.translate import tr
from ...jobs.custom_properties import EDITED_FROM
from ...providers import ImageToMeshError
from ...providers._shared.untrusted_text import readable_name
from ...state.preflight import image_problem
from ...state.scene_properties import choices_of
from .choose import refuse

WAIT = 0.25
"""Seconds between checks for Ctrl-C while a script waits."""


class IMAGE_TO_MESH_OT_develop(bpy.types.Operator):
    """Create an edited copy of the image: cropped, without its background, or on white."""

    bl_idname = "image_to_mesh.develop"
    bl_label = "Edit Image"
    bl_options = {"REGISTER"}

    crop: BoolProperty(
        name="Crop", description="Crop the image to its subject", options={"SKIP_SAVE"}
    )
    background: EnumProperty(
        name="Background",
        description="What to do with the background",
        items=(
            ("keep", "Keep", "Leave the background unchanged"),
            ("remove", "Remove", "Make the background transparent"),
            ("white", "White", "Fill transparent areas with white"),
        ),
        options={"SKIP_SAVE"},
    )
    padding: FloatProperty(
        name="Padding",
        description="Margin around the subject, relative to its longer side",
        default=0.05,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: Any) -> str:
        """Return the tooltip for what a button with these properties does."""
        if properties.background == "remove":
            return tr("Create a new image without the background; the original is kept")
        if properties.background == "white":
            return tr("Create a new image with a white background; the original is kept")
        return tr("Create a new image cropped to the subject; the original is kept")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = image_problem(choices_of(context.scene).image)
        if not reason and jobs.image_checks().at_work:
            reason = tr("The image is still being edited")
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ...scene.image_source import picture_source

        image = choices_of(context.scene).image
        recipe = {"crop": self.crop, "background": self.background, "padding": self.padding}
        try:
            source = picture_source(image)
        except ImageToMeshError as error:
            return refuse(self, error)
        # Edits of an edit still lead back to the image that the user chose.
        original = str(image.get(EDITED_FROM) or readable_name(image))
        jobs.image_checks().start_edit(source, original, subject_detection(context), recipe)
        if not bpy.app.background:
            heartbeat.wake()
            redraw(context)
            return {"FINISHED"}
        while (done := jobs.image_checks().take(timeout=WAIT)) is None:
            pass
        try:
            edited_images.use(context, done)
        except ImageToMeshError as error:
            return refuse(self, error)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_use_original(bpy.types.Operator):
    """Go back to the image that this one was created from."""

    bl_idname = "image_to_mesh.use_original"
    bl_label = "Use Original"
    bl_description = "Go back to the image that this one was created from"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        image = choices_of(context.scene).image
        if image is None or image.get(EDITED_FROM, "") not in bpy.data.images:
            cls.poll_message_set("This image was not created from another image in this file")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        image = choices_of(context.scene).image
        choose(context, bpy.data.images[image[EDITED_FROM]], same_subject=True)
        return {"FINISHED"}


classes = (IMAGE_TO_MESH_OT_develop, IMAGE_TO_MESH_OT_use_original)
