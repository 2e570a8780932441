# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for balances, prices, and costs, the same everywhere in the interface."""

from __future__ import annotations

from typing import Any, NamedTuple

import bpy

from .. import jobs
from ..i18n.translate import tr
from ..preferences import address, address_problem, answer, is_offline, key_problem
from ..providers import CONSENT_HINT, BadKey, MissingKey, Provider, all_providers
from ..state.orders.price import amount_text, known_price, label_of, sentence_of
from ..state.preflight import settings_to_price
from ..state.scene_properties import provider_of

OFFLINE_ICON = "INTERNET_OFFLINE"
ONLINE_ICON = "CHECKMARK"
"""The icon that Blender's own button for online access has."""
KEY_ICON = "KEYINGSET"
CHANGE_KEY = "Change Key"


class Price(NamedTuple):
    """The price of an order with the current settings, as a string such as “30 Credits”.

    `text` is empty if the price is unknown or nothing is charged. `problem` is the reason why a
    service named no price, not translated, or empty. `sentence` stands above a button that has no
    room for the text.
    """

    text: str = ""
    problem: str = ""
    sentence: str = ""


def price_of(context: bpy.types.Context) -> Price:
    """Return the price of the scene's settings: what the service quotes, or else the last cost.

    If the request for a quote failed, return only the problem.
    """
    settings, provider = settings_to_price(context), provider_of(context.scene)
    reply = answer(context, provider, settings) if settings else None
    if reply is not None and reply.failure:
        return Price(problem=reply.failure.message)
    price = known_price(context)
    if price is None:
        return Price()
    return Price(label_of(price), sentence=sentence_of(price, provider))


def with_price(text: str, price: Price) -> str:
    """Return a button's text, translated, with the price if it is known: Generate · 30 Credits."""
    return f"{tr(text)} · {price.text}" if price.text else tr(text)


def cost_text(provider: str, amount: float) -> str:
    """Return what a provider's job cost, in the service's unit: 182,000 Credits."""
    known = all_providers().get(provider)
    return amount_text(amount, known.unit if known else "Credits")


class KeyState(NamedTuple):
    """The state of a provider's key and account: a translated text, and an icon.

    `verb` is the translated text of the button that fixes it; empty if the state itself is
    on the button.
    """

    text: str
    icon: str
    verb: str = ""


def state_of(context: bpy.types.Context, provider: Provider[Any], *, none: str) -> KeyState:
    """Return what is known about a provider's key and balance.

    `none` is the untranslated text for a provider whose key is not set.
    """
    if provider.self_hosted:
        return _server_state(context, provider)
    problem = key_problem(context, provider)
    if isinstance(problem, MissingKey):
        return KeyState(tr(none), KEY_ICON if none else "NONE")
    if problem:
        return KeyState(tr("Invalid Key"), "ERROR", tr(CHANGE_KEY))
    if is_offline(context, provider):
        return KeyState(tr("Blender Is Offline"), OFFLINE_ICON)
    return _state_after(answer(context, provider))


def _server_state(context: bpy.types.Context, provider: Provider[Any]) -> KeyState:
    """Return what is known about the user's own server; it is called by the Test button only."""
    if key_problem(context, provider):
        is_header = all(field.kind == "header" for field in provider.keys)
        return KeyState(tr("Invalid Header" if is_header else "Invalid Key"), "ERROR")
    if problem := address_problem(context, provider):
        is_consent = problem.hint == CONSENT_HINT
        return KeyState(tr("Not Encrypted" if is_consent else "Address Not Usable"), "ERROR")
    if is_offline(context, provider):
        return KeyState(tr("Blender Is Offline"), OFFLINE_ICON)
    reply = answer(context, provider)
    if reply is None:
        return _kind_of_server(context, provider)
    if reply.failure:
        return KeyState(tr("Server Not Found"), "ERROR")
    if reply.waiting:
        return KeyState(tr("Checking..."), "TIME")
    return KeyState(tr("Server Found"), "CHECKMARK")


def _kind_of_server(context: bpy.types.Context, provider: Provider[Any]) -> KeyState:
    """Return whether a server that the user has chosen is on the internet."""
    if not address_problem(context, provider) and provider.public_host(address(context, provider)):
        return KeyState(tr("Server on the Internet"), "INTERNET")
    return KeyState(tr("Your Own Server"), "NETWORK_DRIVE")


def columns_of(context: bpy.types.Context, provider: Provider[Any]) -> tuple[KeyState, str]:
    """Return the state of a provider's key, and its balance, for columns of their own.

    That Blender is offline is left out: the preferences say so once, for all services.
    """
    state = state_of(context, provider, none="No Key")
    if state.icon == OFFLINE_ICON:
        text = _kind_of_server(context, provider).text if provider.self_hosted else tr("Key Set")
        return KeyState(text, KEY_ICON), ""
    reply = answer(context, provider)
    if state.icon != "CHECKMARK" or reply is None or reply.amount is None:
        return state, ""
    return KeyState(tr("Key Works"), state.icon), amount_text(reply.amount, reply.unit)


def _state_after(reply: jobs.AccountAnswer | None) -> KeyState:
    if reply is None:
        return KeyState(tr("Key Set"), KEY_ICON)
    if reply.failure:
        if reply.failure.kind == BadKey.kind:
            return KeyState(tr("Key Refused"), "ERROR", tr(CHANGE_KEY))
        return KeyState(tr("Balance Unknown"), "ERROR")
    # While a balance is refreshed, the last one stays.
    if reply.amount is not None:
        return KeyState(balance_text(reply.amount, reply.unit), "CHECKMARK")
    if reply.waiting:
        return KeyState(tr("Checking..."), "TIME")
    return KeyState(tr("Key Works"), "CHECKMARK")


def balance_text(amount: float, unit: str) -> str:
    """Return a balance in words: Balance: 1,250 Credits."""
    return tr("Balance: {}").format(amount_text(amount, unit))


def link_text(kind: str) -> str:
    """Return the label of the button that opens the link of an error of this kind, translated."""
    if kind == "no_credits":
        return tr("Top Up")
    return tr("Get a Key") if kind in ("bad_key", "missing_key") else tr("Help")
