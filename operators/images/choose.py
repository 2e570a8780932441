# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the scene's image: a data-block, clipboard, render, viewport, reference, or URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
from bpy.props import EnumProperty

from ... import jobs, preferences
from ...app.chosen_image import choose
from ...app.periodic import downloaded_images
from ...app.redraw import redraw
from ...i18n.translate import tr, translate_error
from ...providers import BadImage, ImageToMeshError, Message
from ...state import views
from ...state.scene_properties import choices_of
from ..arguments import HIDDEN, argument

WAIT = 0.1
"""Seconds between checks for Ctrl-C while a script waits."""
VIEWS_HELD_BACK = "The other views were chosen for another image: keep or clear them"


def take(
    operator: Any, context: bpy.types.Context, image: Callable[[bpy.types.Context], bpy.types.Image]
) -> set[str]:
    """Call `image`, and use the image that it returns as the scene's.

    Report the error if `image` raises one, or warn if side views were chosen for another image.
    Return the operator's result.
    """
    try:
        if choose(context, image(context)):
            operator.report({"WARNING"}, tr(VIEWS_HELD_BACK))
    except ImageToMeshError as error:
        return refuse(operator, error)
    return {"FINISHED"}


def refuse(operator: Any, error: ImageToMeshError) -> set[str]:
    """Report an error and return the operator's result, CANCELLED."""
    operator.report({"ERROR"}, translate_error(error))
    return {"CANCELLED"}


class IMAGE_TO_MESH_OT_paste(bpy.types.Operator):
    """Use the image on the clipboard, or the image file or https URL copied there."""

    bl_idname = "image_to_mesh.paste"
    bl_label = "Paste Image"
    bl_options = {"REGISTER", "UNDO"}
    bl_description = "Use the image, image file, or https URL on the clipboard"

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ...scene.clipboard import find_https_address, find_photo, paste_image

        # Without a window there is no clipboard.
        text = "" if bpy.app.background else context.window_manager.clipboard
        if address := find_https_address(text):
            return fetch(self, context, address)
        if photo := find_photo(text):
            return use_later(self, context, lambda: jobs.image_downloads().decode(photo))
        return take(self, context, paste_image)


