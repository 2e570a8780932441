# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders at Meshy: what is sent, its answer, and the list in which a lost one is found.

Sources: docs.meshy.ai and the vendor's MCP server 0.5.2; as of November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from .._shared.adapters import parse_reply
from .._shared.errors import BadImage, BadReply, Uncertain, Unreachable
from .._shared.http.addresses import segment
from .._shared.images import clean_picture, read_picture_info
from .._shared.messages import Message
from .._shared.orders.data_urls import data_url, data_url_of
from .._shared.provider import Request, Ticket
from .._shared.reconcile import Page, clock_offset, matches_request, rows_around
from .._shared.settings import values_of
from . import KEY_PAGE_URL
from .errors import is_refused, refusal
from .rules import sent_settings

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

SINGLE, SEVERAL = "image-to-3d", "multi-image-to-3d"
PAGE_ROWS = 50
"""Tasks on a page of a list; the documentation allows no more for several images."""
CLOCK_ERROR = timedelta(seconds=10)
"""Maximum time by which a task seems to be older than its order, by the Date header's clock."""
CHECK = "Check Meshy for the task before you submit again."


@dataclass(frozen=True)
class _Created:
    result: str


def submit(request: Request[Any], http: Http) -> Ticket:
    """Order a mesh, and return its ticket. Raises the error for a refusal.

    Raises Uncertain if Meshy may have created the task, BadReply if the order was accepted, but
    the response contains no usable task id.
    """
    kind = _kind_of(request)
    return _read_ticket(http.submit(f"/{kind}", json=_body(request)), kind)


def _kind_of(request: Request[Any]) -> str:
    """Return the name of the call, which is also the type of the task."""
    return SINGLE if len(request.pictures) == 1 else SEVERAL


def _body(request: Request[Any]) -> dict[str, Any]:
    """Return the body of an order. The first image is the front; the order of the others is free.

    Raises BadImage for a texture image that cannot be used.
    """
    images = [data_url(picture) for picture in request.pictures]
    body: dict[str, Any] = {"image_url": images[0]} if len(images) == 1 else {"image_urls": images}
    texture = request.files.get("texture_image")
    if texture is not None and request.settings.should_texture:
        body["texture_image_url"] = _texture_url(texture)
    return {**body, **sent_settings(request.settings)}


def _texture_url(data: bytes) -> str:
    """Return a texture image without its metadata as a data URL; raises BadImage if unusable."""
    name = Message.of("Texture Image")
    info = read_picture_info(data, name)
    if info.format not in ("png", "jpeg"):
        raise BadImage("The texture image is neither PNG nor JPEG.", "Use a PNG or JPEG image.")
    return data_url_of(clean_picture(data, info, name) or data, info.format)


def _read_ticket(reply: Reply, kind: str) -> Ticket:
    if is_refused(reply):
        error = refusal(reply)
        if isinstance(error, Unreachable) and not reply.refused:
            raise Uncertain(error.message, CHECK, KEY_PAGE_URL)
        raise error
    if not isinstance(reply.json, dict):
        raise BadReply("Meshy accepted the request, but its response cannot be read.", CHECK)
    task = parse_reply(_Created, reply.json, "task").result
    segment(task)  # raises BadReply for an id that could never be polled
    return Ticket({"task": task, "kind": kind})


# -- a lost order --------------------------------------------------------------------------------


def find_tasks(request: Request[Any], since: datetime, http: Http) -> tuple[Ticket, ...]:
    """Return the tickets of tasks of this kind that were created soon after `since`.

    The list names few inputs: those that it does name have to match. So it is strict about the
    time. Returns an empty tuple if Meshy refuses to list the tasks.
    """
    kind, settings = _kind_of(request), request.settings
    sent, defaults = sent_settings(settings), values_of(type(settings)())
    if sent["ai_model"] == "latest":
        del sent["ai_model"], defaults["ai_model"]  # The list may name the model that it was.
    rows = rows_around(since, "created_at", partial(_page_of_tasks, http, kind, since), 1)
    # A task that is created meanwhile moves the others, so that two pages have the same one.
    tasks = {str(row["id"]): None for row in rows if _may_be(row, sent, defaults)}
    return tuple(Ticket({"task": task, "kind": kind}) for task in tasks)


def _may_be(row: Mapping[str, Any], sent: dict[str, Any], defaults: dict[str, Any]) -> bool:
    return bool(row["is_later"]) and matches_request(sent, row, defaults)


def _page_of_tasks(http: Http, kind: str, since: datetime, number: int) -> Page | None:
    """Return a page of the account's tasks, from new to old, or None if Meshy refuses that."""
    params = {"page_num": number, "page_size": PAGE_ROWS, "sort_by": "-created_at"}
    reply = http.get(f"/{kind}", params=params)
    if not reply.ok or not isinstance(reply.json, list):
        return None
    clock = clock_offset(reply)
    earliest = (since + clock - CLOCK_ERROR).timestamp()
    listed = [row for row in reply.json if isinstance(row, dict) and row.get("id")]
    rows = [_with_time(row, earliest) for row in listed]
    return Page(rows, clock, number + 1 if reply.json else None)


def _with_time(row: Mapping[str, Any], earliest: float) -> Mapping[str, Any]:
    """Return a row of a list with its time in seconds, and whether that is after `earliest`.

    Meshy's times are milliseconds since 1970.
    """
    created = row.get("created_at")
    if isinstance(created, bool) or not isinstance(created, int | float):
        return {**row, "created_at": None, "is_later": False}
    return {**row, "created_at": created / 1000, "is_later": created / 1000 >= earliest}
