# SPDX-License-Identifier: GPL-3.0-or-later
"""Edit a generated mesh on demand: report on it, or create a cleaner, lighter or quad version.

The background Blender does the work. The heartbeat polls for it; scripts wait.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import bpy
from mathutils import Matrix

from ... import jobs
from ...app import bring_in, import_result
from ...app.periodic.mesh_edits import bring_results, follow
from ...i18n.translate import translate, translate_error
from ...jobs.custom_properties import APPLIED, JOB, ROTATION, SCALE, VERSION
from ...jobs.library.file_names import ORIGINAL, version_file
from ...providers import ImageToMeshError, LibraryProblem, Message
from ...scene.placement import chosen_placement
from ...state import import_options, open_file
from ..arguments import argument
from ..running import Refuses
from . import rotate


class _EditOperator(Refuses, bpy.types.Operator):
    """Base of the operators that edit a mesh in the background Blender."""

    bl_options: ClassVar[set[str]] = {"REGISTER"}
    task: ClassVar[str]
    settings: ClassVar[tuple[str, ...]] = ()

    job: argument(
        "Job",
        "Job whose model to edit; if empty, the active object's, else the newest",
        hidden=True,
    )
    version: argument(
        "Version",
        "File of the version to edit; if empty, the active object's, else the original",
        hidden=True,
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if bpy.app.background:
            return self.execute(context)
        try:
            self._start(context)
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))
        follow()
        return {"FINISHED"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            edit = self._start(context)
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))
        # A script has no event loop in which the heartbeat could poll.
        edit.thread.join()
        bring_results()
        if edit.view.failure:
            return self.refuse(translate(edit.view.failure.message, edit.view.failure.hint))
        for note in edit.view.notes:
            self.report({"INFO"}, translate(note))
        return {"FINISHED"}

    def _start(self, context: bpy.types.Context) -> jobs.MeshEdit:
        from ...scene import background_command

        record, version = target(context, self.job, self.version)
        folder = bring_in.library_of(context, record.id).folder(record.id)
        if not (folder / version).is_file():
            hint = "Import the mesh first."
            raise LibraryProblem(
                Message(
                    "“{name}” is not prepared yet: {version} is missing.",
                    name=record.name,
                    version=version,
                ),
                hint,
            )
        chosen = import_options.edit_options_of(context.scene)
        asked: dict[str, Any] = {name: getattr(chosen, name) for name in self.settings}
        order = jobs.EditRequest(
            record.id, record.name, folder, self.task, version, asked, open_file.token()
        )
        return jobs.mesh_edits().start(order, background_command())


class IMAGE_TO_MESH_OT_health_card(_EditOperator):
    """Report on a mesh."""

    bl_idname = "image_to_mesh.health_card"
    bl_label = "Mesh Report"
    bl_description = "Report faces, loose parts, holes, and defects of the generated mesh"
    task = "card"


class IMAGE_TO_MESH_OT_clean_mesh(_EditOperator):
    """Create a cleaned version."""

    bl_idname = "image_to_mesh.clean_mesh"
    bl_label = "Clean Mesh"
    bl_description = (
        "Create a cleaned version: merge vertices, remove loose parts and inner shells, "
        "fill holes, fix normals"
    )
    task = "clean"
    settings = ("shells", "debris", "fill")


class IMAGE_TO_MESH_OT_decimate(_EditOperator):
    """Create a version with fewer faces."""

    bl_idname = "image_to_mesh.decimate"
    bl_label = "Reduce Faces"
    bl_description = "Create a version with about this many faces; keeps the texture"
    task = "decimate"
    settings = ("faces",)


class IMAGE_TO_MESH_OT_quad_remesh(_EditOperator):
    """Create a quad version."""

    bl_idname = "image_to_mesh.quad_remesh"
    bl_label = "Quad Remesh"
    bl_description = "Create a version of about this many quads and bake the textures onto it"
    task = "quads"
    settings = ("faces",)


class IMAGE_TO_MESH_OT_detail_levels(_EditOperator):
    """Create a version with levels of detail."""

    bl_idname = "image_to_mesh.detail_levels"
    bl_label = "Levels of Detail"
    bl_description = "Create a version with levels of detail, from all faces down to this many"
    task = "levels"
    settings = ("faces", "levels")


class IMAGE_TO_MESH_OT_print_check(_EditOperator):
    """Check a mesh for 3D printing."""

    bl_idname = "image_to_mesh.print_check"
    bl_label = "Print Check"
    bl_description = "Check whether the mesh is watertight and thick enough for a 3D printer"
    task = "print"
    settings = ("print_height", "wall")


class IMAGE_TO_MESH_OT_stop_care(bpy.types.Operator):
    """Stop a mesh edit."""

    bl_idname = "image_to_mesh.stop_care"
    bl_label = "Stop"
    bl_description = "Stop this operation; the mesh is not changed"
    bl_options = {"INTERNAL"}

    job: argument("Job", "ID of the job")

    def execute(self, context: bpy.types.Context) -> set[str]:
        return {"FINISHED"} if jobs.mesh_edits().stop(self.job) else {"CANCELLED"}


class IMAGE_TO_MESH_OT_bring_version(bpy.types.Operator):
    """Import a version in the place of the object that it was made from, and hide that object."""

    bl_idname = "image_to_mesh.bring_version"
    bl_label = "Show Version"
    bl_description = "Show this version instead of the current one, which is hidden and not deleted"
    bl_options = {"INTERNAL", "UNDO"}

    job: argument("Job", "ID of the job")
    version: argument("Version", "File of the version to show")
    instead: argument("Replaces", "File of the version to replace")

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            record = import_result.find(context, self.job)
            blend = version_file(self.version)
            before = _standing(context, record.id, self.instead or ORIGINAL)
            place = _place_of(context, before)
            bring_in.bring_in(context, record, place, blend)
        except (ImageToMeshError, OSError, RuntimeError) as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        made = _standing(context, record.id, blend)
        if before is not None and made is not None:
            _take_over(context, before, made)
        return {"FINISHED"}


def target(context: bpy.types.Context, job: str, version: str) -> tuple[jobs.Record, str]:
    """Return the job and version to edit: those named, else those of the active object.

    Without either, the newest job. Raises LibraryProblem if there is no such job.
    """
    roots = rotate.result_roots(context)
    active = context.view_layer.objects.active
    if not job and roots and active in (roots[0], *roots[0].children_recursive):
        job = str(roots[0][JOB])
        version = version or str(roots[0].get(VERSION, ""))
    return import_result.find(context, job), version_file(version)


def _standing(context: bpy.types.Context, job: str, version: str) -> bpy.types.Object | None:
    """Return the root of a version in the scene: the active object if possible, else the newest."""
    found = [
        root
        for root in rotate.result_roots(context)
        if root[JOB] == job and root.get(VERSION, ORIGINAL) == version
    ]
    active = context.view_layer.objects.active
    return next((root for root in found if root == active), found[-1] if found else None)


def _place_of(context: bpy.types.Context, root: bpy.types.Object | None) -> jobs.Placement:
    if root is None:
        return chosen_placement(context, import_options.placement_of(context.scene))
    x, y, z = root.matrix_world.translation
    # As large as the model that it replaces: the size in the settings may have changed since.
    return jobs.Placement((x, y, z), scale=float(root.get(SCALE, 1.0)))


def _take_over(
    context: bpy.types.Context, before: bpy.types.Object, made: bpy.types.Object
) -> None:
    """Move a new version to the exact place of the previous one, and hide that one."""
    # The matrix includes the earlier model's rotation, and the property has to agree with it.
    made[ROTATION] = before.get(ROTATION, 0)
    difference = math.radians(int(before.get(APPLIED, 0)) - int(made.get(APPLIED, 0)))
    made.matrix_world = before.matrix_world @ Matrix.Rotation(difference, 4, "Z")
    shown = set(context.view_layer.objects)
    for obj in (before, *before.children_recursive):
        if obj in shown:
            # Hidden and not deleted: the previous version stays one click away.
            obj.hide_set(True, view_layer=context.view_layer)


classes = (
    IMAGE_TO_MESH_OT_health_card,
    IMAGE_TO_MESH_OT_clean_mesh,
    IMAGE_TO_MESH_OT_decimate,
    IMAGE_TO_MESH_OT_quad_remesh,
    IMAGE_TO_MESH_OT_detail_levels,
    IMAGE_TO_MESH_OT_print_check,
    IMAGE_TO_MESH_OT_stop_care,
    IMAGE_TO_MESH_OT_bring_version,
)
