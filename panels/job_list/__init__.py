# SPDX-License-Identifier: GPL-3.0-or-later
"""The *Jobs* subpanel: running jobs, the queue, and ended jobs with one line each."""

from __future__ import annotations

import bpy

from ... import jobs
from ...i18n.translate import tr
from ..text_layout import draw_text
from .ended import draw_ended
from .recovered import draw_arrivals, has_arrivals
from .running import draw_running


def draw_jobs(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Draw running jobs, images in the queue, ended jobs, and recovered ones."""
    views = jobs.session().views()
    running = [view for view in views if not view.over]
    ended = [view for view in views if view.over]
    if not (views or jobs.session().queued or has_arrivals()):
        # The panel stays where it is without jobs, so that its header never moves.
        draw_text(layout, context, "Running and finished jobs are shown here", active=False)
        return
    draw_running(layout, context, running)
    draw_ended(layout, context, ended)
    draw_arrivals(layout, context)


def draw_count(layout: bpy.types.UILayout) -> None:
    """Draw how many jobs run or failed, to be seen while the subpanel is closed."""
    views = jobs.session().views()
    running = sum(not view.over for view in views)
    failed = sum(view.failure is not None for view in views)
    text = ""
    if running:
        text = tr("{} running").format(running)
    elif failed:
        text = tr("{} failed").format(failed)
    row = layout.row()
    row.active = False
    row.label(text=text, translate=False)
