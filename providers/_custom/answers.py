# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the mesh, the task's ID, and the task's state in the JSON of any server."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._shared.errors import BadReply
from .._shared.http.addresses import (
    EVERYWHERE,
    BadAddress,
    is_loopback,
    read_address,
    redirect_target,
)
from .._shared.messages import Message
from .._shared.results.find_mesh import find_meshes
from .._shared.results.mesh_format import format_of
from .._shared.servers.long_strings import DATA_URL, LONG, file_start
from .form import lookup

IDS = (
    *("id", "task_id", "job_id", "request_id", "prompt_id", "uid", "uuid", "task", "job"),
    *("taskId", "jobId", "requestId", "status_url", "statusUrl", "url"),
)
"""Names of a task's ID in answers, by preference."""
STATES = ("status", "state", "task_status", "job_status", "stage")
SWITCHES = ("done", "completed", "complete", "finished", "ready")
"""Names of a value that is true once the mesh is finished."""
REASONS = ("error", "message", "detail", "reason", "error_message")
DONE = frozenset(
    {*("completed", "complete", "done", "success", "succeeded", "finished", "ready", "ok")}
)
FAILED = frozenset(
    {
        *("failed", "failure", "error", "errored", "cancelled", "canceled", "aborted", "rejected"),
        *("timeout", "timed_out", "expired", "killed"),
    }
)
WAITING = frozenset({"queued", "queue", "pending", "waiting", "submitted", "created", "in_queue"})
MAX_DEPTH = 6
MAX_VALUES = 5000
SHORTEST = 64
"""Characters from which a text can be a mesh in Base64."""
HEAD = 400_000
"""Characters of a text in Base64 that are decoded to recognize its format."""
IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"GIF8")
"""First bytes of images, which servers send as previews."""
MESH_WORDS = ("mesh", "model", "glb", "obj", "base64", "b64", "data", "file", "result", "output")

Place = tuple[str | int, ...]


class Found(NamedTuple):
    """A mesh in an answer: a `url`, or else the `place` of a text in Base64."""

    url: str = ""
    place: Place = ()
    format: str | None = None


class TaskState(NamedTuple):
    """The state of a task in an answer: whether it ended, and how far it is, None if unknown.

    `is_over` is True for a finished task, False for one that runs, and None if nothing says it.
    """

    is_over: bool | None = None
    failure: str | None = None
    phase: str = "Generating"
    fraction: float | None = None


def find_mesh(answer: object, field: str, address: str) -> Found | None:
    """Return the mesh in an answer from the server at `address`; None if it has no mesh.

    `field` is where the user says that it is, or empty. Raises BadReply for a URL that cannot be
    the mesh's.
    """
    if field:
        value = lookup(answer, field)
        if isinstance(value, str) and value:
            return _found_in_text(value, tuple(field.split(".")), address)
        answer = value  # an object with a URL in it, as for a file
    for mesh in find_meshes(answer):
        return Found(full_url(mesh.url or mesh.path, address), mesh.place, mesh.format)
    inside = [Found("", place, format_) for place, format_ in _in_base64(answer)]
    return min(inside, key=lambda found: found.format is None, default=None)


def find_id(answer: object, field: str) -> str | None:
    """Return the ID of the task in an answer; None if it has no ID."""
    if field:
        return _as_id(lookup(answer, field))
    if isinstance(answer, str):
        return answer or None
    values = [(place[-1], value) for place, value in _walk(answer) if place]
    for name in IDS:
        for own, value in values:
            if own == name and (found := _as_id(value)):
                return found
    return None


def task_state(answer: object) -> TaskState:
    """Return what an answer says about the task."""
    values = [(place[-1], value) for place, value in _walk(answer) if place]
    word = next((value for name, value in values if name in STATES and _is_word(value)), "")
    word = str(word).strip().lower().replace(" ", "_").replace("-", "_")
    error = next((value for name, value in values if name == "error" and value), None)
    if word in FAILED or (not word and error):
        return TaskState(True, reason_in(answer) or word)
    switches = [value for name, value in values if name in SWITCHES and isinstance(value, bool)]
    is_over = word in DONE if word else switches[0] if switches else None
    phase = "Waiting in queue" if word in WAITING else "Generating"
    return TaskState(is_over, None, phase, _fraction(values))


