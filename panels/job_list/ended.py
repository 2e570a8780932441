# SPDX-License-Identifier: GPL-3.0-or-later
"""Ended jobs: one line each, and the details of the newest and of those that were opened."""

from __future__ import annotations

from collections.abc import Sequence

import bpy

from ... import jobs
from ...i18n.translate import tr, translate
from ...providers import all_providers
from ...state import open_file, opened_jobs, viewport_shading
from ...state.updates import job_targets
from ..account_text import cost_text
from ..text_layout import BOX_GAP, draw_fact, draw_text, duration, fits_line, is_narrow
from .failed import draw_failure

ENDED_SHOWN = 5
"""Maximum number of ended jobs outside of the closed subpanel for older ones."""
OLDER_SHOWN = 10
ICONS = 92.0
"""Pixels of a job's line that its icons and small buttons take, at a UI scale of 1."""
FEW_ICONS = 48.0
"""The same for a job without details: how it ended, and the button that hides it."""


def draw_ended(
    layout: bpy.types.UILayout, context: bpy.types.Context, ended: Sequence[jobs.JobView]
) -> None:
    """Draw the ended jobs, the newest first.

    The newest job with a mesh, the newest that failed, and canceled ones with an awaited result
    show their details unless the user closed them. Other jobs show theirs only if the user opened
    them. Jobs beyond ENDED_SHOWN are in a closed subpanel, which shows at most OLDER_SHOWN of them.
    """
    newest = _newest(ended)
    column = layout.column(align=True)
    for view in ended[:ENDED_SHOWN]:
        _draw_job(column, context, view, newest)
    older = ended[ENDED_SHOWN:]
    if not older:
        return
    header, body = layout.panel("image_to_mesh_ended", default_closed=True)
    header.label(text=tr("{} older").format(len(older)), translate=False)
    if body:
        column = body.column(align=True)
        for view in older[:OLDER_SHOWN]:
            _draw_job(column, context, view, newest)


def _newest(ended: Sequence[jobs.JobView]) -> tuple[str, str]:
    """Return the IDs of the newest job with a mesh and of the newest that failed, each or ""."""
    came = next((view.job for view in ended if _came(view)), "")
    failed = next((view.job for view in ended if view.failure), "")
    return came, failed


def _draw_job(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    view: jobs.JobView,
    newest: tuple[str, str],
) -> None:
    box = layout.box().column(align=True)
    _draw_nothing(box)
    is_usual = view.job in newest or view.state == "cancelled"
    is_open = _has_details(view) and opened_jobs.is_open(view.job, usually=is_usual)
    _draw_line(box, context, view, is_open=is_open)
    if not is_open:
        return
    if view.failure:
        draw_failure(box, context, view)
    elif view.state == "cancelled":
        _draw_cancelled(box, context, view)
    else:
        _draw_result(box, context, view)
        if view.job == newest[0]:
            _draw_shading(box, context)


def _draw_line(
    box: bpy.types.UILayout, context: bpy.types.Context, view: jobs.JobView, *, is_open: bool
) -> None:
    """Draw the job's one line: whether it is open, how it ended, its name, and its buttons."""
    row = box.row(align=True)
    if _has_details(view):
        icon = "DOWNARROW_HLT" if is_open else "RIGHTARROW"  # as in headers of subpanels
        fold = row.operator("image_to_mesh.show_details", text="", icon=icon, emboss=False)
        fold.job, fold.show = view.job, not is_open
    row.label(text=view.name, icon=_icon(view), translate=False)
    fact = "" if is_open else _fact(context, view)
    if fact:
        draw_fact(row, fact)
    if _can_import(view) and not is_open:
        button = row.operator("image_to_mesh.import_result", text="", icon="IMPORT", emboss=False)
        button.job = view.job
    row.operator("image_to_mesh.dismiss", text="", icon="X", emboss=False).job = view.job


