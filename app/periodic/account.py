# SPDX-License-Identifier: GPL-3.0-or-later
"""Query balances and prices; all of these requests are free.

Answers arrive on threads. The heartbeat polls for them and redraws, and asks for the price once the
visible settings have not changed for a moment. Drawing must not start requests itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

from ... import jobs, preferences
from ...providers import (
    ImageToMeshError,
    InvalidSettings,
    Message,
    Provider,
    Unreachable,
    all_providers,
)
from ...state.preflight import settings_to_price
from ...state.scene_properties import provider_of
from ...state.server.query import server_test_of
from .. import heartbeat
from ..redraw import is_shown, redraw

PRICE_DELAY = 0.7
"""Seconds without a change of the settings before their price is queried."""

_pending: list[jobs.AccountQuery] = []
"""Queries whose answers have not been drawn yet."""
_awaited: list[Callable[[], bool]] = []
"""Functions that return whether an answer of another kind has arrived, until they do."""
_candidate: list[tuple[jobs.AccountQuery, float]] = []
"""The query for the visible settings, and the time since which they are unchanged; at most one."""


def ask_balance(context: bpy.types.Context, provider: Provider[Any]) -> None:
    """Query the balance of a provider's account, even if it was queried before.

    Raise ImageToMeshError if the provider has no balance, Blender is offline, or the key or address
    is invalid.
    """
    if not preferences.has_account(provider):
        raise InvalidSettings(
            Message("{provider} has no account balance to check.", provider=provider.label),
            "Choose another provider.",
        )
    if preferences.is_offline(context, provider):
        raise Unreachable(preferences.OFFLINE)
    query = preferences.account_query(context, provider)
    # Otherwise `ask` would wait for a pending query instead of sending a new one.
    jobs.session().account_queries.forget(query.provider)
    _ask(query)


def ask_server_test(context: bpy.types.Context, provider: Provider[Any]) -> jobs.AccountQuery:
    """Test the scene's settings at a provider's server, and return the query.

    Raise ImageToMeshError if Blender is offline, or the key or address is invalid.
    """
    if preferences.is_offline(context, provider):
        raise Unreachable(preferences.OFFLINE)
    query = server_test_of(context, provider)
    jobs.session().account_queries.forget(query.provider)
    _ask(query)
    return query


def refresh_balance(context: bpy.types.Context, provider_id: str) -> None:
    """Query a provider's balance again, since a job may have changed it."""
    provider = all_providers().get(provider_id)
    if provider is not None:
        _ask_balance(context, provider, again=True)


def ask_once(context: bpy.types.Context, provider: Provider[Any]) -> None:
    """Query a provider's balance unless it was queried before with the same key and address."""
    _ask_balance(context, provider, again=False)


def is_needed(context: bpy.types.Context) -> bool:
    """Return whether an answer is pending, or the tab, which shows prices, is visible."""
    return bool(_pending or _awaited) or is_shown(context)


def poll(context: bpy.types.Context, now: float) -> None:
    """Redraw when answers have arrived; if the tab is visible, query the balance and the price."""
    answers = jobs.session().account_queries
    waiting = [query for query in _pending if (answer := answers.answer(query)) and answer.waiting]
    # Polled, since an answer arrives on a thread, which must not touch bpy.
    awaited = [is_there for is_there in _awaited if not is_there()]
    if len(waiting) < len(_pending) or len(awaited) < len(_awaited):
        redraw(context)
    _pending[:], _awaited[:] = waiting, awaited
    if is_shown(context):
        ask_once(context, provider_of(context.scene))  # it is shown below the provider menu
        _ask_price(context, now)


STEP = heartbeat.Step("account", heartbeat.IN_SIGHT, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step, and drop the queries."""
    heartbeat.remove(STEP)
    _pending.clear()
    _awaited.clear()
    _candidate.clear()


def await_answer(is_there: Callable[[], bool]) -> None:
    """Redraw as soon as `is_there` returns True, which is called until then."""
    _awaited.append(is_there)
    heartbeat.wake()


def _ask(query: jobs.AccountQuery) -> None:
    jobs.session().account_queries.ask(query)
    _pending.append(query)
    heartbeat.wake()


def _ask_balance(context: bpy.types.Context, provider: Provider[Any], *, again: bool) -> None:
    """Query a provider's balance. If it was queried before, query it only with `again`.

    Do nothing if the provider has no balance, its key or address is invalid, or Blender is offline.
    """
    # The user's own servers are called on a click only.
    if not preferences.has_account(provider) or provider.self_hosted:
        return
    try:
        query = preferences.account_query(context, provider)
    except ImageToMeshError:  # without a key or an address there is nothing to ask
        return
    # The answer first: nearly always there is one, and this runs twice a second.
    is_wanted = again or jobs.session().account_queries.answer(query) is None
    if is_wanted and not preferences.is_offline(context, provider):  # guard: balance-online
        _ask(query)


def _ask_price(context: bpy.types.Context, now: float) -> None:
    """Query the price of the visible settings once, after they have not changed for PRICE_DELAY."""
    settings = settings_to_price(context)
    if settings is None:
        return _candidate.clear()
    query = preferences.account_query(context, provider_of(context.scene), settings)
    if not _candidate or _candidate[0][0] != query:
        _candidate[:] = [(query, now)]
    # While a slider is dragged, every tick would otherwise send a request.
    elif now - _candidate[0][1] >= PRICE_DELAY:
        answer = jobs.session().account_queries.answer(query)
        return None if answer else _ask(query)  # guard: price-asked-once
    return None
