# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsing of Tripo's responses and errors, in both versions of its API.

Sources: Tripo's migration guide and the SDKs tripo3d 0.4.2 and 1.0.0; as of 2026.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from .._shared.adapters import parse_reply
from .._shared.errors import (
    BadImage,
    BadKey,
    BadMesh,
    BadReply,
    Banned,
    Expired,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    NoCredits,
    RateLimited,
    Rejected,
    Uncertain,
    Unreachable,
)
from .._shared.http.addresses import ending_of, segment
from .._shared.messages import Message, join_messages
from .._shared.provider import Balance, Progress, RemoteFile, Result, Ticket
from .._shared.reconcile import clock_offset, is_near, matches_request

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

T = TypeVar("T")

KEY_PAGE_URL = "https://platform.tripo3d.ai/api-keys"
BILLING_PAGE_URL = "https://platform.tripo3d.ai/billing"


@dataclass(frozen=True, slots=True)
class Api:
    """What differs between the versions of the API.

    `meshes` are the output fields that may hold the mesh, in order of preference, `late` is the
    error for code 2018, `nobody` the hint if another server answers at the base URL.
    """

    name: str
    meshes: tuple[str, ...]
    late: type[Failed]
    nobody: str


@dataclass(frozen=True)
class Task:
    """A task in either version. Fields that a version lacks are None."""

    status: str | None = None
    progress: float | None = None
    input: dict[str, Any] | None = None
    output: dict[str, Any] | None = None
    error_code: Any = None
    error_message: str | None = None
    error_msg: str | None = None
    credits_consumed: float | None = None
    consumed_credit: float | None = None
    running_left_time: float | None = None


@dataclass(frozen=True)
class _Created:
    task_id: str


@dataclass(frozen=True)
class _Account:
    balance: float


def read(reply: Reply, model: type[T], where: str, api: Api) -> T:
    """Return the parsed data of a free call. Raises the error that a refusal means.

    HTML instead of JSON comes from a proxy or captive portal, which may be gone at the next poll:
    it raises Unreachable, which is retried.
    """
    if _refused(reply):
        error = refusal(reply, api)
        # Failed would end the job. Only the task's own status may do that, not a refused poll.
        raise BadReply(error.message, "Try again later.") if type(error) is Failed else error
    if not isinstance(reply.json, dict):
        raise Unreachable(
            Message("Something else answered in {api}'s place.", api=api.name), api.nobody
        )
    return parse_reply(model, reply.json.get("data"), f"{api.name}'s {where}")


def check_storage(reply: Reply, api: Api) -> None:
    """Raise Unreachable if Tripo's storage refused an image. Its errors are XML, if anything."""
    if not reply.ok:
        raise Unreachable(
            Message("{api}'s storage answered {status}.", api=api.name, status=reply.status),
            "Try again later.",
        )


def parse_submit(reply: Reply, api: Api) -> Ticket:
    """Return the ticket of a submitted task.

    Raises Uncertain for a server error, and for an undocumented code without a message: in both
    cases Tripo may have created the task.
    """
    if _refused(reply):
        error = refusal(reply, api)
        unclear = isinstance(error, Unreachable) or _is_unclear(reply)
        if unclear and not reply.refused:  # guard: unknown-code-is-no-verdict
            raise Uncertain(error.message, "Look at Tripo whether the task is there.", KEY_PAGE_URL)
        raise error
    if not isinstance(reply.json, dict):
        raise BadReply(
            Message("{api} took the order with an answer that cannot be read.", api=api.name)
        )
    task = parse_reply(_Created, reply.json.get("data"), "The order").task_id
    segment(task)  # guard: task-can-be-asked-for
    return Ticket({"task": task})


def task_path(ticket: Ticket) -> str:
    """Return the task id as a segment of a URL path."""
    return segment(ticket.data["task"])


def task_state(reply: Reply, ticket: Ticket, api: Api) -> Progress | Result:
    """Return the progress or result of a task. Raises Failed if it ended without a mesh.

    An undocumented status counts as running, as in Tripo's own client.
    """
    task = read(reply, Task, "task", api)
    status = (task.status or "").lower()
    if status == "success":
        return _result(task, ticket, api)
    if status in _ENDS:
        raise _failure(task, status, ticket, api)
    done = None if task.progress is None else min(max(task.progress / 100, 0.0), 1.0)
    remaining = task.running_left_time
    phase = "Waiting in the queue" if status == "queued" else "Generating"
    return Progress(phase, done, remaining if remaining and remaining > 0 else None)


