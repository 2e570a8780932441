# SPDX-License-Identifier: GPL-3.0-or-later
"""A small progress in the status bar, for whoever has closed the sidebar."""

from __future__ import annotations

from typing import Any

import bpy

from .. import jobs
from ..i18n.translate import tr


def draw(self: Any, _context: bpy.types.Context) -> None:
    """Lay the progress of what runs; nothing where nothing does."""
    running = jobs.session().running()
    if not running:
        return
    known = [view.fraction for view in running if view.fraction is not None]
    name = running[0].name if len(running) == 1 else tr("{} meshes").format(len(running))
    row = self.layout.row()
    row.ui_units_x = 9
    row.progress(factor=sum(known) / len(running) if known else 0.0, text=name)


def register() -> None:
    """Put it at the end of the status bar."""
    bpy.types.STATUSBAR_HT_header.append(draw)


def unregister() -> None:
    """Take it out again."""
    bpy.types.STATUSBAR_HT_header.remove(draw)
