# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a stream as a job keeps them: those about one call, rarely, in short."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import closing
from math import inf
from typing import Any

from .._shared.errors import Sent
from .._shared.http.verdicts import with_sent
from .._shared.servers.event_stream import Events
from .._shared.untrusted_text import finite_number
from .errors import unknown_order

REPORTS: Mapping[str, tuple[str, ...]] = {
    "estimation": ("rank_eta",),
    "process_starts": (),
    "progress": ("progress_data",),
}
FOUND = "found"
"""The kind of a message that stands before all others of a call that was searched, with its id."""
ENDS: Mapping[str, tuple[str, ...]] = {
    "process_completed": ("success", "output"),
    "unexpected_error": ("message",),
}
KEPT = {**REPORTS, **ENDS, FOUND: ("event_id",)}
"""The messages about a call that are kept, each with the fields that are read."""
ANSWER = ("data", "error", "title")
"""The fields of a call's output that are read."""
REPORT_INTERVAL = 1.0
"""Minimum seconds between two reports of one kind that are kept."""
LONGEST_TEXT = 2000
"""Longest text of an answer that is kept; pages with pictures have megabytes."""
MOST_DEPTH = 12
_GONE = re.compile(r"not\sfound", re.IGNORECASE)
"""What the error on a stream says if the app has no order in its session."""


def with_id(events: Events) -> Events:
    """Yield the messages of a stream, after one with the id of the call that they are about.

    Raises Expired if the app has no call in the session: the stream then counts as not opened.
    """
    event = ""
    with closing(events):
        for message in events:
            if not event and is_unknown(message):
                raise with_sent(unknown_order(), Sent.NO)
            if not event and (event := id_in(message)):
                yield {"msg": FOUND, "event_id": event}
            yield message


def is_unknown(message: object) -> bool:
    """Return whether a message says that the app has no such call."""
    said = message if isinstance(message, dict) else {}
    return said.get("msg") == "unexpected_error" and bool(_GONE.search(str(said.get("message"))))


def id_in(message: object) -> str:
    """Return the id of the call that a message is about; empty if it is about none."""
    event = message.get("event_id") if isinstance(message, dict) else None
    return event if isinstance(event, str) else ""


def worth_keeping(events: Events, event: str) -> Events:
    """Yield what is read of the messages about a call until it has ended, and not too often.

    Without the id of the call in `event`, it is the first one that a message has. None stands for
    a message that is not kept, so that the reader notices when it shall stop.
    """
    last: dict[str, float] = {}
    with closing(events):
        for message in events:
            event = event or id_in(message)
            kind = _kind_of(message, event)
            now = time.monotonic()
            if not kind or (kind in REPORTS and now - last.get(kind, -inf) < REPORT_INTERVAL):
                yield None
                continue
            last[kind] = now
            yield _shorten_message(kind, message)
            if kind in ENDS:
                return


def _kind_of(message: object, event: str) -> str:
    """Return the kind of a message about a call that is kept, and empty for any other."""
    if not isinstance(message, dict) or (id_in(message) or event) != event:
        return ""
    kind = message.get("msg")
    return kind if isinstance(kind, str) and kind in KEPT else ""


def _shorten_message(kind: str, message: Mapping[str, Any]) -> dict[str, Any]:
    short = {"msg": kind, **{name: message[name] for name in KEPT[kind] if name in message}}
    if kind == "progress":  # apps report each of many nested loops, with any texts
        done = fraction(message.get("progress_data"))
        short["progress_data"] = [] if done is None else [{"index": done, "length": 1}]
    if kind == "estimation":
        short["rank_eta"] = finite_number(message.get("rank_eta"))
    if kind == "process_completed" and isinstance(output := message.get("output"), dict):
        short["output"] = {name: output[name] for name in ANSWER if name in output}
    shortened: dict[str, Any] = shorten(short)
    return shortened


def shorten(value: Any, depth: int = 0) -> Any:
    """Return JSON without long texts, and without what is nested too deeply."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else ""
    if depth > MOST_DEPTH:
        return None
    if isinstance(value, dict):
        return {name: shorten(item, depth + 1) for name, item in value.items()}
    return [shorten(item, depth + 1) for item in value] if isinstance(value, list) else value


def fraction(rows: object) -> float | None:
    """Return the part that is done by the last row with a length, which is the innermost loop."""
    for row in reversed(rows if isinstance(rows, list) else []):
        sizes = row if isinstance(row, dict) else {}
        index, length = (finite_number(sizes.get(name)) for name in ("index", "length"))
        if index is not None and length is not None and length > 0:
            return min(max(index / length, 0.0), 1.0)
    return None
