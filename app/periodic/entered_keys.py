# SPDX-License-Identifier: GPL-3.0-or-later
"""Save a key that was just entered, and query its account's balance, which also tests it.

Blender saves preferences only when it quits, and only if Auto-Save Preferences is on: otherwise, or
after a crash, a key would be lost. Blender saves all of its preferences or none.
"""

from __future__ import annotations

import bpy

from ... import preferences
from ...providers import all_providers
from .. import heartbeat
from ..redraw import redraw
from .account import ask_once

INTERVAL = 0.1
"""Seconds until the balance is queried: the user waits for it."""

_entered: set[str] = set()
"""Names of the preferences that hold the keys changed since the last tick."""


def is_needed(_: bpy.types.Context) -> bool:
    """Return whether a key was changed."""
    return bool(_entered)


def poll(context: bpy.types.Context, _now: float) -> None:
    """Save the preferences with the changed keys, and query the balances of their services."""
    names = frozenset(_entered)
    _entered.clear()
    _save()
    for provider in all_providers().values():
        is_account = provider is preferences.account_of(provider)
        if is_account and names.intersection(preferences.key_names(provider)):
            ask_once(context, provider)
    redraw(context)


STEP = heartbeat.Step("entered_keys", INTERVAL, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat, and have changed keys reported."""
    heartbeat.add(STEP)
    preferences.call_when_key_changes(_note)


def unregister() -> None:
    """Remove the step, and no longer have changed keys reported."""
    preferences.call_when_key_changes(None)
    heartbeat.remove(STEP)
    _entered.clear()


def _note(name: str) -> None:
    _entered.add(name)
    heartbeat.wake()


def _save() -> None:
    # Started with factory settings, Blender would overwrite the user's preferences with those.
    if not bpy.app.use_userpref_skip_save_on_exit:
        try:
            bpy.ops.wm.save_userpref()
        except RuntimeError as error:  # the folder cannot be written to
            import logging  # not needed when Blender starts

            logging.getLogger(__name__).warning("the key was not saved: %s", error)
