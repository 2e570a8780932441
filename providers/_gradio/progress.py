# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the calls of an order are: read from what each of their streams has brought so far.

A stream can be read once, so the job's transcript reads and keeps it; each poll starts over with
what is kept. The call after one that is done is ordered here, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .._shared.errors import Failed, RateLimited, Uncertain
from .._shared.messages import Message
from .._shared.provider import Progress, RemoteFile, Result, Ticket
from .._shared.results.find_mesh import find_meshes
from .._shared.servers.absent import elsewhere, is_at
from .._shared.servers.event_stream import Followed, Transcript
from .._shared.untrusted_text import finite_number
from .errors import canceled_error, failure, lost_result, unknown_order
from .messages import fraction, is_unknown
from .orders import event_of, image_value, join_body
from .streams import Call, find_event, follow, transcript_of

if TYPE_CHECKING:
    from .._shared.http.client import Http

IN_QUEUE, WORKING = "Waiting in queue", "Generating"


def task_state(ticket: Ticket, http: Http) -> Progress | Result:
    """Return how far an order is, or the mesh. Orders the next call if its predecessor is done.

    Raises Failed if the app could not do it, and Uncertain if the result was lost.
    """
    data = ticket.data
    if not is_at(http.address, data):
        raise elsewhere(data["server"])
    steps, images, done = data["steps"], dict(data["images"]), 0.0
    whole = sum(step["weight"] for step in steps)
    answer: list[Any] = []
    for number, step in enumerate(steps):
        event = data["event"] if number == 0 else _order(number, data, images, http)
        state = _state(_call(data, number), event, http)
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
    data, kept = ticket.data, transcript_of(http)
    if is_at(http.address, data):
        _leave(data, kept, http)
    kept.stop()


def _leave(data: Mapping[str, Any], kept: Transcript, http: Http) -> None:
    event, number = data["event"], 0
    for later in range(1, len(data["steps"])):
        answer = kept.answer(_call(data, later).name)
        event, number = (answer["event"], later) if answer else (event, number)
    http.post(
        f"{data['prefix']}/cancel",
        json={
            "session_hash": data["session"],
            "fn_index": data["steps"][number]["number"],
            "event_id": event,
        },
    )


def _call(data: Mapping[str, Any], number: int) -> Call:
    return Call(data["prefix"], data["session"], number)


def _order(
    number: int, data: Mapping[str, Any], images: Mapping[str, Any], http: Http
) -> str | None:
    """Order a later call once, and return its id; None if the app's queue is full.

    If the answer was lost, the id is the one on the stream. Raises Uncertain without one.
    """
    call = _call(data, number)
    body = join_body(data["steps"][number], data["session"], images)

    def send() -> dict[str, str]:
        path = f"{call.prefix}/queue/join"
        return {"event": event_of(http.submit(path, json=body, recorded=False), http)}

    try:
        return str(transcript_of(http).once(call.name, send)["event"])
    except RateLimited:
        return None
    except Uncertain:
        event = find_event(call, http)
        if not event:
            raise
        return event


def _state(call: Call, event: str | None, http: Http) -> Progress | list[Any]:
    """Return how far a call is, or its answer. `event` is None if it is not in the queue yet."""
    return Progress(IN_QUEUE) if event is None else read_state(follow(call, event, http))


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
            if is_unknown(message):
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
        return Progress(WORKING, fraction(message.get("progress_data")))
    if kind == "estimation":
        return Progress(IN_QUEUE, wait=finite_number(message.get("rank_eta")))
    return before


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
    path = f"{data['prefix']}/file={quote(mesh.path)}"
    # A private Space sends its files with the token only, and only a path is requested with it.
    url = (path if http.has_key else f"{http.address}{path}") if mesh.path else mesh.url
    facts = {"app": data["title"], "server": data["server"]}
    notes = []
    if data["license"]:
        notes.append(
            Message("License of {app}: {license}.", app=data["title"], license=data["license"])
        )
    return Result((RemoteFile(url, format=mesh.format),), credits=0.0, facts=facts,
                  notes=tuple(notes))  # fmt: skip
