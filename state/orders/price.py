# SPDX-License-Identifier: GPL-3.0-or-later
"""The price of the scene's next orders, and the texts that show it on buttons."""

from __future__ import annotations

from typing import NamedTuple

import bpy

from ... import jobs
from ...i18n.translate import tr
from ...preferences import answer, library
from ...providers import values_of
from ...providers._shared.results.prices import Price, find_price
from ..preflight import settings_to_price
from ..scene_properties import choices_of, provider_of, read_settings, taken_views
from ..views import images_of


class KnownPrice(NamedTuple):
    """The price of one mesh, in `unit`.

    `is_last` means that it is not a quote, but what was charged for the same settings last time,
    and `listed` is the row of the provider's price list that states it.
    """

    amount: float
    unit: str
    is_last: bool = False
    listed: Price | None = None


def known_price(context: bpy.types.Context) -> KnownPrice | None:
    """Return the price of one mesh with the scene's settings; None if it is free or unknown.

    A quote takes precedence over what was charged last time, and that over the price list.
    """
    provider = provider_of(context.scene)
    if not provider.is_remote:
        return None
    settings = settings_to_price(context)
    reply = answer(context, provider, settings) if settings else None
    if reply is not None and reply.amount is not None:
        return KnownPrice(reply.amount, reply.unit)
    index = jobs.library_index(library(context))
    chosen = read_settings(context.scene, provider)
    if paid := index.last_price(provider.id, values_of(chosen)):
        return KnownPrice(paid, provider.unit, is_last=True)
    listed = find_price(provider.prices, chosen) if provider.prices else None
    return KnownPrice(listed.amount, listed.unit, listed=listed) if listed else None


def amount_text(amount: float, unit: str) -> str:
    """Return an amount with its unit: 1,250 Credits, 12.5 USD."""
    number = f"{amount:,.2f}".rstrip("0").rstrip(".")
    return f"{number} {tr(unit)}".strip()


def price_text(context: bpy.types.Context, count: int = 1) -> str:
    """Return the price of `count` meshes, such as 30 Credits or 3 × 30 Credits; "" if unknown.

    A price that was charged last time, or is from a price list, is marked as such.
    """
    price = known_price(context)
    if price is None:
        return ""
    text = amount_text(price.amount, price.unit)
    text = text if count == 1 else f"{count} × {text}"
    if price.listed:
        return tr("About {}").format(text)
    return tr("{} Last Time").format(text) if price.is_last else text


def source_text(price: KnownPrice) -> str:
    """Return where a listed price was found, and when: a sentence, or "" for other prices."""
    if price.listed is None:
        return ""
    page = price.listed.source.partition("://")[2].partition("/")[0]
    return tr("Price according to {}, {}.").format(page, price.listed.date)


def with_provider(context: bpy.types.Context, action: str, local_action: str) -> str:
    """Return a translated label: `action` with the provider's name filled in, or `local_action`.

    `local_action` is for the built-in provider, which costs nothing.
    """
    provider = provider_of(context.scene)
    return tr(action).format(tr(provider.label)) if provider.is_remote else tr(local_action)


def with_price(context: bpy.types.Context, text: str) -> str:
    """Return the label of an order with its price: Generate with Acme · 30 Credits.

    An unknown price is named as such. The built-in provider's label has no price.
    """
    if not provider_of(context.scene).is_remote:
        return text
    return f"{text} · {price_text(context) or tr('Price Unknown')}"


def with_images(context: bpy.types.Context, text: str) -> str:
    """Return the label of an order with its number of images, if several are sent to a service."""
    count = sent_images(context)
    return f"{text} · {tr('{} images').format(count)}" if count > 1 else text


def sent_images(context: bpy.types.Context) -> int:
    """Return how many of the scene's images an order sends to the service; 0 if it stays local."""
    if not provider_of(context.scene).is_remote:
        return 0
    return len(images_of(choices_of(context.scene), taken_views(context.scene)))
