# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask services what an account holds and what a mesh would cost; all questions are free.

The answers come on threads. One timer of Blender's looks for them, has them drawn, and asks for
the price when the settings in sight have been left alone for a moment: drawing itself may start
nothing.
"""

from __future__ import annotations

import time
from typing import Any

import bpy

from .. import jobs, preferences
from ..jobs.tasks.account_queries import AccountQuery
from ..providers import InvalidSettings, Provider, Unreachable, all_providers
from ..state.preflight import priced
from ..state.scene_properties import provider_of

SETTLED = 0.7
"""Seconds that settings stay as they are before their price is asked for."""
LOOK_EVERY = 0.25
TAB = "Image to Mesh"
SHOWS = {"VIEW_3D": "UI", "PREFERENCES": "WINDOW"}
"""The regions that show answers, by the type of their area."""

WATCHER = "IMAGE_TO_MESH_OT_watch"

_asked: list[AccountQuery] = []
"""Questions whose answers have not been drawn yet."""
_settling: list[tuple[AccountQuery, float]] = []
"""The question for the price in sight, and since when it is the same; at most one."""


def ask_balance(context: bpy.types.Context, provider: Provider[Any]) -> None:
    """Ask what the account holds; raises ImageToMeshError where that cannot be asked."""
    if not preferences.has_account(provider):
        raise InvalidSettings(f"{provider.label} has no account that could be asked.")
    if preferences.is_offline(context, provider):
        raise Unreachable(preferences.OFFLINE)
    question = preferences.account_query(context, provider)
    jobs.session().account_queries.forget(question.provider)
    _ask(question)


def refresh(context: bpy.types.Context, provider: str) -> None:
    """Ask again for a balance that is shown, because a job has changed it."""
    chosen = all_providers().get(provider)
    if chosen is None or preferences.is_offline(context, chosen):
        return
    if preferences.answer(context, chosen):
        _ask(preferences.account_query(context, chosen))


def redraw(context: bpy.types.Context) -> None:
    """Let everything be drawn again that shows jobs or answers."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if region.type == SHOWS.get(area.type):
                    region.tag_redraw()
        _redraw_status_bar(window)


def _redraw_status_bar(window: bpy.types.Window) -> None:
    """Have the status bar drawn, which Blender does not show among the areas of a screen.

    Taking back a text that nobody has set does it; a modal operator other than ours may have one.
    """
    others = [one for one in window.modal_operators if one.bl_idname != WATCHER]
    if not others and window.workspace:
        window.workspace.status_text_set(None)


def look(context: bpy.types.Context, now: float) -> None:
    """Have new answers drawn, and ask for the price of what the person looks at."""
    account_queries = jobs.session().account_queries
    waiting = [one for one in _asked if (said := account_queries.answer(one)) and said.waiting]
    if len(waiting) < len(_asked):
        redraw(context)
    _asked[:] = waiting
    if is_shown(context):
        _ask_price(context, now)


def is_shown(context: bpy.types.Context) -> bool:
    """Say whether any window shows the tab."""
    return any(
        region.active_panel_category == TAB
        for window in context.window_manager.windows
        for area in window.screen.areas
        if area.type == "VIEW_3D" and area.spaces.active.show_region_ui
        for region in area.regions
        if region.type == "UI"
    )


def register() -> None:
    """Begin to look; without a window nobody sees an answer."""
    if not bpy.app.background:
        bpy.app.timers.register(_look, first_interval=LOOK_EVERY, persistent=True)


def unregister() -> None:
    """Look no longer, and forget the questions."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    _asked.clear()
    _settling.clear()


def _look() -> float:
    look(bpy.context, time.monotonic())
    return LOOK_EVERY


def _ask(question: AccountQuery) -> None:
    jobs.session().account_queries.ask(question)
    _asked.append(question)


def _ask_price(context: bpy.types.Context, now: float) -> None:
    """Ask once for each choice of settings, after the person has made it."""
    settings = priced(context)
    if settings is None:
        return _settling.clear()
    question = preferences.account_query(context, provider_of(context.scene), settings)
    if not _settling or _settling[0][0] != question:
        _settling[:] = [(question, now)]
    elif now - _settling[0][1] >= SETTLED:
        answer = jobs.session().account_queries.answer(question)
        return None if answer else _ask(question)  # guard: price-asked-once
    return None
