# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows for jobs that run: progress, Cancel, and where the mesh will be placed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import bpy

from ... import jobs
from ...i18n.translate import tr, translate
from ...preferences import library
from ...state import open_file, thumbnails
from ...state.updates import job_targets
from ..text_layout import (
    BOX_GAP,
    ICON,
    clock,
    draw_fact,
    draw_text,
    duration,
    fit_side_by_side,
    fits_line,
)

# More would push ended jobs out of a sidebar of usual height.
RUNNING_SHOWN = 4
PLACES = (
    ("place_at_cursor", "To 3D Cursor", "PIVOT_CURSOR"),
    ("place_by_click", "Place by Click", "RESTRICT_SELECT_OFF"),
)
"""Operators that move a placeholder, with the texts and icons of their buttons."""


def draw_running(
    layout: bpy.types.UILayout, context: bpy.types.Context, running: Sequence[jobs.JobView]
) -> None:
    """Draw the running jobs, those beyond RUNNING_SHOWN in a closed subpanel, and the queue."""
    index, alone = jobs.library_index(library(context)), len(running) == 1
    for view in running[:RUNNING_SHOWN]:
        # Beside the two icons of several jobs, the usual time would be cut off.
        usual = index.usual_seconds(view.provider) if alone else None
        _draw_job(layout, context, view, usual, alone=alone)
    _draw_more(layout, running[RUNNING_SHOWN:])
    _draw_queue(layout)


def _draw_job(
    layout: bpy.types.UILayout,
    context: bpy.types.Context,
    view: jobs.JobView,
    usual: float | None,
    *,
    alone: bool,
) -> None:
    # In a box like ended jobs, so that `_draw_nothing` is what replaces the progress bar.
    column = layout.box().column(align=True)
    row = column.row(align=True)
    row.scale_y = 1.5 if alone else 1.0
    percent = "" if view.fraction is None else f" {view.fraction:.0%}"
    phase = f"{translate(view.phase)}{percent}"
    is_short = fits_line(context, phase, ICON)
    # A long phase, such as why it waits and for how long, is a sentence below the bar.
    row.progress(
        factor=view.fraction or 0.0, text=phase if is_short else percent.strip() or tr("Waiting")
    )
    row.operator("image_to_mesh.cancel", text="", icon="X").job = view.job
    if not is_short:
        draw_text(column, context, phase)
    row = column.row(align=True)
    _draw_name(row, context, view, _times_of(view, usual), taken=ICON if alone else 3 * ICON)
    if not open_file.made_here(view.plan.file) or job_targets.uid_of(view.job):
        return
    if not alone:
        _draw_place(row, view, alone=False)
    elif fit_side_by_side(context, [tr(text) for _, text, _ in PLACES]):
        _draw_place(column.row(align=True), view, alone=True)
    else:
        _draw_place(column.column(align=True), view, alone=True)


def _draw_name(
    row: bpy.types.UILayout,
    context: bpy.types.Context,
    view: jobs.JobView,
    times: Sequence[str],
    *,
    taken: float,
) -> None:
    """Draw the job's image and name, and at the right the first of its times that fits.

    If none fits, a clock stands for the words. `taken` is the width of icons in the row, in pixels.
    """
    number = thumbnails.number_of(f"{view.job}/picture")
    row.label(text=view.name, icon_value=number, translate=False)
    for text in times:
        if fits_line(context, f"{view.name} {text}", taken):
            draw_fact(row, text)
            return
    draw_fact(row, clock(time.monotonic() - view.started), "TIME")


def _draw_place(row: bpy.types.UILayout, view: jobs.JobView, *, alone: bool) -> None:
    """Draw the two buttons that move the placeholder; as icons only unless the job runs alone."""
    if not alone:
        row.separator(factor=BOX_GAP)  # else the icons touch the time
    for name, text, icon in PLACES:
        shown = tr(text) if alone else ""
        button = row.operator(f"image_to_mesh.{name}", text=shown, icon=icon, translate=False)
        button.job = view.job


def _draw_more(layout: bpy.types.UILayout, views: Sequence[jobs.JobView]) -> None:
    """Draw the running jobs beyond the first few in a closed subpanel, one row each."""
    if not views:
        return
    header, body = layout.panel("image_to_mesh_running", default_closed=True)
    # Already translated; Blender would look the result up again.
    header.label(text=tr("{} more running").format(len(views)), translate=False)
    if not body:
        return
    # All of them: this is the only place to cancel a running job.
    for view in views:
        row = body.row(align=True)
        row.progress(factor=view.fraction or 0.0, text=view.name)
        row.operator("image_to_mesh.cancel", text="", icon="X").job = view.job


def _draw_queue(layout: bpy.types.UILayout) -> None:
    waiting = jobs.session().queued
    if waiting:
        row = layout.row()
        text = tr("Images in queue: {}").format(waiting)
        row.label(text=text, icon="TIME", translate=False)
        row.operator("image_to_mesh.clear_queue", text="", icon="X")


def _times_of(view: jobs.JobView, usual: float | None) -> list[str]:
    """Return texts for the time since the job's start, the longest first.

    If the usual duration is known, in seconds, the first text compares the time with it.
    """
    seconds = time.monotonic() - view.started
    gone = duration(seconds, exact=False)
    shown = [tr("{} so far").format(gone)]
    if not usual:
        return shown
    if round(seconds) > round(usual):
        return [tr("{}, longer than usual").format(gone), *shown]
    return [tr("{} of about {}").format(gone, duration(usual, exact=False)), *shown]
