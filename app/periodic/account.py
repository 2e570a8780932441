# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask services for an account's balance and a mesh's price; all of these requests are free.

The answers arrive on threads. The heartbeat polls for them and redraws, and asks for the price
once the settings in sight have not changed for a moment: drawing itself may start nothing.
"""

from __future__ import annotations

from typing import Any

import bpy

from ... import jobs, preferences
from ...providers import InvalidSettings, Message, Provider, Unreachable, all_providers
from ...state.preflight import priced
from ...state.scene_properties import provider_of
from .. import heartbeat
from ..redraw import is_shown, redraw

PRICE_DELAY = 0.7
"""Seconds without a change of the settings before their price is asked for."""

_pending: list[jobs.AccountQuery] = []
"""Queries whose answers have not been drawn yet."""
_candidate: list[tuple[jobs.AccountQuery, float]] = []
"""The query for the price in sight, and since when it is the same; at most one."""


def ask_balance(context: bpy.types.Context, provider: Provider[Any]) -> None:
    """Ask for the account's balance; raises ImageToMeshError if that is not possible."""
    if not preferences.has_account(provider):
        raise InvalidSettings(
            Message("{provider} has no account balance to check.", provider=provider.label)
        )
    if preferences.is_offline(context, provider):
        raise Unreachable(preferences.OFFLINE)
    query = preferences.account_query(context, provider)
    jobs.session().account_queries.forget(query.provider)
    _ask(query)


def refresh_balance(context: bpy.types.Context, provider_id: str) -> None:
    """Ask again for a balance that is shown, because a job has changed it."""
    provider = all_providers().get(provider_id)
    if provider is None or preferences.is_offline(context, provider):
        return
    if preferences.answer(context, provider):
        _ask(preferences.account_query(context, provider))


def is_needed(context: bpy.types.Context) -> bool:
    """Return whether an answer is waited for, or a price may be asked for."""
    return bool(_pending) or is_shown(context)


def poll(context: bpy.types.Context, now: float) -> None:
    """Redraw for new answers, and ask for the price of what is in sight."""
    answers = jobs.session().account_queries
    waiting = [query for query in _pending if (answer := answers.answer(query)) and answer.waiting]
    if len(waiting) < len(_pending):
        redraw(context)
    _pending[:] = waiting
    if is_shown(context):
        _ask_price(context, now)


STEP = heartbeat.Step("account", heartbeat.IN_SIGHT, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Take the step away, and forget the queries."""
    heartbeat.remove(STEP)
    _pending.clear()
    _candidate.clear()


def _ask(query: jobs.AccountQuery) -> None:
    jobs.session().account_queries.ask(query)
    _pending.append(query)
    heartbeat.wake()


def _ask_price(context: bpy.types.Context, now: float) -> None:
    """Ask once for each choice of settings, after the user has made it."""
    settings = priced(context)
    if settings is None:
        return _candidate.clear()
    query = preferences.account_query(context, provider_of(context.scene), settings)
    if not _candidate or _candidate[0][0] != query:
        _candidate[:] = [(query, now)]
    elif now - _candidate[0][1] >= PRICE_DELAY:
        answer = jobs.session().account_queries.answer(query)
        return None if answer else _ask(query)  # guard: price-asked-once
    return None
