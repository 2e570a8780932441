# SPDX-License-Identifier: GPL-3.0-or-later
"""Import a finished job's mesh, as often as needed and free of charge."""

from __future__ import annotations

from dataclasses import replace

import bpy
from bpy.props import FloatVectorProperty, IntProperty

from ... import jobs, preferences
from ...app.import_result import find, find_drawing, import_result, show_failure
from ...i18n.translate import translate_error
from ...jobs.custom_properties import SCALE
from ...jobs.library.file_names import version_file
from ...providers import ImageToMeshError
from ...scene.placement import chosen_placement
from ...state import import_options
from ...state.updates import job_targets
from ..arguments import HIDDEN, argument, hidden_switch
from .adjustments import Adjustable


class IMAGE_TO_MESH_OT_import_result(Adjustable, bpy.types.Operator):
    """Import a job's prepared model, or put it into an object of an earlier result."""

    bl_idname = "image_to_mesh.import_result"
    bl_label = "Import Generated Mesh"
    bl_description = "Import the mesh of a finished job into the scene at no cost"
    bl_options = {"REGISTER", "UNDO"}  # guard: one-undo-step

    job: argument(
        "Job", "Job whose mesh is imported; if empty, the newest with a mesh", hidden=True
    )
    location: FloatVectorProperty(
        name="Location",
        description="Location of the mesh; if not set, the scene's placement is used",
        subtype="TRANSLATION",
        size=3,
        options={"SKIP_SAVE"},
    )
    version: argument(
        "Version", "File of the version to import; if empty, the original", hidden=True
    )
    as_ordered: hidden_switch(
        "Original Placement", "Use the location and size that were set when the job was started"
    )
    into: IntProperty(
        name="Target Object",
        description="Session UID of the object to update (0 = add a new object)",
        options=HIDDEN,
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            record = find_drawing(self.job) or find(context, self.job)
            # Kept for Adjust Last Operation, which imports again: another job may be the newest
            # by then.
            self.job = record.id
            root = self._import(context, record)
        except (ImageToMeshError, OSError, RuntimeError) as error:
            show_failure(self.job, error)
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        # For the Adjust Last Operation panel, which starts from where the mesh is.
        self.location = root.location
        self.read_adjustments(context, root)
        if not self.into and preferences.is_on(context, "frame_new"):
            from ...scene.ground.framing import frame_if_out_of_sight

            frame_if_out_of_sight(context, root)
        return {"FINISHED"}

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the Adjust Last Operation panel."""
        self.draw_adjustments(in_place=bool(self.into))

    def _import(self, context: bpy.types.Context, record: jobs.Record) -> bpy.types.Object:
        """Import the model; return its root, or that of the model that was updated with it.

        If the object to update no longer exists, the model is added as a new one, with a note.
        """
        blend = version_file(self.version)
        target = job_targets.find(context.scene, self.into)
        if target is None:
            notes = (job_targets.GONE,) if self.into else ()
            self.into = 0
            root = import_result(context, record, self._place(context, record), blend, notes)
            self.adjust(context, root)
            return root
        from ...scene.updating.selection import kept_selection
        from ...scene.updating.update_model import update_model

        with kept_selection(context):
            root = import_result(context, record, _place_of(target), blend)
            self.adjust(context, root)
            return update_model(context, target, [root, *root.children_recursive])

    def _place(self, context: bpy.types.Context, record: jobs.Record) -> jobs.Placement:
        """Return the placement, with the operator's location and size if these were set."""
        if self.as_ordered:
            place = record.plan.placement
        else:
            place = chosen_placement(context, import_options.placement_of(context.scene))
        if self.properties.is_property_set("location"):
            x, y, z = self.location
            place = replace(place, location=(x, y, z), free=False)
        return self.with_size(place)


def _place_of(target: bpy.types.Object) -> jobs.Placement:
    """Return the placement of a mesh that updates an object.

    It has the object's location, and the scale of the object's import.
    """
    x, y, z = target.matrix_world.translation
    return jobs.Placement((x, y, z), scale=float(target.get(SCALE, 1.0)))


classes = (IMAGE_TO_MESH_OT_import_result,)
