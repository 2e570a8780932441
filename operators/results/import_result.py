# SPDX-License-Identifier: GPL-3.0-or-later
"""Import a finished job's mesh, as often as needed and free of charge."""

from __future__ import annotations

from dataclasses import replace

import bpy
from bpy.props import BoolProperty, FloatVectorProperty

from ... import jobs, preferences
from ...app.import_result import find, find_drawing, import_result, show_failure
from ...i18n.translate import translate_error
from ...jobs.library.file_names import version_file
from ...providers import ImageToMeshError
from ...scene.placement import chosen_placement
from ...state import import_options
from ..arguments import argument


class IMAGE_TO_MESH_OT_import_result(bpy.types.Operator):
    """Import a job's prepared model."""

    bl_idname = "image_to_mesh.import_result"
    bl_label = "Import Generated Mesh"
    bl_description = "Import the mesh of a finished job into the scene at no cost"
    bl_options = {"REGISTER", "UNDO"}  # guard: one-undo-step

    job: argument("Job", "Job whose mesh to import; if empty, the newest with a mesh", hidden=True)
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
    as_ordered: BoolProperty(
        name="Original Placement",
        description="Use the location and size that were set when the job was started",
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            record = find_drawing(self.job) or find(context, self.job)
            # Kept for Adjust Last Operation, which imports again: another job may be the newest
            # by then.
            self.job = record.id
            blend = version_file(self.version)
            root = import_result(context, record, self._place(context, record), blend)
        except (ImageToMeshError, OSError, RuntimeError) as error:
            show_failure(self.job, error)
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        # For the Adjust Last Operation panel, which starts from where the mesh is.
        self.location = root.location
        if preferences.is_on(context, "frame_new"):
            from ...scene.ground.framing import frame_if_out_of_sight

            frame_if_out_of_sight(context, root)
        return {"FINISHED"}

    def _place(self, context: bpy.types.Context, record: jobs.Record) -> jobs.Placement:
        """Return the placement, at the operator's location if it was given one."""
        if self.as_ordered:
            place = record.plan.placement
        else:
            place = chosen_placement(context, import_options.placement_of(context.scene))
        if self.properties.is_property_set("location"):
            x, y, z = self.location
            return replace(place, location=(x, y, z), free=False)
        return place


classes = (IMAGE_TO_MESH_OT_import_result,)
