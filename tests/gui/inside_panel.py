# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside of Blender: what the add-on's panel shows at each draw, and what its jobs do."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    from gui.inside_layout import Recorder

_KEPT = 400
_ADDON = "bl_ext.user_default.image_to_mesh"
shown: list[dict[str, Any]] = []


class _Panel:
    """The panel as its draw sees it: with another layout."""

    def __init__(self, panel: Any, layout: Any) -> None:
        self._panel, self.layout = panel, layout

    def __getattr__(self, name: str) -> Any:
        return getattr(self._panel, name)


def watch_panel() -> None:
    """Keep the words of every draw from now on; the panels' classes are new after each enabling."""
    main, *others = sys.modules[f"{_ADDON}.panels.sidebar"].classes
    if "draws" not in vars(main):
        for panel in (main, *others):
            _watch(panel, is_main=panel is main)


def _watch(panel: Any, *, is_main: bool) -> None:
    """Keep a panel's words: Blender draws the subpanels right after the main panel."""
    panel.draws = panel.draw

    def draw(self: Any, context: Any) -> None:
        layout = Recorder(self.layout)
        panel.draws(_Panel(self, layout), context)
        if is_main:
            shown.append({"at": time.monotonic(), "words": []})
            del shown[:-_KEPT]
        shown[-1]["words"] += layout.words()

    panel.draw = draw


def redraw_sidebar() -> None:
    """Have the sidebar drawn, as a job's progress does."""
    for area in bpy.context.window_manager.windows[0].screen.areas:
        for region in area.regions if area.type == "VIEW_3D" else ():
            if region.type == "UI":
                region.tag_redraw()


def running_jobs() -> list[dict[str, Any]]:
    """Return phase and progress of the jobs that run, newest first."""
    return [
        {"job": view.job, "phase": view.phase, "fraction": view.fraction}
        for view in _session().running()
    ]


def ended_jobs() -> list[dict[str, Any]]:
    """Return how the jobs of this Blender ended, newest first."""
    return [
        {
            "job": view.job,
            "state": str(view.state),
            "kind": view.failure.kind if view.failure else "",
            "message": view.failure.message if view.failure else "",
            "hint": view.failure.hint if view.failure else "",
        }
        for view in _session().views()
        if view.over
    ]


def dismiss_jobs() -> None:
    """Dismiss all jobs from the panel."""
    for view in _session().views():
        _session().dismiss(view.job)


def _session() -> Any:
    return sys.modules[f"{_ADDON}.jobs"].session()
