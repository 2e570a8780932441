# SPDX-License-Identifier: GPL-3.0-or-later
"""Check or edit a mesh on demand: report on it, clean it, reduce it, remesh it with quads.

The background Blender does the work on the active object's mesh. The heartbeat polls for it;
scripts wait, and may name a job whose model is not in the scene.
"""

from __future__ import annotations

from typing import Any, ClassVar

import bpy

from ... import jobs
from ...app.periodic.mesh_edits import bring_results, follow
from ...i18n.translate import translate, translate_error
from ...jobs.custom_properties import JOB, VERSION
from ...providers import ImageToMeshError
from ...state import import_options
from ..arguments import argument
from ..running import Refuses
from . import edit_requests


class _EditOperator(Refuses, bpy.types.Operator):
    """Base of the operators that check or edit meshes in the background Blender."""

    bl_options: ClassVar[set[str]] = {"REGISTER"}
    task: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = ()

    job: argument(
        "Job",
        "Job whose model is edited; if empty, the active object's mesh is edited",
        hidden=True,
    )
    version: argument(
        "Version",
        "File of the version to edit; if empty, the version in the scene, or the original if there "
        "is none",
        hidden=True,
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        try:
            self._start(context)
        except (ImageToMeshError, OSError) as error:
            return self.refuse(translate_error(error))
        follow()
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            edit = self._start(context)
        except (ImageToMeshError, OSError) as error:
            return self.refuse(translate_error(error))
        # A script has no event loop in which the heartbeat could poll.
        edit.thread.join()
        bring_results()
        if edit.view.failure:
            return self.refuse(translate(edit.view.failure.message, edit.view.failure.hint))
        for note in (edit.view.summary, *edit.view.notes):
            if note:
                self.report({"INFO"}, translate(note))
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context) -> jobs.MeshEdit:
        from ...scene import background_command

        chosen = import_options.edit_options_of(context.scene)
        asked: dict[str, Any] = {name: getattr(chosen, name) for name in self.settings}
        if self._is_in_scene(context):
            order = edit_requests.for_scene(context, self.task, asked)
        else:
            order = edit_requests.for_job(context, self.task, asked, (self.job, self.version))
        return jobs.mesh_edits().start(order, background_command())

    def _is_in_scene(self, context: bpy.types.Context) -> bool:
        """Return whether to edit the active object's mesh, and not a version in a job's folder."""
        if not (self.job or self.version):
            return True
        active = context.view_layer.objects.active
        is_that = active is not None and self.job in ("", active.get(JOB, ""))
        return is_that and self.version in ("", active.get(VERSION, ""))


class IMAGE_TO_MESH_OT_health_card(_EditOperator):
    """Report faces, parts, holes, and defects of a mesh."""

    bl_idname = "image_to_mesh.health_card"
    bl_label = "Check Mesh"
    bl_description = "Report faces, loose parts, holes, and defects of the active object's mesh"
    task = "card"


class IMAGE_TO_MESH_OT_clean_mesh(_EditOperator):
    """Merge vertices, remove loose parts and inner shells, fill holes, and fix normals."""

    bl_idname = "image_to_mesh.clean_mesh"
    bl_label = "Clean Mesh"
    bl_description = (
        "Merge vertices, remove loose parts and inner shells, fill holes, and fix normals. "
        "The previous mesh is kept as a version"
    )
    task = "clean"
    settings = ("shells", "debris", "fill")


class IMAGE_TO_MESH_OT_decimate(_EditOperator):
    """Reduce a mesh to about the number of triangles set in the scene."""

    bl_idname = "image_to_mesh.decimate"
    bl_label = "Reduce Faces"
    bl_description = (
        "Reduce the mesh to about as many triangles as set in Faces, keeping the texture. "
        "The previous mesh is kept as a version"
    )
    task = "decimate"
    settings = ("faces",)


class IMAGE_TO_MESH_OT_quad_remesh(_EditOperator):
    """Remesh with about the number of quads set in the scene, and bake the textures."""

    bl_idname = "image_to_mesh.quad_remesh"
    bl_label = "Quad Remesh"
    bl_description = (
        "Remesh with about as many quads as set in Faces and bake the textures onto them. "
        "The previous mesh is kept as a version"
    )
    task = "quads"
    settings = ("faces",)


class IMAGE_TO_MESH_OT_detail_levels(_EditOperator):
    """Add objects with fewer triangles beside the active one, as levels of detail."""

    bl_idname = "image_to_mesh.detail_levels"
    bl_label = "Levels of Detail"
    bl_description = (
        "Add an object beside this one for each level of detail, down to about as many triangles "
        "as set in Faces"
    )
    task = "levels"
    settings = ("faces", "levels")


class IMAGE_TO_MESH_OT_print_check(_EditOperator):
    """Check a mesh for 3D printing."""

    bl_idname = "image_to_mesh.print_check"
    bl_label = "3D Print Check"
    bl_description = "Check whether the mesh is watertight and thick enough for a 3D printer"
    task = "print"
    settings = ("print_height", "wall")


class IMAGE_TO_MESH_OT_stop_care(bpy.types.Operator):
    """Stop a running mesh edit; its mesh does not change."""

    bl_idname = "image_to_mesh.stop_care"
    bl_label = "Stop"
    bl_description = "Stop this operation; the mesh is not changed"
    bl_options = {"INTERNAL"}

    job: argument("Identifier", "Identifier of the edit: the ID of its job or object")

    def execute(self, context: bpy.types.Context) -> set[str]:
        return {"FINISHED"} if jobs.mesh_edits().stop(self.job) else {"CANCELLED"}


classes = (
    IMAGE_TO_MESH_OT_health_card,
    IMAGE_TO_MESH_OT_clean_mesh,
    IMAGE_TO_MESH_OT_decimate,
    IMAGE_TO_MESH_OT_quad_remesh,
    IMAGE_TO_MESH_OT_detail_levels,
    IMAGE_TO_MESH_OT_print_check,
    IMAGE_TO_MESH_OT_stop_care,
)
