# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the calls of an order are: read from what each of their streams has brought so far.

A stream can be read once, so the job's transcript reads and keeps it; each poll starts over with
what is kept. The call after one that is done is ordered here, once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import closing
from math import inf
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .._shared.errors import Failed, RateLimited
from .._shared.http.addresses import segment
from .._shared.messages import Message
from .._shared.provider import Progress, RemoteFile, Result, Ticket
from .._shared.results.find_mesh import find_meshes
from .._shared.servers.absent import elsewhere, is_at
from .._shared.servers.event_stream import Events, Followed, Transcript
from .._shared.untrusted_text import finite_number
from .errors import canceled_error, failure, lost_result, unknown_order
from .orders import event_of, image_value, join_body

if TYPE_CHECKING:
    from .._shared.http.client import Http

IN_QUEUE, WORKING = "Waiting in queue", "Generating"
REPORTS: Mapping[str, tuple[str, ...]] = {
    "estimation": ("rank_eta",),
    "process_starts": (),
    "progress": ("progress_data",),
}
ENDS: Mapping[str, tuple[str, ...]] = {
    "process_completed": ("success", "output"),
    "unexpected_error": ("message",),
}
"""The messages about a call that are kept, each with the fields that are read."""
REPORT_INTERVAL = 1.0
"""Minimum seconds between two reports of one kind that are kept."""
LONGEST_TEXT = 2000
"""Longest text of an answer that is kept; pages with pictures have megabytes."""
MOST_DEPTH = 12
_GONE = re.compile(r"not\sfound", re.IGNORECASE)


def task_state(ticket: Ticket, http: Http) -> Progress | Result:
    """Return how far an order is, or the mesh. Orders the next call if its predecessor is done.

    Raises Failed if the app could not do it, and Uncertain if the result was lost.
    """
    data, kept = ticket.data, _transcript(http)
    if not is_at(http.address, data):
        raise elsewhere(data["server"])
    steps, images, done = data["steps"], dict(data["images"]), 0.0
    whole = sum(step["weight"] for step in steps)
    answer: list[Any] = []
    for number, step in enumerate(steps):
        event = data["event"] if number == 0 else _order(number, data, images, http)
        state = Progress(IN_QUEUE) if event is None else _state(number, event, data, http, kept)
        if isinstance(state, Progress):
            inside = (state.fraction or 0.0) * step["weight"]
            return Progress(state.phase, (done + inside) / whole, state.wait)
        answer, done = state, done + step["weight"]
        _take_image(step, answer, images)
    return _result(data, answer, http)


def leave_queue(ticket: Ticket, http: Http) -> None:
    """Tell the app that nobody waits for the current call, and stop reading its messages.

    Calls no server but the one with the order. Raises Unreachable without an
    answer.
    """
    data, kept = ticket.data, _transcript(http)
    if is_at(http.address, data):
        _leave(data, kept, http)
    kept.stop()


def _leave(data: Mapping[str, Any], kept: Transcript, http: Http) -> None:
    event, number = data["event"], 0
    for later in range(1, len(data["steps"])):
        answer = kept.answer(_name(data, later))
        event, number = (answer["event"], later) if answer else (event, number)
    http.post(
        f"{data['prefix']}/cancel",
        json={
            "session_hash": data["session"],
            "fn_index": data["steps"][number]["number"],
            "event_id": event,
        },
    )


def _transcript(http: Http) -> Transcript:
    if http.transcript is None:
        raise Failed("This job's folder cannot keep what the app says.")
    return http.transcript


def _name(data: Mapping[str, Any], number: int) -> str:
    return f"{segment(data['session'])}-{number}"


def _order(
    number: int, data: Mapping[str, Any], images: Mapping[str, Any], http: Http
) -> str | None:
    """Order a later call once, and return its id; None if the app's queue is full."""
    body = join_body(data["steps"][number], data["session"], images)

    def send() -> dict[str, str]:
        path = f"{data['prefix']}/queue/join"
        return {"event": event_of(http.submit(path, json=body, recorded=False))}

    try:
        return str(_transcript(http).once(_name(data, number), send)["event"])
    except RateLimited:
        return None


def _state(
    number: int, event: str, data: Mapping[str, Any], http: Http, kept: Transcript
) -> Progress | list[Any]:
    """Return how far a call is, or its answer."""
    path = f"{data['prefix']}/queue/data?session_hash={segment(data['session'])}"
    followed = kept.follow(_name(data, number), lambda: _worth_keeping(http.events(path), event))
    return read_state(followed)