def find_tasks(
    kind: str,
    body: Mapping[str, Any],
    defaults: Mapping[str, Any],
    since: datetime,
    http: Http,
    api: Api,
) -> tuple[Ticket, ...]:
    """Return the account's tasks of this type, created around `since` with the same inputs.

    The usage list has the type and time of tasks; their inputs need a call for each.
    """
    reply = http.get("/account/usage", params={"limit": 50, "offset": 0})
    listed = reply.json.get("data") if not _refused(reply) and isinstance(reply.json, dict) else []
    rows = listed.get("items") if isinstance(listed, dict) else listed
    since_there = since + clock_offset(reply)
    sent = {**body, "model_version": body.get("model")}
    tickets = []
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or row.get("type") != kind or not row.get("task_id"):
            continue
        if is_near(row.get("created_at"), since_there):
            ticket = Ticket({"task": str(row["task_id"])})
            task = read(http.get(f"/tasks/{task_path(ticket)}"), Task, "task", api)
            if matches_request(sent, task.input or {}, defaults):
                tickets.append(ticket)
    return tuple(tickets)


def balance_of(reply: Reply, api: Api) -> Balance:
    """Return the balance."""
    return Balance(read(reply, _Account, "balance", api).balance)


def _result(task: Task, ticket: Ticket, api: Api) -> Result:
    output = task.output or {}
    mesh = _address(output, api.meshes)
    if mesh is None:
        raise BadMesh(
            Message("{api} says that the mesh is ready, and not where.", api=api.name),
            "Resume the job in a while.",
        )
    preview = _address(output, ("rendered_image_url", "rendered_image"))
    files = [RemoteFile(mesh, format=_ending(mesh))]
    if preview is not None:
        files.append(RemoteFile(preview, "preview", _ending(preview)))
    used = task.input or {}
    seeds: dict[str, Any] = {
        name: used[name] for name in ("model_seed", "texture_seed") if name in used
    }
    cost = task.consumed_credit if task.credits_consumed is None else task.credits_consumed
    facts = {"task": ticket.data["task"], **seeds}
    return Result(tuple(files), credits=cost, facts=facts)


