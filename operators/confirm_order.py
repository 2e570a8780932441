# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask before paid orders: from a new place, without a price shown, repeated, or several at once.

Operators ask only if a user runs them, not if a script calls them.
"""

from __future__ import annotations

from typing import Any

import bpy

from .. import jobs, preferences
from ..i18n.translate import tr
from ..providers import ImageToMeshError, Provider, get_provider
from ..state.orders.price import (
    KnownPrice,
    amount_text,
    dollars_text,
    known_price,
    price_without_quote,
    source_text,
)
from ..state.scene_properties import provider_of
from ..state.visibility import TAB

SIDEBAR = "sidebar"
"""The place that shows provider, views, and price beside its button."""
KNOWN = "confirmed_places"
"""The preference that holds each "provider/place" from which the user has confirmed an order."""


def place_of(context: bpy.types.Context, place: str) -> str:
    """Return the name of the place that an order comes from.

    This is `place` if it is set. Otherwise, it is "sidebar" or "image_editor" for an order from the
    add-on's tab, and "search" for any other.
    """
    if place:
        return place
    region = context.region
    if region is None or region.type != "UI" or region.active_panel_category != TAB:
        return "search"
    return SIDEBAR if context.area.type == "VIEW_3D" else "image_editor"


def is_needed(context: bpy.types.Context, place: str, count: int = 1, *, said: bool = True) -> bool:
    """Return whether `count` orders from this place must be confirmed first; free ones never are.

    `said` tells whether the button named the provider and the price. If it did not, or if there are
    several orders, each click must be confirmed. Otherwise, the first order of each provider from
    each place must be, except from the sidebar, and from everywhere the first one to a server on
    the internet that anybody may run, and again the first one that sends it the user's token.
    """
    provider = provider_of(context.scene)
    if not provider.is_remote:
        return False
    if count > 1 or not said:  # guard: several-orders-ask
        return True
    known = preferences.read_json(context, KNOWN)
    owner = _owner(context, provider)
    if owner and _key(provider, owner) not in known:  # guard: a-strangers-server-asks
        return True
    return place != SIDEBAR and _key(provider, place) not in known  # guard: new-place-asks


def remember(context: bpy.types.Context, place: str) -> None:
    """Remember that the user confirmed an order from this place, unless it is the sidebar.

    Also remembers that the images, and the token if there is one, may go to a server that anybody
    may run.
    """
    provider = provider_of(context.scene)
    if not provider.is_remote:
        return
    owner = _owner(context, provider)
    confirmed = [name for name in (place, owner) if name not in ("", SIDEBAR)]
    if confirmed:
        known = preferences.read_json(context, KNOWN)
        added = {_key(provider, name): True for name in confirmed}
        preferences.keep_json(context, KNOWN, {**known, **added})


def ask(
    operator: Any,
    context: bpy.types.Context,
    event: bpy.types.Event | None,
    count: int = 1,
    *,
    repeated: bool = False,
    images: int = 1,
) -> set[str]:
    """Ask whether to order; the operator's `execute` runs if the answer is yes.

    `repeated` means that one of the orders was already submitted; the operator then runs with
    `again` set. `images` is the number of images of an order. Return the result that the operator's
    `invoke` has to return.
    """
    operator.again = operator.again or repeated
    answer: set[str] = context.window_manager.invoke_confirm(
        operator,
        event,
        title=_title(provider_of(context.scene), count),
        message=question(context, count, repeated=repeated, images=images),
        confirm_text=_button(count, repeated=repeated),
        icon="QUESTION",
    )
    return answer


def ask_to_submit(
    operator: Any,
    context: bpy.types.Context,
    event: bpy.types.Event | None,
    record: jobs.Record,
) -> set[str]:
    """Ask whether to submit a job that is in the library, at its own provider and price.

    Return the result that the operator's `invoke` has to return. Raise ImageToMeshError if the
    provider does not exist, or the job's settings are not valid.
    """
    from ..providers._shared.server_settings import settings_of_record

    provider = get_provider(record.provider)
    settings = settings_of_record(provider, record.settings)
    lines = [
        *_whose_server(context, provider),
        _what_it_costs(provider, price_without_quote(context, provider, settings), 1),
        *_number_of_images(len(record.pictures)),
    ]
    answer: set[str] = context.window_manager.invoke_confirm(
        operator,
        event,
        title=tr("Submit “{}” to {}").format(record.name, tr(provider.label)),
        message="\n".join(lines),
        confirm_text=tr("Submit"),
        icon="QUESTION",
    )
    return answer


def question(context: bpy.types.Context, count: int, *, repeated: bool, images: int = 1) -> str:
    """Return the text of the question, one sentence per line.

    It says what the order costs, and how many images are sent if there are several. If the order is
    repeated, a sentence that says so comes first.
    """
    provider = provider_of(context.scene)
    lines = [
        *_whose_server(context, provider),
        _what_it_costs(provider, known_price(context), count),
        *_number_of_images(images),
    ]
    if repeated:
        said = (
            "The same image was already submitted."
            if count == 1
            else "One of these images was already submitted."
        )
        lines.insert(0, tr(said))
    return "\n".join(lines)


def _title(provider: Provider[Any], count: int) -> str:
    if count == 1:
        return tr("Generate with {}").format(tr(provider.label))
    return tr("Generate {} Meshes with {}").format(count, tr(provider.label))


def _button(count: int, *, repeated: bool) -> str:
    if repeated:
        return tr("Generate Again")
    return tr("Generate") if count == 1 else tr("Generate {} Meshes").format(count)


def _whose_server(context: bpy.types.Context, provider: Provider[Any]) -> list[str]:
    """Return a sentence about a server that anybody may run; none about other servers."""
    host = _public_host(context, provider)
    if not host:
        return []
    said = "{} is somebody else's server. Its owner can see your images."
    if _sends_token(context, provider):
        said = "{} is somebody else's server. Its owner can see your images and your token."
    return [tr(said).format(host)]


def _number_of_images(images: int) -> list[str]:
    return [tr("{} images are sent.").format(images)] if images > 1 else []


def _what_it_costs(provider: Provider[Any], price: KnownPrice | None, count: int) -> str:
    service = tr(provider.label)
    if price is None and provider.self_hosted:
        return tr("{} charges nothing.").format(service)
    if price is None:
        said = "{} charges for this mesh. The price is unknown."
        return tr(said if count == 1 else "{} charges for each mesh. The price is unknown.").format(
            service
        )
    total = price._replace(amount=price.amount * count)
    single, cost = (amount_text(shown.amount, shown.unit) for shown in (price, total))
    cost = cost if count == 1 else f"{count} × {single} = {cost}"
    cost += dollars_text(total, provider)
    said = "{} charges {}, as last time." if price.is_last else "{} charges {}."
    said = "{} charges about {}." if price.listed else said
    return f"{tr(said).format(service, cost)} {source_text(price)}".strip()


def _public_host(context: bpy.types.Context, provider: Provider[Any]) -> str:
    try:
        return provider.public_host(preferences.address(context, provider))
    except ImageToMeshError:
        return ""  # nothing is sent to such an address


def _sends_token(context: bpy.types.Context, provider: Provider[Any]) -> bool:
    """Return whether a key is set, and goes to the server."""
    try:
        is_sent = provider.sends_keys_to(preferences.address(context, provider))
        return is_sent and bool(preferences.keys(context, provider))
    except ImageToMeshError:
        return False  # nothing is sent


def _owner(context: bpy.types.Context, provider: Provider[Any]) -> str:
    """Return the name under which a public server is confirmed; empty for other servers."""
    host = _public_host(context, provider)
    return f"{host}/token" if host and _sends_token(context, provider) else host


def _key(provider: Provider[Any], place: str) -> str:
    return f"{provider.id}/{place}"