def read_state(followed: Followed) -> Progress | list[Any]:
    """Return how far a call is by its messages, or its answer.

    Raises what the app says if it failed, Expired if the app does not know it, and Uncertain if the
    stream ended before its answer.
    """
    state = Progress(IN_QUEUE)
    for message in followed.messages:
        kind = message.get("msg")
        if kind == "process_completed":
            return _answer_of(message)
        if kind == "unexpected_error":
            if _GONE.search(str(message.get("message", ""))):
                raise unknown_order()
            raise lost_result(str(message.get("message", "")))
        state = _progress_of(message, state)
    if not followed.is_open:
        raise lost_result(followed.reason or Message.of("the app closed it"))
    return state


def _answer_of(message: Mapping[str, Any]) -> list[Any]:
    output = message.get("output")
    if message.get("success") is not True:
        raise failure(output)
    answer = output.get("data") if isinstance(output, dict) else None
    if not isinstance(answer, list):
        # What is said of a call that was cancelled: a success without an answer.
        raise canceled_error()
    return answer


def _progress_of(message: Mapping[str, Any], before: Progress) -> Progress:
    kind = message.get("msg")
    if kind == "process_starts":
        return Progress(WORKING)
    if kind == "progress":
        return Progress(WORKING, _fraction(message.get("progress_data")))
    if kind == "estimation":
        return Progress(IN_QUEUE, wait=finite_number(message.get("rank_eta")))
    return before


def _fraction(rows: object) -> float | None:
    """Return the part that is done by the last row with a length, which is the innermost loop."""
    for row in reversed(rows if isinstance(rows, list) else []):
        sizes = row if isinstance(row, dict) else {}
        index, length = (finite_number(sizes.get(name)) for name in ("index", "length"))
        if index is not None and length is not None and length > 0:
            return min(max(index / length, 0.0), 1.0)
    return None


def _worth_keeping(events: Events, event: str) -> Events:
    """Yield what is read of the messages about a call until it has ended, and not too often.

    None stands for a message that is not kept, so that the reader notices when it shall stop.
    """
    last: dict[str, float] = {}
    with closing(events):
        for message in events:
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
    if not isinstance(message, dict) or message.get("event_id", event) != event:
        return ""
    kind = message.get("msg")
    return kind if isinstance(kind, str) and kind in {*REPORTS, *ENDS} else ""


def _shorten_message(kind: str, message: Mapping[str, Any]) -> dict[str, Any]:
    names = {**REPORTS, **ENDS}[kind]
    short = {"msg": kind, **{name: message[name] for name in names if name in message}}
    if kind == "progress":  # apps report each of many nested loops, with any texts
        done = _fraction(message.get("progress_data"))
        short["progress_data"] = [] if done is None else [{"index": done, "length": 1}]
    if kind == "estimation":
        short["rank_eta"] = finite_number(message.get("rank_eta"))
    if kind == "process_completed" and isinstance(output := message.get("output"), dict):
        short["output"] = {name: output[name] for name in ("data", "error") if name in output}
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


def _take_image(step: Mapping[str, Any], answer: list[Any], images: dict[str, Any]) -> None:
    """Replace an image by the one in a call's answer, if it has one."""
    place = _first_file(answer)
    if step["returns"] and place:
        images[step["returns"]] = image_value(place, f"{step['returns']}.png")


def _first_file(value: Any) -> str:
    """Return the place of the first file in an answer; empty if it has no file."""
    if isinstance(value, list):
        return next(filter(None, map(_first_file, value)), "")
    if not isinstance(value, dict):
        return ""
    path = value.get("path")
    return path if isinstance(path, str) else _first_file(list(value.values()))


def _result(data: Mapping[str, Any], answer: list[Any], http: Http) -> Result:
    found = [mesh for mesh in find_meshes(answer) if mesh.path or mesh.url]
    if not found:
        raise Failed(
            "The app finished without a mesh.",
            "Enter the name of another function of the app in the settings.",
        )
    mesh = found[0]
    # By its path, since behind a proxy the app gives an address that only the proxy can reach.
    url = f"{http.address}{data['prefix']}/file={quote(mesh.path)}" if mesh.path else mesh.url
    facts = {"app": data["title"], "server": data["server"]}
    notes = []
    if data["license"]:
        notes.append(
            Message("License of {app}: {license}.", app=data["title"], license=data["license"])
        )
    return Result((RemoteFile(url, format=mesh.format),), credits=0.0, facts=facts,
                  notes=tuple(notes))  # fmt: skip