class IMAGE_TO_MESH_OT_use_image(bpy.types.Operator):
    """Use an image data-block, by default that of the Image Editor."""

    bl_idname = "image_to_mesh.use_image"
    bl_label = "Use for Image to Mesh"
    bl_options = {"REGISTER", "UNDO"}
    bl_description = "Use this image in Image to Mesh"

    image: argument("Image", "Name of the image; if empty, the one in the Image Editor")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        space = context.space_data
        if space and space.type == "IMAGE_EDITOR" and space.image is None:
            cls.poll_message_set("Open an image in the Image Editor first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        return take(self, context, self._image)

    def _image(self, context: bpy.types.Context) -> bpy.types.Image:
        space = context.space_data
        shown_here = space.image if space and space.type == "IMAGE_EDITOR" else None
        image = bpy.data.images.get(self.image) if self.image else shown_here
        if image is None:
            raise self._missing()
        return _copied_render(image)

    def _missing(self) -> BadImage:
        if not self.image:
            return BadImage("There is no image to use.", "Open an image in the Image Editor first.")
        return BadImage(
            Message("There is no image “{image}” in this .blend file.", image=self.image),
            "Choose another image.",
        )


class IMAGE_TO_MESH_OT_use_render(bpy.types.Operator):
    """Use the last render."""

    bl_idname = "image_to_mesh.use_render"
    bl_label = "Use Render Result"
    bl_options = {"REGISTER", "UNDO"}
    bl_description = "Use the last render as the image"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return take(self, context, self._image)

    def _image(self, _: bpy.types.Context) -> bpy.types.Image:
        image = next((image for image in bpy.data.images if image.type == "RENDER_RESULT"), None)
        if image is None:
            raise BadImage("There is no render yet.", "Render first (F12).")
        return _copied_render(image)


def _copied_render(image: bpy.types.Image) -> bpy.types.Image:
    """Return a copy of a render, which the next one would overwrite; any other image itself."""
    from ...scene.image_source import copy_render

    return copy_render(image) if image.source == "VIEWER" else image


class IMAGE_TO_MESH_OT_use_view(bpy.types.Operator):
    """Use a capture of the viewport."""

    bl_idname = "image_to_mesh.use_view"
    bl_label = "Use Viewport"
    bl_options = {"REGISTER", "UNDO"}
    bl_description = "Capture the 3D Viewport with its current shading, without overlays"

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ...scene.viewport_capture import capture_viewport

        return take(self, context, capture_viewport)


class IMAGE_TO_MESH_OT_use_selected(bpy.types.Operator):
    """Use the image of the active image empty, and place the mesh at that empty."""

    bl_idname = "image_to_mesh.use_selected"
    bl_label = "Use Selected Reference"
    bl_options = {"REGISTER", "UNDO"}
    bl_description = (
        "Use the image of the selected image empty; the mesh matches its location and height"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if _reference(context) is None:
            cls.poll_message_set("Select an empty that shows an image")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        return take(self, context, self._image)

    def _image(self, context: bpy.types.Context) -> bpy.types.Image:
        reference = _reference(context)
        if reference is None:
            raise BadImage("No image empty is selected.", "Select an empty that shows an image.")
        choices_of(context.scene).placement.bind_reference(reference, reference.data)
        return reference.data


class IMAGE_TO_MESH_OT_leave_reference(bpy.types.Operator):
    """Place the mesh as set in the Placement panel, not at the image's reference."""

    bl_idname = "image_to_mesh.leave_reference"
    bl_label = "Ignore Reference"
    bl_description = "Place the mesh as set in Placement instead of at the reference"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if choices_of(context.scene).placement.own_reference():
            return True
        cls.poll_message_set("The image was not taken from a reference in this scene")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        choices_of(context.scene).placement.bind_reference(None, None)
        return {"FINISHED"}


def _reference(context: bpy.types.Context) -> bpy.types.Object | None:
    chosen = context.object
    is_one = chosen and chosen.type == "EMPTY" and chosen.empty_display_type == "IMAGE"
    return chosen if is_one and chosen.data else None


class IMAGE_TO_MESH_OT_use_address(bpy.types.Operator):
    """Download an image and use it."""

    bl_idname = "image_to_mesh.use_address"
    bl_label = "Image from URL"
    bl_description = "Download an image from an https URL and use it"
    bl_options = {"REGISTER", "UNDO"}

    address: argument("URL", "https URL of an image")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        from ...scene.clipboard import find_https_address

        if not self.address:
            self.address = find_https_address(context.window_manager.clipboard)
        return context.window_manager.invoke_props_dialog(self, width=400)

    def execute(self, context: bpy.types.Context) -> set[str]:
        return fetch(self, context, self.address)


class IMAGE_TO_MESH_OT_keep_views(bpy.types.Operator):
    """Keep side views that were chosen for another image."""

    bl_idname = "image_to_mesh.keep_views"
    bl_label = "Keep Views"
    bl_description = "Keep the other views: they show the same subject as the image"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if views.foreign(choices_of(context.scene)):
            return True
        cls.poll_message_set("No view was chosen for another image")
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        views.keep(choices_of(context.scene))
        redraw(context)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_clear_views(bpy.types.Operator):
    """Remove one or all of the side views."""

    bl_idname = "image_to_mesh.clear_views"
    bl_label = "Clear Views"
    bl_description = "Remove the other views; their images stay in the file"
    bl_options = {"REGISTER", "UNDO"}

    view: EnumProperty(
        name="View",
        description="View to remove",
        items=[("all", "All", ""), *((view, view.capitalize(), "") for view in views.SIDE_VIEWS)],
        options=HIDDEN,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if views.images_of(choices_of(context.scene), views.SIDE_VIEWS):
            return True
        cls.poll_message_set("There are no other views")
        return False

    @classmethod
    def description(cls, _: bpy.types.Context, properties: Any) -> str:
        if properties.view == "all":
            return ""
        return tr("Remove this view; its image stays in the file")

    def execute(self, context: bpy.types.Context) -> set[str]:
        chosen = views.SIDE_VIEWS if self.view == "all" else (self.view,)
        views.clear(choices_of(context.scene), chosen)
        redraw(context)
        return {"FINISHED"}


def fetch(operator: Any, context: bpy.types.Context, address: str) -> set[str]:
    """Download an image on a thread and use it on arrival; without a window, wait for it.

    Report an error, and return the operator's result.
    """
    address = address.strip()
    online = preferences.may_reach(address)
    return use_later(
        operator, context, lambda: jobs.image_downloads().start(address, online=online)
    )


def use_later(operator: Any, context: bpy.types.Context, begin: Callable[[], None]) -> set[str]:
    """Call `begin`, which starts downloads or decodings, and use their images on arrival.

    Without a window, wait for them. Report an error, and return the operator's result.
    """
    try:
        begin()
    except ImageToMeshError as error:
        return refuse(operator, error)
    if not jobs.image_downloads().waiting():
        return {"FINISHED"}
    if not bpy.app.background:
        downloaded_images.follow()
        redraw(context)
        return {"FINISHED"}
    # No event loop runs in a script, so it waits here.
    while jobs.image_downloads().waiting():
        arrived = jobs.image_downloads().take(timeout=WAIT)
        try:
            if arrived is not None:
                downloaded_images.use(context, arrived)
        except ImageToMeshError as error:
            return refuse(operator, error)
    return {"FINISHED"}


classes = (
    IMAGE_TO_MESH_OT_paste,
    IMAGE_TO_MESH_OT_use_image,
    IMAGE_TO_MESH_OT_use_render,
    IMAGE_TO_MESH_OT_use_view,
    IMAGE_TO_MESH_OT_use_selected,
    IMAGE_TO_MESH_OT_leave_reference,
    IMAGE_TO_MESH_OT_use_address,
    IMAGE_TO_MESH_OT_keep_views,
    IMAGE_TO_MESH_OT_clear_views,
)