def _address(output: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """Return the first URL of these fields: a string, a list of strings, or an object with one."""
    for name in names:
        value = output.get(name)
        if isinstance(value, list):
            value = next(iter(value), None)
        if isinstance(value, dict):
            value = value.get("url")
        if isinstance(value, str) and value:
            return value
    return None


def _ending(url: str) -> str | None:
    return ending_of(url) or None


_ENDS: Mapping[str, type[Failed]] = {
    "failed": Failed,
    "cancelled": Failed,
    "canceled": Failed,
    "banned": Banned,
    "expired": Expired,
}
POLICY, LATE = 2008, 2018


def _failure(task: Task, status: str, ticket: Ticket, api: Api) -> Failed:
    number = _number(task.error_code)
    by_number: dict[int, type[Failed]] = {POLICY: Banned, LATE: api.late}
    kind = by_number.get(number, _ENDS[status])
    own = (task.error_message or task.error_msg or "").rstrip(".")
    says = own or Message(_SAYS[kind], api=api.name, status=Message.of(status))
    task_id = ticket.data["task"]
    message = Message("{message} (task {task}).", message=says, task=task_id)
    if number:
        message = Message(
            "{message} (task {task}, error {number}).", message=says, task=task_id, number=number
        )
    return kind(message, join_messages(_NEXT[kind], "Tripo does not charge for it."))


_SAYS: Mapping[type[Failed], str] = {
    Failed: "{api} could not make the mesh ({status})",
    Banned: "{api} stopped the task for its content policy",
    Expired: "{api} did not get to the task in time",
}
_NEXT: Mapping[type[Failed], str] = {
    Failed: "Try another picture or other settings.",
    Banned: "Use another picture.",
    Expired: "Generate again.",
}

# -- refusals ------------------------------------------------------------------------------------

_BY_CODE: Mapping[int, type[ImageToMeshError]] = {
    **dict.fromkeys((2, 1002, 1005), BadKey),
    **dict.fromkeys((1000, 1001, 4001), Unreachable),
    **dict.fromkeys((1003, 1004, 2009, 2013, 2015, 2016, 2017, 2019), InvalidSettings),
    **dict.fromkeys((1007, 2000), RateLimited),
    **dict.fromkeys((2003, 2004, 2021, 2022), BadImage),
    **dict.fromkeys((2002, 2005, 2006, 2007, LATE), Failed),
    **dict.fromkeys((POLICY, 2014), Rejected),
    2001: Expired,
    2010: NoCredits,
}
_BY_STATUS: Mapping[int, type[ImageToMeshError]] = {
    **dict.fromkeys((400, 422), InvalidSettings),
    **dict.fromkeys((401, 403), BadKey),
    **dict.fromkeys((404, 405, 408, 410), Unreachable),
    **dict.fromkeys((413, 415), BadImage),
    402: NoCredits,
    429: RateLimited,
}
_HINTS: Mapping[type[ImageToMeshError], str] = {
    BadKey: "Check the key: it starts with tsk_, and one of tripo3d.ai is none of tripo3d.com.",
    NoCredits: "Top up.",
    InvalidSettings: "Change the settings, then generate again.",
    BadImage: "Use a PNG, JPEG or WebP picture of at most 20 MB and 6000 pixels a side.",
    Rejected: "Use another picture.",
    Unreachable: "Tripo has trouble: try again later.",
    Expired: "Look for it at Tripo.",
    Failed: "Try another picture or other settings.",
}
_LINKS: Mapping[type[ImageToMeshError], str] = {BadKey: KEY_PAGE_URL, NoCredits: BILLING_PAGE_URL}


def refusal(reply: Reply, api: Api) -> ImageToMeshError:
    """Return the error for a refused call, with Tripo's own message."""
    kind = _kind(reply)
    hint = _HINTS.get(kind, "")
    if kind is RateLimited:
        hint = _wait_hint(reply)
    elif kind is Unreachable and reply.status < 500 and _code(reply) not in (1000, 1001):
        hint = api.nobody
    suggested = _text(reply, "suggestion")
    return kind(_message(reply, api), join_messages(suggested, hint), _LINKS.get(kind, ""))


def _refused(reply: Reply) -> bool:
    """Return whether a response is an error. Tripo also sends error codes with status 200."""
    return not reply.ok or bool(_code(reply)) or _text(reply, "status") == "error"


def _is_unclear(reply: Reply) -> bool:
    """Return whether a response has an undocumented code, and is not clearly an error."""
    body = reply.json if isinstance(reply.json, dict) else {}
    is_error = bool(_text(reply, "message")) and not body.get("data")
    return _code(reply) not in _BY_CODE and not is_error


def _kind(reply: Reply) -> type[ImageToMeshError]:
    code, by_status = _code(reply), _BY_STATUS.get(reply.status)
    if reply.status == 401:
        return BadKey
    if reply.status == 403 and not isinstance(reply.json, dict):
        return Unreachable
    if code == 2000 and "invalid" in _text(reply, "message").lower():
        return InvalidSettings
    if code in _BY_CODE:
        return _BY_CODE[code]
    return by_status or (Unreachable if reply.status >= 500 else Failed)


def _code(reply: Reply) -> int:
    """Return the code of a response; 0 is success."""
    return _number(reply.json.get("code")) if isinstance(reply.json, dict) else 0


def _number(code: Any) -> int:
    """Parse a code, which may be a string. Returns -1 if it is not a number."""
    if code is None or code == "":
        return 0
    return int(str(code)) if _NUMBER.fullmatch(str(code)) else -1


_NUMBER = re.compile(r"-?[0-9]{1,18}")


def _text(reply: Reply, name: str) -> str:
    value = reply.json.get(name) if isinstance(reply.json, dict) else None
    return value.strip() if isinstance(value, str) else ""


def _message(reply: Reply, api: Api) -> str:
    """Return Tripo's own message, with the request id that its support asks for."""
    says = _text(reply, "message")
    if not isinstance(reply.json, dict):
        line = reply.text.strip().partition("\n")[0]
        says = "" if line.startswith(("<", "{", "[")) else line[:200]
    traced = _text(reply, "request_id") or reply.headers.get("x-request-id")
    traced = traced or reply.headers.get("x-tripo-trace-id")
    own = says.rstrip(".")
    message = own or Message("{api} answered {status}", api=api.name, status=reply.status)
    if traced:
        return Message("{message} (request id {request}).", message=message, request=traced)
    return Message("{message}.", message=message)


def _wait_hint(reply: Reply) -> str:
    if (pause := reply.asked_pause) is None:
        return "Wait a minute, then resume the job."
    return Message("Wait {seconds} seconds, then resume the job.", seconds=f"{pause:.0f}")
