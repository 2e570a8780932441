# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the library: reuse a job, show its folder, clean up, trust."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty

from ... import jobs, preferences
from ...app import import_result, resume
from ...app.bring_in import library_of
from ...app.periodic.library import over_limit, refresh_soon
from ...app.redraw import redraw
from ...i18n.translate import tr, translate_error
from ...jobs.disk.plain_files import is_plain, is_plain_folder
from ...jobs.disk.trust import check_author, trust_library
from ...providers import ImageToMeshError, LibraryProblem, get_provider, settings_of
from ...state.scene_properties import choices_of, write_settings
from ...state.server.kept import kept_settings, write_server_values
from ...state.subject_box import OWNER_PROVIDER, box_of, set_box
from ...state.views import SIDE_VIEWS
from ..arguments import argument

ALL_OF_THEM = "Jobs in it that others created can then be resumed and imported."


class IMAGE_TO_MESH_OT_trust_library(bpy.types.Operator):
    """Trust, or stop trusting, jobs in the library that other users wrote."""

    bl_idname = "image_to_mesh.trust_library"
    bl_label = "Trust This Library"
    bl_description = (
        "Allow jobs that others created in this library to be resumed and imported. Nothing in "
        "them is executed: models are rebuilt from their mesh files"
    )
    bl_options = {"INTERNAL"}

    trust: BoolProperty(
        name="Trust",
        description="Trust jobs that others created; if off, ask again",
        default=True,
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.trust:
            return self.execute(context)
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=tr("Trust This Library"),
            message=f"{preferences.library(context)}: {tr(ALL_OF_THEM)}",
            confirm_text=tr("Trust"),
            icon="WARNING",
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        root = preferences.library(context)
        try:
            trust_library(root, trusted=self.trust)
        except LibraryProblem as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        # At once: the index itself is only refreshed on a thread.
        jobs.library_index(root).trusted = self.trust
        # Jobs that were skipped because of their authors may be resumed now.
        jobs.session().recovery.scan(resume.resume_context(context))
        redraw(context)
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_reuse(bpy.types.Operator):
    """Restore a job's provider, settings, and images in the scene."""

    bl_idname = "image_to_mesh.reuse"
    bl_label = "Use These Settings Again"
    bl_description = "Restore the provider, settings, and images of this job in the scene"
    bl_options = {"REGISTER", "UNDO"}

    job: argument("Job", "Job to reuse; if empty, the newest")

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            record = _record(context, self.job)
            missing = _choose_again(context, record)
        except (ImageToMeshError, RuntimeError) as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        if missing:
            self.report({"WARNING"}, tr("No longer available: {}").format(", ".join(missing)))
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_show_folder(bpy.types.Operator):
    """Open a job's folder, or the library's, in the system's file manager."""

    bl_idname = "image_to_mesh.show_folder"
    bl_label = "Show Folder"
    bl_description = "Open the folder with the images, the mesh, and the job record"
    bl_options = {"INTERNAL"}

    job: argument("Job", "Job whose folder is opened; if empty, the library folder")

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            library = library_of(context, self.job)
            folder = library.folder(self.job) if self.job else library.root
        except LibraryProblem as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        # In a shared library, a job's folder could be a link to any other place.
        if not (folder.is_dir() and (not self.job or is_plain_folder(folder))):
            self.report({"WARNING"}, tr("Folder not found: {}").format(folder))
            return {"CANCELLED"}
        return set(bpy.ops.wm.path_open(filepath=str(folder)))


class IMAGE_TO_MESH_OT_clean_up(bpy.types.Operator):
    """Delete the oldest imported jobs until the library is within its limit."""

    bl_idname = "image_to_mesh.clean_up"
    bl_label = "Clean Up Library"
    bl_description = (
        "Delete the oldest jobs until the library is within its size limit; meshes that were never "
        "imported are kept"
    )
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not preferences.library_limit(context):
            cls.poll_message_set("The library has no size limit: set one in the preferences")
            return False
        if not over_limit(context):
            cls.poll_message_set("There is nothing to clean up")
            return False
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        chosen = over_limit(context)
        size = sum(entry.size for entry in chosen) / 1e6
        return context.window_manager.invoke_confirm(
            self,
            event,
            title=tr("Clean Up Library"),
            message=tr("Imported jobs to be deleted: {} ({} MB).").format(
                len(chosen), f"{size:,.0f}"
            ),
            confirm_text=tr("Delete"),
            icon="WARNING",
        )

    def execute(self, context: bpy.types.Context) -> set[str]:
        library = jobs.Library(preferences.library(context))
        try:
            for entry in over_limit(context):
                if not jobs.move_to_trash(library, entry.job):
                    library.delete(entry.job)
        except LibraryProblem as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        finally:
            # After an error, too: some of the jobs may be gone by then.
            refresh_soon(context)
        return {"FINISHED"}


def _record(context: bpy.types.Context, job: str) -> jobs.Record:
    if job:
        return library_of(context, job).load(job)
    return import_result.find(context, "")


def _kept_paths(record: jobs.Record, library: jobs.Library, missing: list[str]) -> dict[str, str]:
    """Return the paths of the files that settings named, in the job's folder, by setting.

    Labels of files that are gone are added to `missing`.
    """
    paths: dict[str, str] = {}
    for file in record.setting_files:
        path = library.folder(record.id) / file.file
        paths[file.setting] = str(path) if is_plain(path) else ""
        if not paths[file.setting]:
            missing.append(tr("file {}").format(file.name))
    return paths


def _choose_again(context: bpy.types.Context, record: jobs.Record) -> list[str]:
    """Restore a job's provider, settings, and images; return labels for missing ones.

    The scene's images stay if the job's front image no longer exists. Raise ImageToMeshError if
    somebody else wrote the job and the library is not trusted.
    """
    from ...providers._shared.adapters import parse_settings
    from ...scene.reuse_images import load_job_image

    provider = get_provider(record.provider)
    of_server = kept_settings(context.scene, provider).settings
    known = {setting.name for setting in settings_of(provider.settings)}
    missing = [
        tr("setting {}").format(name)
        for name in record.settings
        if name not in known and name not in of_server
    ]
    library = library_of(context, record.id)
    given = {name: value for name, value in record.settings.items() if name in known}
    given |= _kept_paths(record, library, missing)
    settings = parse_settings(provider.settings, given)
    check_author(record, library.root)
    images = {}
    for picture in record.pictures:
        with jobs.picture_to_open(library.folder(record.id) / (picture.file or ".")) as path:
            if path is not None:
                images[picture.view] = load_job_image(path, picture.name, jobs.digest_of(path))
            else:
                missing.append(tr("image {}").format(picture.name))
    chosen = choices_of(context.scene)
    present = box_of(chosen)
    chosen.provider = provider.id
    write_settings(context.scene, provider, settings)
    write_server_values(context.scene, provider, record.settings)
    # A box belongs to its image: the job's to the job's, and the present one to the scene's.
    restored = box_of(chosen) if provider.id == OWNER_PROVIDER else ()
    if "front" in images:
        # The front first: each side view remembers the front that it was chosen for.
        chosen.image = images["front"]
        for view in SIDE_VIEWS:
            setattr(chosen, f"view_{view}", images.get(view))
    set_box(chosen, restored if "front" in images else present)
    return missing


classes = (
    IMAGE_TO_MESH_OT_trust_library,
    IMAGE_TO_MESH_OT_reuse,
    IMAGE_TO_MESH_OT_show_folder,
    IMAGE_TO_MESH_OT_clean_up,
)
