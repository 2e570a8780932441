# SPDX-License-Identifier: GPL-3.0-or-later
"""Money in words: balances, prices and costs, the same everywhere in the interface."""

from __future__ import annotations

from typing import NamedTuple

import bpy

from .. import jobs
from ..i18n.translate import tr
from ..preferences import answer
from ..providers import all_providers
from ..state.orders.price import amount_text, price_text
from ..state.preflight import settings_to_price
from ..state.scene_properties import provider_of

LINKS = {"no_credits": "Top Up", "bad_key": "Get a Key", "missing_key": "Get a Key"}
"""Labels of the buttons that open an error's link, by the error's kind."""


class Price(NamedTuple):
    """The price of an order with the current settings, as a text such as “30 Credits”.

    `text` is empty if that is not known; `problem` is the reason why a service named no price.
    """

    text: str = ""
    problem: str = ""


def price_of(context: bpy.types.Context) -> Price:
    """Return the price of the scene's settings: the service's own, or what they cost last time."""
    settings = settings_to_price(context)
    reply = answer(context, provider_of(context.scene), settings) if settings else None
    if reply is not None and reply.failure:
        return Price(problem=reply.failure.message)
    return Price(price_text(context))


def with_price(text: str, price: Price) -> str:
    """Return a button's text, translated, with the price: Generate · 30 Credits."""
    return f"{tr(text)} · {price.text}" if price.text else tr(text)


def cost_text(provider: str, amount: float) -> str:
    """Return what a provider's job cost, in the service's unit: 182,000 Credits."""
    known = all_providers().get(provider)
    return amount_text(amount, known.unit if known else "Credits")


def balance_text(reply: jobs.AccountAnswer | None) -> str:
    """Return a line about an account's balance; empty if it was never asked for."""
    if reply is None:
        return ""
    if reply.waiting:
        return tr("Checking...")
    if reply.failure:
        return tr("Balance: unknown")
    if reply.amount is None:
        return tr("The key works")
    return tr("Balance: {}").format(amount_text(reply.amount, reply.unit))


def link_text(kind: str) -> str:
    """Return the label of the button that opens an error's link."""
    return LINKS.get(kind, "Help")