def _icon(view: jobs.JobView) -> str:
    """Return the icon of a job's line, which shows how the job ended."""
    if view.failure:
        return "ERROR"
    return "CANCEL" if view.state == "cancelled" else "CHECKMARK"


def _fact(context: bpy.types.Context, view: jobs.JobView) -> str:
    """Return what stands at the right of a job's line: its faces, or that it was canceled.

    The faces are only a number beside a name that leaves no room for the word. In a narrow region,
    it is empty if it would cut off the name.
    """
    if view.failure:
        return ""
    faces = view.record.faces if view.record else None
    texts = [tr("{} faces").format(f"{faces:,}"), f"{faces:,}"] if faces else []
    if view.state == "cancelled":
        texts = [tr("Canceled")]
    taken = ICONS if _has_details(view) else FEW_ICONS
    for text in texts:
        if fits_line(context, f"{view.name} {text}", taken):
            return text
    return texts[-1] if texts and not is_narrow(context) else ""


def _came(view: jobs.JobView) -> bool:
    """Return whether the job made a mesh."""
    return not view.failure and view.state != "cancelled"


def _has_details(view: jobs.JobView) -> bool:
    """Return whether the job has details that its line does not show."""
    return view.state != "cancelled" or view.job in jobs.session().collecting()


def _can_import(view: jobs.JobView) -> bool:
    if view.failure or view.state == "cancelled":
        return bool(view.record and view.record.mesh)
    return True


def _draw_nothing(box: bpy.types.UILayout) -> None:
    """Draw an invisible line where the progress bar was.

    Blender hands the state of the item under the pointer to the item that replaces it, and would
    draw that one as a progress bar until the pointer moves (seen in 4.3).
    """
    line = box.column()
    line.scale_y = 0.01
    line.label(text=" ")


def _draw_cancelled(
    box: bpy.types.UILayout, context: bpy.types.Context, view: jobs.JobView
) -> None:
    if view.job not in jobs.session().collecting():
        return
    provider = all_providers().get(view.provider)
    who = tr(provider.label if provider else "The service")
    sentence = tr("{} may still charge for this job. Its result will be added to the library.")
    draw_text(box, context, sentence.format(who))
    box.separator(factor=BOX_GAP)
    button = box.operator("image_to_mesh.cancel", text="Stop Waiting")
    button.job = view.job
    button.collect = False


def _draw_result(box: bpy.types.UILayout, context: bpy.types.Context, view: jobs.JobView) -> None:
    record = view.record
    if view.collected:
        draw_text(box, context, "Added to the library after you canceled the job")
    if record:
        facts = [tr("{} faces").format(f"{record.faces:,}")] if record.faces else []
        if record.credits:
            facts.append(cost_text(record.provider, record.credits))
        draw_text(box, context, ", ".join([*facts, duration(record.seconds)]))
        for note in record.notes:
            draw_text(box, context, translate(note), icon="INFO")
    if view.job in job_targets.held:
        draw_text(box, context, job_targets.LEAVE_MODE, icon="INFO")
    here = open_file.made_here(view.plan.file)
    if not here:
        draw_text(box, context, "Generated for another file")
    is_imported = here and not view.collected
    box.separator(factor=BOX_GAP)
    row = box.row(align=True)
    text = "Import Again" if is_imported else "Import"
    row.operator("image_to_mesh.import_result", text=text, icon="IMPORT").job = view.job
    if is_imported:
        frame = row.operator("image_to_mesh.frame_results", text="", icon="ZOOM_SELECTED")
        frame.job = view.job


def _draw_shading(box: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw the button that shows or hides textures in this 3D Viewport, if that is possible."""
    space = getattr(context, "space_data", None)  # tests draw without an area
    if space is None or space.type != "VIEW_3D":
        return
    if viewport_shading.is_plain(space):
        box.operator("image_to_mesh.show_texture", text="Show Texture", icon="TEXTURE")
    elif viewport_shading.can_hide(space):
        box.operator("image_to_mesh.show_texture", text="Hide Texture", icon="TEXTURE")