def reason_in(answer: object) -> str:
    """Return the sentence of an answer that says what went wrong; empty without one."""
    values = [(place[-1], value) for place, value in _walk(answer) if place]
    texts = ((name, value) for name, value in values if isinstance(value, str) and value)
    known = {name: value for name, value in reversed(list(texts)) if name in REASONS}
    return next((known[name].rstrip(".") for name in REASONS if name in known), "")


def fields_in(answer: object) -> str:
    """Return the names in an answer, for a message that helps to find the right one."""
    names = [".".join(map(str, place)) for place, _ in _walk(answer) if place]
    return ", ".join(names[:12]) or "-"


def full_url(text: str, address: str) -> str:
    """Return the URL of a file that the server at `address` names by URL or path.

    A server that listens on all addresses often names itself `0.0.0.0` or `localhost`: the host is
    then that of `address`. Raises BadReply for a file on the server's own disk.
    """
    if re.match(r"[A-Za-z]:[\\/]|\\\\|file:", text):
        raise BadReply(
            Message("The server named a file on its own disk: {path}.", path=text[:100]),
            "It has to send the mesh itself, or a URL of it.",
        )
    base = read_address(address)
    try:
        found = redirect_target(base._replace(rest=f"{base.rest.rstrip('/')}/"), text)
    except BadAddress as error:
        raise BadReply(
            Message("The URL of the mesh cannot be used: {reason}.", reason=error.reason),
            "Check Mesh Field in the settings.",
        ) from error
    is_itself = found.host in EVERYWHERE or (is_loopback(found.host) and not base.is_loopback)
    return found._replace(host=base.host).url if is_itself else found.url


def _found_in_text(text: str, place: Place, address: str) -> Found:
    start, size = _file_start(text)
    format_ = _format(start, size)
    if format_ is not None or size > LONG:
        return Found("", place, format_)
    return Found(full_url(text, address), place)


def _in_base64(answer: object) -> Iterator[tuple[Place, str | None]]:
    """Yield the places of texts that are, or may be, a mesh in Base64, and its format if known."""
    for place, value in _walk(answer):
        if not isinstance(value, str) or len(value) < SHORTEST:
            continue
        start, size = _file_start(value)
        name = str(place[-1]).lower() if place else ""
        # Of a shortened text only a few bytes are known: too few for the formats that are text.
        may_be = size > LONG and any(word in name for word in MESH_WORDS)
        format_ = _format(start, size)
        if format_ or (may_be and not start.startswith(IMAGES)):
            yield place, format_


def _file_start(text: str) -> tuple[bytes, int]:
    """Return the first bytes of a file in Base64, and about its size; nothing for other texts."""
    try:
        if len(text) <= HEAD:
            return file_start("".join(text.split()))
        found = DATA_URL.match(text[:128])
        skipped = found.end() if found else 0
        # The beginning only: the whole file may have 200 MB.
        kept = "".join(text[skipped : skipped + HEAD].split())
        start = base64.b64decode(kept[: len(kept) - len(kept) % 4], validate=True)
        return start, len(text) * 3 // 4
    except ValueError:
        return b"", 0


def _format(start: bytes, size: int) -> str | None:
    return None if start.startswith(b"{") else format_of(start, size)


def _walk(answer: object) -> Iterator[tuple[Place, Any]]:
    """Yield the values of an answer with their places, the outer ones first."""
    remaining = MAX_VALUES
    level: list[tuple[Place, Any]] = [((), answer)]
    for _ in range(MAX_DEPTH):
        below: list[tuple[Place, Any]] = []
        for place, value in level[:remaining]:
            yield place, value
            if isinstance(value, Mapping):
                below += [((*place, str(name)), item) for name, item in value.items()]
            elif isinstance(value, list):
                below += [((*place, index), item) for index, item in enumerate(value)]
        remaining -= len(level)
        level = below
        if remaining <= 0:
            return


def _as_id(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) < 40


def _fraction(values: list[tuple[str | int, Any]]) -> float | None:
    for name, value in values:
        if name in ("progress", "percent", "percentage") and type(value) in (int, float):
            if not 0 <= value <= 100:  # also whole numbers that no float can hold
                return None
            return float(value if name == "progress" and value <= 1 else value / 100)
    return None
