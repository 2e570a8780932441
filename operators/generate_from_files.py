# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate meshes from image files: dropped on the viewport, chosen in a dialog, or by a script.

Several images form a queue; a few jobs run at a time. Queued jobs have sent nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import bpy
from bpy.props import FloatVectorProperty

from .. import jobs
from ..app import queue, repeated_order, watcher
from ..app.redraw import redraw
from ..app.refusals import hide_refusal
from ..i18n.translate import tr, translate_error
from ..jobs.disk.file_names import PHOTO_SUFFIXES
from ..providers import ImageToMeshError
from ..state.import_options import placement_of
from ..state.preflight import why_not_at_all
from ..state.scene_properties import provider_of
from . import generate
from .arguments import ImageFiles, again_switch
from .images import choose
from .running import wait_for

EXTENSIONS = ";".join(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".exr", ".hdr", *PHOTO_SUFFIXES)
)


class IMAGE_TO_MESH_OT_make_here(ImageFiles, bpy.types.Operator):
    """Generate meshes of image files with the scene's provider and settings."""

    bl_idname = "image_to_mesh.make_here"
    bl_label = "Make 3D Here"
    bl_description = "Generate a mesh from each image file with the scene's provider and settings"
    bl_options = {"REGISTER"}

    location: FloatVectorProperty(
        name="Location",
        description="Location of the mesh; if not set, the scene's placement is used",
        subtype="TRANSLATION",
        size=3,
        options={"SKIP_SAVE"},
    )

    again: again_switch()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = why_not_at_all(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        # Tells execute() after a confirmation apart from a call by a script, which waits.
        self._asked = True
        if not self.is_given():
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        if context.area and context.area.type == "VIEW_3D":
            self._stand_under(context, event)
        return self._confirm(context, event)

    def _stand_under(self, context: bpy.types.Context, event: bpy.types.Event) -> None:
        from ..scene.raycast import point_under

        region = next(region for region in context.area.regions if region.type == "WINDOW")
        pointer = (event.mouse_x - region.x, event.mouse_y - region.y)
        if not self.properties.is_property_set("location"):
            self.location = point_under(context, region, pointer)

    def _confirm(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        provider, count = provider_of(context.scene), len(self.paths())
        there = [repeated_order.is_there(context, order) for order in self._orders(context)]
        if any(there) and not self.again:  # guard: drop-asks
            return repeated_order.ask(self, context, event)
        # A single image is what the user just chose; free jobs need no confirmation.
        if count < 2 or not provider.is_remote:
            return self._start(context)
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=tr("Generate {} Meshes").format(count),
            message=tr("{} charges for each mesh.").format(provider.label),
            confirm_text="Generate",
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        if getattr(self, "_asked", False) and not bpy.app.background:
            return self._start(context)
        try:
            ended = [wait_for(context, queue.begin(spec)) for spec in self._note_specs(context)]
        except ImageToMeshError as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        for outcome in ended:
            self.report({outcome.level}, outcome.message)
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context) -> set[str]:
        try:
            queue.add(self._note_specs(context))
        except ImageToMeshError as error:
            return choose.refuse(self, error)
        hide_refusal()
        watcher.begin(context)
        return {"FINISHED"}

    def _specs(self, context: bpy.types.Context) -> list[jobs.JobSpec]:
        provider = provider_of(context.scene)
        location = None
        # The default, the world origin, is also a location that a script may ask for.
        if self.properties.is_property_set("location"):
            x, y, z = self.location
            location = (x, y, z)
        specs = [
            generate.specify(context, provider, (jobs.picture_from(path),), location)
            for path in self.paths()
        ]
        if len(specs) > 1:
            specs = [_in_row(context, spec) for spec in specs]
        return [replace(spec, repeated=self.again) for spec in specs]

    def _note_specs(self, context: bpy.types.Context) -> list[jobs.JobSpec]:
        specs = self._specs(context)
        for order, spec in zip(self._orders(context), specs, strict=True):
            repeated_order.note(order, spec)
        return specs

    def _orders(self, context: bpy.types.Context) -> list[tuple[Any, ...]]:
        return [repeated_order.order_of(context, (path,)) for path in self.paths()]


def _in_row(context: bpy.types.Context, spec: jobs.JobSpec) -> jobs.JobSpec:
    """Keep several meshes clear of each other, even if In a Row is off."""
    place = spec.plan.placement
    if place.spacing is not None:
        return spec
    spacing = float(placement_of(context.scene).spacing)
    return replace(spec, plan=replace(spec.plan, placement=replace(place, spacing=spacing)))


class IMAGE_TO_MESH_OT_clear_queue(bpy.types.Operator):
    """Remove the queued images."""

    bl_idname = "image_to_mesh.clear_queue"
    bl_label = "Clear Queue"
    bl_description = "Remove the images from the queue; nothing has been submitted for them"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        queue.clear()
        redraw(context)
        return {"FINISHED"}


class IMAGE_TO_MESH_FH_pictures(bpy.types.FileHandler):
    """Offers Make 3D Here when image files are dropped on a viewport."""

    bl_idname = "IMAGE_TO_MESH_FH_pictures"
    bl_label = "Make 3D Here"
    bl_import_operator = "image_to_mesh.make_here"
    bl_file_extensions = EXTENSIONS

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return bool(context.area and context.area.type == "VIEW_3D")


classes = (
    IMAGE_TO_MESH_OT_make_here,
    IMAGE_TO_MESH_OT_clear_queue,
    IMAGE_TO_MESH_FH_pictures,
)
