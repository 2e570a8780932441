# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of a mesh: put an edited mesh into its object, show or remove versions."""

from __future__ import annotations

from typing import Any

import bpy

from ... import jobs
from ...app import bring_in, import_result
from ...i18n.translate import tr, translate, translate_error
from ...jobs.custom_properties import JOB, SCALE, VERSION
from ...jobs.library.file_names import ORIGINAL, version_file
from ...jobs.mesh_versions import version_label, versions_of
from ...providers import ImageToMeshError, LibraryProblem, Message
from ...scene.placement import chosen_placement
from ...state import import_options
from ..arguments import argument
from ..running import Refuses
from . import rotate


class IMAGE_TO_MESH_OT_take_edit(bpy.types.Operator):
    """Put the meshes of an ended edit into their objects."""

    bl_idname = "image_to_mesh.take_edit"
    bl_label = "Edit Mesh"
    bl_options = {"INTERNAL", "UNDO"}

    key: argument("Identifier", "Identifier of the edit")

    def execute(self, context: bpy.types.Context) -> set[str]:
        view = jobs.mesh_edits().view(self.key)
        if view is None or view.order.scene is None:
            return {"CANCELLED"}
        try:
            _take(context, view, view.order.scene)
        except (ImageToMeshError, OSError) as error:
            # Not as an error, which would be raised in the heartbeat. The panel shows it.
            jobs.mesh_edits().fail(view, _as_own_error(error))
            self.report({"WARNING"}, translate_error(error))
            return {"CANCELLED"}
        finally:
            view.order.scene.discard()
        self.report({"INFO"}, translate(view.summary))
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_bring_version(Refuses, bpy.types.Operator):
    """Show a version of the active object's mesh, or of a job's model."""

    bl_idname = "image_to_mesh.bring_version"
    bl_label = "Show Version"
    bl_description = "Show this version of the mesh; the current one stays in the list"
    bl_options = {"REGISTER", "UNDO"}

    job: argument("Job", "ID of the job", hidden=True)
    version: argument("Version", "File of the version in the job's folder", hidden=True)
    instead: argument("Replaced Version", "File of the version to replace", hidden=True)
    stored: argument("Stored Version", "Identifier of the version in the .blend file", hidden=True)

    def execute(self, context: bpy.types.Context) -> set[str]:
        if context.mode != "OBJECT":
            return self.refuse(tr("Switch to Object Mode first"))
        try:
            if self.stored:
                _show_stored(context, self.stored)
            else:
                _show_file(context, self.job, version_file(self.version), self.instead)
        except (ImageToMeshError, OSError, RuntimeError) as error:
            return self.refuse(translate_error(error))
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_library_versions(Refuses, bpy.types.Operator):
    """Open a menu of the versions in the folder of the active object's job."""

    bl_idname = "image_to_mesh.library_versions"
    bl_label = "Versions in Library"
    bl_description = "List all versions of this mesh in its job's folder"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            job, entries = _library_entries(context)
        except ImageToMeshError as error:
            return self.refuse(translate_error(error))

        def draw(menu: Any, _context: bpy.types.Context) -> None:
            for file, text, is_shown in entries:
                icon = "RADIOBUT_ON" if is_shown else "RADIOBUT_OFF"
                button = menu.layout.operator("image_to_mesh.bring_version", text=text, icon=icon)
                button.job, button.version = job, file

        context.window_manager.popup_menu(draw, title=tr(self.bl_label))
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_forget_versions(bpy.types.Operator):
    """Remove the versions that are not shown from the .blend file."""

    bl_idname = "image_to_mesh.forget_versions"
    bl_label = "Remove Other Versions"
    bl_description = (
        "Remove the other versions of this mesh from the .blend file, to make it smaller"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        from ...scene.exchange.targets import edited_objects

        if not any(len(versions_of(obj)) > 1 for obj in edited_objects(context)):
            cls.poll_message_set("There are no other versions")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        from ...scene.exchange.mesh_data import forget_versions
        from ...scene.exchange.targets import edited_objects

        count = sum(forget_versions(obj) for obj in edited_objects(context))
        self.report({"INFO"}, tr("Versions removed: {count}").format(count=count))
        return {"FINISHED"}


def _as_own_error(error: ImageToMeshError | OSError) -> ImageToMeshError:
    if isinstance(error, ImageToMeshError):
        return error
    return LibraryProblem(
        Message("The edited mesh could not be read: {reason}.", reason=error.strerror or error),
        "Try again.",
    )


def _take(context: bpy.types.Context, view: jobs.EditView, scene: jobs.SceneMeshes) -> None:
    """Put an edit's meshes into their objects, or add them as levels of detail.

    The edit's report is kept for the new mesh. Raise LibraryProblem if an object is gone, or
    OSError if the file cannot be read.
    """
    from ...jobs.tasks.edit_values import RESULT
    from ...scene.exchange import arriving

    order = view.order
    objects = arriving.find_objects(scene.objects)
    if len(objects) < len(scene.objects):
        raise LibraryProblem(
            Message("“{name}” is no longer in the scene.", name=order.name),
            "Undo, and start the tool again.",
        )
    meshes = arriving.load_meshes(str(scene.folder / RESULT), view.meshes)
    if order.task == "levels":
        arriving.place_levels(context, objects[0], meshes)
    else:
        arriving.exchange_edited(objects, meshes, order.task, view.version)
    uid = str(objects[0].data.session_uid)
    jobs.mesh_edits().put_card(jobs.object_key(objects[0].session_uid), uid, view.card)


def _show_stored(context: bpy.types.Context, key: str) -> None:
    """Show a version that is in the .blend file; raise LibraryProblem if it was removed."""
    from ...scene.exchange.mesh_data import exchange_mesh
    from ...scene.exchange.targets import edited_objects

    # The meshes of a model are edited together, so their versions have the same keys.
    found = [(obj, dict(versions_of(obj)).get(key)) for obj in edited_objects(context)]
    if not any(mesh for _, mesh in found):
        raise LibraryProblem("This version is no longer in the file.", "Choose another version.")
    for obj, mesh in found:
        if mesh not in (None, obj.data):
            exchange_mesh(obj, mesh)


def _show_file(context: bpy.types.Context, job: str, blend: str, instead: str) -> None:
    """Show a version from the job's folder, in an object that shows the job's model.

    The active object is preferred, then one that shows the version `instead`. If no object shows
    the model, a new one is placed as set in Placement. Raise ImageToMeshError, OSError, or
    RuntimeError if the version cannot be imported.
    """
    from ...scene.exchange.from_library import adopt_model

    record = import_result.find(context, job)
    before = _shown_object(context, record.id, instead)
    selected = list(context.view_layer.objects.selected)
    _, made, _ = bring_in.bring_in(context, record, _place_of(context, before), blend)
    if before is not None:
        kept = adopt_model(context, before, made)
        for obj in selected:
            obj.select_set(True)
        kept.select_set(True)
        context.view_layer.objects.active = kept


def _shown_object(context: bpy.types.Context, job: str, version: str) -> bpy.types.Object | None:
    """Return the root of the job's model in the scene, or None.

    The active object is preferred, then the last root that shows `version`, then the last root.
    """
    found = [root for root in rotate.result_roots(context) if root[JOB] == job]
    found.sort(key=lambda root: root.get(VERSION, ORIGINAL) == version)
    active = context.view_layer.objects.active
    return next((root for root in found if root == active), found[-1] if found else None)


def _place_of(context: bpy.types.Context, root: bpy.types.Object | None) -> jobs.Placement:
    if root is None:
        return chosen_placement(context, import_options.placement_of(context.scene))
    x, y, z = root.matrix_world.translation
    # As large as the model that it replaces: the size in the settings may have changed since.
    return jobs.Placement((x, y, z), scale=float(root.get(SCALE, 1.0)))


def _library_entries(context: bpy.types.Context) -> tuple[str, list[tuple[str, str, bool]]]:
    """Return the ID of the active object's job, and a tuple for each version in its folder.

    The tuple has the version's file, its label, and whether it is shown. Raise LibraryProblem if
    the object has no job, or the job is not in the library.
    """
    from ...jobs.library.versions import versions

    active = context.view_layer.objects.active
    job = str(active.get(JOB, "")) if active else ""
    if not job:
        raise LibraryProblem(
            "The active object is not a generated mesh.", "Select a generated mesh."
        )
    try:
        record = bring_in.library_of(context, job).load(job)
    except LibraryProblem:
        raise LibraryProblem(
            Message("The job of “{name}” is no longer in the library.", name=active.name),
            "Its versions in this file are in the Versions menu.",
        ) from None
    shown = str(active.get(VERSION, ORIGINAL))
    folder = bring_in.library_of(context, job).folder(job)
    entries = []
    for version in versions(folder):
        faces = version.card.get("faces") or (record.faces if version.file == ORIGINAL else None)
        text = translate(version_label(version.made_by, faces))
        entries.append((version.file, text, version.file == shown))
    return job, entries


classes = (
    IMAGE_TO_MESH_OT_take_edit,
    IMAGE_TO_MESH_OT_bring_version,
    IMAGE_TO_MESH_OT_library_versions,
    IMAGE_TO_MESH_OT_forget_versions,
)
