# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a server for the settings that only it knows, and store them in the scene that asked.

Nothing here runs by itself: the user presses *Get Settings*, or a script calls the operator.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import bpy

from ... import jobs, preferences
from ...providers import Failed, Provider, Settings, Unreachable, error_of_kind, get_provider
from ...state.scene_properties import read_settings
from ...state.server.kept import keep_server_settings
from ...state.server.query import query_of
from .. import heartbeat
from ..redraw import redraw

SOON = 0.2
"""Seconds between two looks for an answer."""


class Asked(NamedTuple):
    """A query that was started, and the scene that gets the answer, by its name in this session."""

    query: jobs.SettingsQuery
    scene: int


_pending: list[Asked] = []


def files_of(settings: Settings) -> dict[str, bytes]:
    """Return the contents of the files that a scene's settings name, by setting.

    Raises InvalidSettings for a file that cannot be used.
    """
    return jobs.read_setting_files(settings, lambda text: Path(bpy.path.abspath(text)))


def ask(context: bpy.types.Context, provider: Provider[Any]) -> Asked:
    """Ask the provider's server for its settings, on a thread.

    Raises ImageToMeshError if Blender is offline, a key or the address is missing or not valid, or
    a file that the settings name cannot be read.
    """
    if preferences.is_offline(context, provider):  # guard: server-settings-online
        raise Unreachable(preferences.OFFLINE)
    query = query_of(context, provider, files_of(read_settings(context.scene, provider)))
    asked = Asked(query, context.scene.session_uid)
    jobs.server_settings().ask(query)
    if asked not in _pending:
        _pending.append(asked)
    heartbeat.wake()
    return asked


def wait(context: bpy.types.Context, asked: Asked, seconds: float) -> None:
    """Wait for an answer, and store it. Raises ImageToMeshError if it fails or is late."""
    answer = jobs.server_settings().wait(asked.query, seconds)
    poll(context, 0.0)
    if answer is not None and answer.failure is not None:
        raise error_of_kind(answer.failure.kind, answer.failure.message, answer.failure.hint)
    if answer is None or answer.is_pending:
        raise Failed("The server has not answered in time.", "Try again later.")


def is_needed(_context: bpy.types.Context) -> bool:
    """Return whether an answer is pending."""
    return bool(_pending)


def poll(context: bpy.types.Context, _now: float) -> None:
    """Store the answers that have arrived, each as one undo step, and redraw."""
    answers = jobs.server_settings()
    for asked in tuple(_pending):
        answer = answers.answer(asked.query)
        if answer is not None and answer.is_pending:
            continue
        _pending.remove(asked)
        if answer is not None and answer.found is not None:
            _store(asked, answer.found)
        redraw(context)


STEP = heartbeat.Step("server_settings", SOON, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step, and forget what was asked."""
    heartbeat.remove(STEP)
    _pending.clear()


def _store(asked: Asked, found: Any) -> None:
    # By its number: a scene may have been renamed or deleted meanwhile, or another file opened.
    scene = next((item for item in bpy.data.scenes if item.session_uid == asked.scene), None)
    if scene is None:
        return
    keep_server_settings(scene, get_provider(asked.query.provider), found)
    if not bpy.app.background:
        bpy.ops.ed.undo_push(message="Get Settings")
