# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages on the stream of a Gradio app's queue."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .gradio import Gradio, Order


class Cut(Exception):
    """The connection breaks off here, without the end of its body."""


class Answer(NamedTuple):
    """How a call ends: `data` are its outputs, None if it failed, for the reason in `error`."""

    data: list[Any] | None
    error: str | None = None


def messages_of(app: Gradio, session: str) -> Iterator[dict[str, Any]]:
    """Yield what the stream of a session says. Raises Cut where the body is cut short."""
    pending = [order for order in app.orders.get(session, []) if not order.is_read]
    if session not in app.orders:
        said = "404: Session not found."
        yield {"msg": "unexpected_error", "event_id": None, "message": said, "success": False}
        raise Cut
    if not pending:
        yield from _silence(app)
        return
    order = pending[-1]
    order.is_read = True
    cut = app.cuts.pop(order.function.name, None)
    for count, message in enumerate(_messages(app, session, order)):
        if cut == count:
            del app.orders[session]
            raise Cut
        yield message
    yield {"msg": "close_stream", "event_id": None}


def _silence(app: Gradio) -> Iterator[dict[str, Any]]:
    """Yield signs of life without end, as a session does that has reported all of its orders."""
    while app.is_running:
        yield {"msg": "heartbeat"}
        time.sleep(0.05)


def _messages(app: Gradio, session: str, order: Order) -> Iterator[dict[str, Any]]:
    own = {"event_id": order.event}
    yield {"msg": "estimation", **own, "rank": 0, "queue_size": 1, "rank_eta": 2.5}
    yield {"msg": "process_starts", **own, "eta": 2.5}
    for index in range(2):
        row = {"index": index, "length": 4, "unit": "steps", "progress": None, "desc": "Sampling"}
        yield {"msg": "progress", **own, "progress_data": [row]}
    yield {"msg": "heartbeat"}
    yield {"msg": "log", "log": "half of it", "level": "info", **own}
    yield {"msg": "process_generating", **own, "output": {"data": [["append", [], "…"]]}}
    while app.held is not None and not order.is_canceled and not app.held.wait(0.02):
        pass
    if order.is_canceled:
        yield {"msg": "process_completed", **own, "output": {}, "success": True}
        return
    answer = app.answer(session, order)
    if answer.data is None:
        failed = {"error": answer.error, "duration": 10, "visible": True, "title": "Error"}
        yield {"msg": "process_completed", **own, "output": failed, "success": False}
        return
    output = {"data": answer.data, "is_generating": False, "duration": 2}
    yield {"msg": "process_completed", **own, "output": output, "success": True}
