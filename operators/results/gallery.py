# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery: turn its page, select a result, give it a name or a star."""

from __future__ import annotations

from dataclasses import replace

import bpy
from bpy.props import IntProperty

from ... import jobs, preferences
from ...app import heartbeat
from ...app.bring_in import library_of
from ...i18n.translate import translate_error
from ...providers import ImageToMeshError, LibraryProblem
from ...state.results.listing import ROWS, columns, listing, page_start, selected_result
from ...state.results.setting_texts import changed_text
from ...state.results.shelf import ALL, call_to_rename, shelf_of
from ...state.results.texts import provider_label, when_text
from ..arguments import argument


class IMAGE_TO_MESH_OT_turn_page(bpy.types.Operator):
    """Show the next or previous page of results."""

    bl_idname = "image_to_mesh.turn_page"
    bl_label = "Show Page"
    bl_description = "Show newer or older results"
    bl_options = {"INTERNAL"}

    by: IntProperty(
        name="Pages",
        description="Number of pages to move; negative for newer results",
        options={"SKIP_SAVE"},
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        shelf, total = shelf_of(context), len(listing(context).items)
        size = columns(context) * ROWS
        # The library may have shrunk since the page was stored.
        first = page_start(shelf.first, total, size)
        shelf.first = page_start(max(0, first + self.by * size), total, size)
        heartbeat.wake()
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_select_result(bpy.types.Operator):
    """Select a result, whose details and buttons the gallery then shows."""

    bl_idname = "image_to_mesh.select_result"
    bl_label = "Select Result"
    bl_description = "Show the details and buttons of this result"
    bl_options = {"INTERNAL"}

    job: argument("Job", "Job whose result is selected")

    @classmethod
    def description(
        cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties
    ) -> str:
        item = listing(context).by_job.get(properties.job)
        if not isinstance(item, jobs.Entry):
            return ""
        lines = (item.title, f"{when_text(item.created)}, {provider_label(item)}")
        return "\n".join(filter(None, (*lines, changed_text(item))))

    def execute(self, context: bpy.types.Context) -> set[str]:
        shelf = shelf_of(context)
        shelf.selected, shelf.notice = self.job, ""
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_show_all_results(bpy.types.Operator):
    """Clear the gallery's filters."""

    bl_idname = "image_to_mesh.show_all_results"
    bl_label = "Show All Results"
    bl_description = "Clear the search and the filters"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        shelf = shelf_of(context)
        shelf.text, shelf.provider, shelf.starred = "", ALL, False
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_star_result(bpy.types.Operator):
    """Give a result a star, or remove its star."""

    bl_idname = "image_to_mesh.star_result"
    bl_label = "Star"
    bl_description = "Mark this result with a star, or remove the star"

    job: argument("Job", "Job whose result is marked; if empty, the selected one")

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            job, label = _label_of(context, self.job)
            _change_label(context, job, replace(label, starred=not label.starred))
        except ImageToMeshError as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class IMAGE_TO_MESH_OT_rename_result(bpy.types.Operator):
    """Give a result another name in the library, or that of its image if the name is empty."""

    bl_idname = "image_to_mesh.rename_result"
    bl_label = "Rename Result"
    bl_description = "Rename this result in the library; imported objects keep their names"
    bl_options = {"INTERNAL"}

    job: argument("Job", "Job whose result is renamed; if empty, the selected one")
    name: argument("Name", "New name; if empty, the name of the image")

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            job, label = _label_of(context, self.job)
            _change_label(context, job, replace(label, name=self.name))
        except ImageToMeshError as error:
            self.report({"ERROR"}, translate_error(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def register() -> None:
    """Connect the name's field to the function that renames results."""
    call_to_rename(_rename)


def unregister() -> None:
    """Disconnect the name's field."""
    call_to_rename(None)


def _rename(context: bpy.types.Context, name: str) -> None:
    """Rename the selected result as entered in the panel; show a failure below the thumbnails."""
    shelf = shelf_of(context)
    shelf.notice = ""
    try:
        job, label = _label_of(context, "")
        _change_label(context, job, replace(label, name=name))
    except ImageToMeshError as error:
        # A property has no reports.
        shelf.notice = translate_error(error)


def _label_of(context: bpy.types.Context, job: str) -> tuple[str, jobs.Label]:
    """Return a job's ID, by default that of the selected result, and its label.

    Raise LibraryProblem if no result is selected or there is no such job.
    """
    if not job:
        item = selected_result(context)
        if item is None:
            raise LibraryProblem("No result is selected.", "Select a result in Results.")
        job = item.job
    # The record is not needed, but a job that is gone must not get a new folder.
    return job, jobs.read_label(library_of(context, job).idle_folder(job, mine=True))


def _change_label(context: bpy.types.Context, job: str, label: jobs.Label) -> None:
    library = library_of(context, job)
    jobs.write_label(library.folder(job), label)
    # At once: the index itself is only refreshed on a thread.
    jobs.library_index(preferences.library(context)).reread(job)
    heartbeat.wake()


classes = (
    IMAGE_TO_MESH_OT_turn_page,
    IMAGE_TO_MESH_OT_select_result,
    IMAGE_TO_MESH_OT_show_all_results,
    IMAGE_TO_MESH_OT_star_result,
    IMAGE_TO_MESH_OT_rename_result,
)
