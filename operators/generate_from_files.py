# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate meshes from image files that are dropped on a viewport, chosen, or named by a script.

Several images form a queue; a few jobs run at a time. Queued jobs have sent nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
from bpy.props import FloatVectorProperty

from .. import jobs
from ..app import queue, repeated_order, watcher
from ..app.redraw import redraw
from ..app.refusals import hide_refusal
from ..i18n.translate import tr, translate_error
from ..providers import BadImage, ImageToMeshError, Message
from ..state.import_options import placement_of
from ..state.orders.price import price_text
from ..state.preflight import why_not_at_all
from ..state.scene_properties import provider_of
from . import confirm_order, generate
from .arguments import ImageFiles, again_switch, place_of_order
from .images import choose, drop_menu
from .running import wait_for


class IMAGE_TO_MESH_OT_make_here(ImageFiles, bpy.types.Operator):
    """Generate a mesh of each image file with the scene's provider and settings."""

    bl_idname = "image_to_mesh.make_here"
    bl_label = "Generate Mesh Here"
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
    place: place_of_order()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = why_not_at_all(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        # Tells execute() after a dialog apart from a call by a script, which waits.
        self._clicked = True
        if not self.is_given():
            context.window_manager.fileselect_add(self)
            return {"RUNNING_MODAL"}
        if not self.place and context.area and context.area.type == "VIEW_3D":
            self._stand_under(context, event)
        return self._confirm(context, event)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the provider and, if it is remote, its price in the file browser."""
        column = self.layout.column()
        column.label(text=tr(provider_of(context.scene).label), translate=False)
        if provider_of(context.scene).is_remote:
            text = price_text(context)
            text = tr("{} per image").format(text) if text else tr("Price Unknown")
            column.label(text=text, translate=False)

    def _stand_under(self, context: bpy.types.Context, event: bpy.types.Event) -> None:
        from ..scene.raycast import point_under

        region = next(region for region in context.area.regions if region.type == "WINDOW")
        pointer = (event.mouse_x - region.x, event.mouse_y - region.y)
        if not self.properties.is_property_set("location"):
            self.location = point_under(context, region, pointer)

    def _confirm(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.place, count = self.place or "drop", len(self.paths())
        if self.place == "drop":
            try:
                _check_folder(self.paths())
            except BadImage as error:
                return choose.refuse(self, error)
        there = [repeated_order.is_there(context, order) for order in self._orders(context)]
        repeated = any(there) and not self.again
        said = self.place != "drop" or drop_menu.names_order(context)
        is_new = confirm_order.is_needed(context, self.place, count, said=said)
        if repeated or is_new:  # guard: drop-asks
            self._asked = True
            return confirm_order.ask(self, context, event, count, repeated=repeated)
        return self._start(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        if getattr(self, "_clicked", False) and not bpy.app.background:
            return self._after_dialog(context)
        try:
            ended = [wait_for(context, queue.begin(spec)) for spec in self._note_specs(context)]
        except ImageToMeshError as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        for outcome in ended:
            self.report({outcome.level}, outcome.message)
        return {"FINISHED"}

    def _after_dialog(self, context: bpy.types.Context) -> set[str]:
        """After the question, start the jobs; after the file browser, call the operator again."""
        if getattr(self, "_asked", False):
            confirm_order.remember(context, self.place)
            return self._start(context)
        chosen = {"filepath": self.filepath, "directory": self.directory}
        files = [{"name": file.name} for file in self.files]
        place = self.place or "files"
        # A new call, since Blender discards this one together with its file browser.
        bpy.ops.image_to_mesh.make_here("INVOKE_DEFAULT", files=files, place=place, **chosen)
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


def _check_folder(paths: list[str]) -> None:
    """Raise BadImage if a dropped file does not exist in the folder that Blender passes.

    Blender 4.3 passes the folder of the first file, and only the names of all files. Blender 5.2
    passes paths.
    """
    for path in map(Path, paths[1:]):
        if not path.is_file():
            raise BadImage(
                Message("“{name}” is not in the folder of the first image.", name=path.name),
                "Drop the images of each folder separately.",
            )


def _in_row(context: bpy.types.Context, spec: jobs.JobSpec) -> jobs.JobSpec:
    """Return a specification that arranges the mesh in a row, even if Arrange in Row is off."""
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


classes = (IMAGE_TO_MESH_OT_make_here, IMAGE_TO_MESH_OT_clear_queue)
