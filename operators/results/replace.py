# SPDX-License-Identifier: GPL-3.0-or-later
"""Select a job's objects, replace a model with a result, or restore the replaced one."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from ...app import import_result
from ...i18n.translate import translate_error
from ...jobs.custom_properties import JOB
from ...providers import LibraryProblem
from ..arguments import argument


class IMAGE_TO_MESH_OT_select_made(bpy.types.Operator):
    """Select the visible objects of a job, by default the active object's."""

    bl_idname = "image_to_mesh.select_made"
    bl_label = "Select Objects of Same Job"
    bl_description = "Select all objects in the scene that this job created"
    bl_options = {"REGISTER", "UNDO"}

    job: argument("Job", "Job whose objects are selected; if empty, the active object's")
    extend: BoolProperty(name="Extend", description="Extend the selection instead of replacing it")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _in_object_mode(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ...scene.replace import find_job_objects

        active = context.view_layer.objects.active
        job = self.job or (active.get(JOB, "") if active else "")
        found = find_job_objects(job, context.view_layer) if job else []
        visible = [obj for obj in found if obj.visible_get()]
        if not visible:
            self.report({"WARNING"}, _why_none(job, found))
            return {"CANCELLED"}
        if not self.extend:
            for obj in list(context.view_layer.objects.selected):
                obj.select_set(False)
        for obj in visible:
            obj.select_set(True)
        if active not in visible:
            context.view_layer.objects.active = visible[0]
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_replace(bpy.types.Operator):
    """Replace the active model with a job's result."""

    bl_idname = "image_to_mesh.replace"
    bl_label = "Replace Selected with Result"
    bl_description = (
        "Replace the active object's mesh with this result; location, parent, modifiers, and "
        "collections are kept. Restore Replaced Model brings the previous mesh back"
    )
    bl_options = {"REGISTER", "UNDO"}

    job: argument("Job", "Job whose mesh is used; if empty, the newest with a mesh", hidden=True)
    keep_height: BoolProperty(
        name="Keep Height",
        description="Scale the new mesh to the height of the one it replaces",
        default=True,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not _in_object_mode(cls, context):
            return False
        active = context.view_layer.objects.active
        # A model of several meshes has an Empty as its root.
        if active is None or not (active.type == "MESH" or JOB in active):
            cls.poll_message_set("Select the mesh to replace")
            return False
        if not active.is_editable:
            cls.poll_message_set("The object is linked from another file")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ...scene.replace import find_model_objects, replace_model

        old = find_model_objects(context.view_layer.objects.active)
        # The import changes the selection, which is restored afterwards.
        selected = list(context.view_layer.objects.selected)
        try:
            # Kept for Adjust Last Operation, which runs this again: another job may be the newest
            # by then.
            self.job = import_result.find(context, self.job).id
            new = _import(self.job, old[0])
        except (LibraryProblem, RuntimeError) as error:
            # Blender prefixes errors of nested operators.
            self.report({"ERROR"}, translate_error(error).removeprefix("Error: "))
            return {"CANCELLED"}
        root = replace_model(context, old, new, keep_height=self.keep_height)
        _select(context, [root, *(obj for obj in selected if obj not in old)], root)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_bring_back(bpy.types.Operator):
    """Restore the model that the active one replaced, no matter how long ago."""

    bl_idname = "image_to_mesh.bring_back"
    bl_label = "Restore Replaced Model"
    bl_description = "Restore the model that the active object replaced"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        from ...scene.replace import has_replaced_model

        active = context.view_layer.objects.active
        if not _in_object_mode(cls, context):
            return False
        if active is None or not has_replaced_model(active):
            cls.poll_message_set("The active object has not replaced a model")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ...scene.replace import restore_replaced

        root = restore_replaced(context, context.view_layer.objects.active)
        _select(context, [root], root)
        return {"FINISHED"}


def _in_object_mode(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if context.mode != "OBJECT":
        operator.poll_message_set("Switch to Object Mode first")
        return False
    return True


def _why_none(job: str, found: list[bpy.types.Object]) -> str:
    if found:
        return "This job's objects are hidden"
    if job:
        return "This job has no objects in this scene"
    return "The active object is not a generated mesh"


def _import(job: str, place: bpy.types.Object) -> list[bpy.types.Object]:
    """Import a job's model at the location of `place`; return its objects, the root first.

    Raise RuntimeError if the import fails, as calls of operators do.
    """
    from ...scene.replace import find_model_objects

    before = set(bpy.data.objects)
    # Through the operator, so that replacing imports exactly as importing does.
    bpy.ops.image_to_mesh.import_result(job=job, location=place.matrix_world.translation)
    new = [obj for obj in bpy.data.objects if obj not in before]
    return find_model_objects(next(obj for obj in new if obj.parent not in new))


def _select(
    context: bpy.types.Context, objects: list[bpy.types.Object], active: bpy.types.Object
) -> None:
    context.view_layer.update()  # until then, it still lists removed objects
    for obj in list(context.view_layer.objects.selected):
        obj.select_set(False)
    for obj in objects:
        if obj.name in context.view_layer.objects:
            obj.select_set(True)
    context.view_layer.objects.active = active


classes = (
    IMAGE_TO_MESH_OT_select_made,
    IMAGE_TO_MESH_OT_replace,
    IMAGE_TO_MESH_OT_bring_back,
)
