# SPDX-License-Identifier: GPL-3.0-or-later
"""A progress bar in the status bar, visible even while the sidebar is closed."""

from __future__ import annotations

from typing import Any

import bpy

from ... import jobs
from ...i18n.translate import tr


def draw(self: Any, _context: bpy.types.Context) -> None:
    """Draw the mean progress of the running jobs, if any; unknown progress counts as 0."""
    running = jobs.session().running()
    if not running:
        return
    known = [view.fraction for view in running if view.fraction is not None]
    name = running[0].name if len(running) == 1 else tr("{} meshes").format(len(running))
    row = self.layout.row()
    # A fixed width, or the status bar's other texts would move with every job's name.
    row.ui_units_x = 9
    # By all of them: a job that cannot tell its progress counts as not begun.
    row.progress(factor=sum(known) / len(running) if known else 0.0, text=name)


def register() -> None:
    """Append the progress bar to the status bar."""
    bpy.types.STATUSBAR_HT_header.append(draw)


def unregister() -> None:
    """Remove the progress bar."""
    bpy.types.STATUSBAR_HT_header.remove(draw)
