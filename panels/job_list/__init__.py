# SPDX-License-Identifier: GPL-3.0-or-later
"""The *Jobs* subpanel: running jobs, the queue, and ended jobs with one line each."""

from __future__ import annotations

import bpy

from ... import jobs
from ...i18n.translate import tr
from ..text_layout import draw_text, fits_header
from .ended import draw_ended
from .recovered import draw_arrivals, has_arrivals
from .running import draw_running


def draw_jobs(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw running, queued, ended, and recovered jobs, or a note if there are no jobs."""
    running, ended = _split_views()
    if not (running or ended or jobs.session().queued or has_arrivals()):
        # The panel stays where it is without jobs, so that its header never moves.
        draw_text(layout, context, "No jobs yet", active=False)
        return
    draw_running(layout, context, running)
    draw_ended(layout, context, ended)
    draw_arrivals(layout, context)


def _split_views() -> tuple[list[jobs.JobView], list[jobs.JobView]]:
    """Return the running and the ended jobs, newest first."""
    running: list[jobs.JobView] = []
    ended: list[jobs.JobView] = []
    for view in jobs.session().views():
        (ended if view.over else running).append(view)
    return running, ended


def draw_count(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw in the subpanel's header how many jobs run or, if none does, what needs the user.

    If the words do not fit, an icon stands for them.
    """
    running, ended = _split_views()
    found = jobs.session().recovery.found
    waiting = found.uncertain + found.unsent + found.waiting + found.untrusted
    failed = sum(view.failure is not None for view in ended)
    # Jobs to resolve come before failed ones, since they may be charged for.
    kinds = ((len(running), "{} running", "TIME"), (len(waiting), "{} to resolve", "QUESTION"),
             (failed, "{} failed", "ERROR"))  # fmt: skip
    count, text, icon = next((kind for kind in kinds if kind[0]), (0, "", "NONE"))
    if not count:
        return
    shown = tr(text).format(count)
    is_wide = fits_header(context, "Jobs", shown)  # Blender would draw the words over the title
    row = layout.row()
    row.active = False
    row.label(
        text=shown if is_wide else str(count), icon="NONE" if is_wide else icon, translate=False
    )
