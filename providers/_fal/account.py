# SPDX-License-Identifier: GPL-3.0-or-later
"""fal's Platform APIs: the balance of the account, and the list of its requests.

Source: fal's pages on these, as of November 2026. They are on another host than the queue.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from .._shared.provider import Balance, Request, Ticket, Uploaded
from .._shared.reconcile import Page, clock_offset, matches_request, rows_around
from .._shared.untrusted_text import finite_number
from .errors import refusal
from .inputs import endpoint_of, shape_for
from .orders import body_of
from .tasks import ticket_of

if TYPE_CHECKING:
    from .._shared.http.client import Http

API = "https://api.fal.ai"
ANY_MODEL = "fal-ai/trellis"
"""A model whose price is asked for to test a key."""


def read_balance(http: Http) -> Balance | None:
    """Return the remaining credits, or None if the key may not read them.

    Only keys with the right to read the billing may. Any other key is tested with a price. Raises
    the error of a refusal, such as BadKey.
    """
    reply = http.get(f"{API}/v1/account/billing", params={"expand": "credits"})
    if reply.status in (403, 404):
        tested = http.get(f"{API}/v1/models/pricing", params={"endpoint_id": ANY_MODEL})
        if not tested.ok:
            raise refusal(tested)
        return None
    if not reply.ok:
        raise refusal(reply)
    credits_ = reply.json.get("credits") if isinstance(reply.json, dict) else None
    given: Mapping[str, Any] = credits_ if isinstance(credits_, dict) else {}
    amount = _number(given.get("current_balance"))
    return None if amount is None else Balance(amount, str(given.get("currency") or "USD"))


def _number(value: object) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return finite_number(value)


def find_orders(
    request: Request[Any], uploaded: Uploaded, since: datetime, http: Http
) -> tuple[Ticket, ...]:
    """Return the tickets of the account's requests with the same inputs, sent around `since`.

    fal lists a request once it has ended. Returns an empty tuple if it refuses to list them.
    """
    endpoint, body = endpoint_of(request.settings), body_of(request, uploaded)
    defaults = {name: row.get("default")
                for name, row in shape_for(request.settings).settings.items()
                if row.get("default") is not None or "seed" in name}  # fmt: skip
    images = set(shape_for(request.settings).pictures.values()) & body.keys()
    found = []
    for row in rows_around(since, "sent_at", partial(_page, http, endpoint), ""):
        inputs = row.get("json_input")
        if not isinstance(inputs, dict) or any(inputs.get(name) != body[name] for name in images):
            continue
        if matches_request(body, inputs, defaults):
            found.append(str(row.get("request_id") or ""))
    return tuple(ticket_of(item, endpoint) for item in dict.fromkeys(found) if item)


def _page(http: Http, endpoint: str, cursor: str) -> Page | None:
    """Return a page of the requests to a model, or None if fal refuses to list them."""
    page = {"cursor": cursor} if cursor else {}
    params = {"endpoint_id": endpoint, "expand": "payloads", "limit": 100, **page}
    reply = http.get(f"{API}/v1/models/requests/by-endpoint", params=params)
    listed = reply.json.get("items") if reply.ok and isinstance(reply.json, dict) else None
    if not isinstance(listed, list):
        return None
    rows = [row for row in listed if isinstance(row, dict)]
    cursor = reply.json.get("next_cursor") if reply.json.get("has_more") else ""
    return Page(rows, clock_offset(reply), cursor or None)
