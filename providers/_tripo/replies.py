# SPDX-License-Identifier: GPL-3.0-or-later
"""What Tripo's answers mean, in both versions of its API (migration guide and SDKs, 2026)."""

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

KEYS = "https://platform.tripo3d.ai/api-keys"
BILLING = "https://platform.tripo3d.ai/billing"


@dataclass(frozen=True, slots=True)
class Api:
    """How one version says things: where a result's mesh stands, what error 2018 means."""

    name: str
    meshes: tuple[str, ...]
    late: type[Failed]
    nobody: str


@dataclass(frozen=True)
class Task:
    """A task as either version tells it; whatever one of them leaves out is empty."""

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
    """Return what a free call brought, or raise what its refusal means.

    A page where JSON should be comes from something between here and Tripo, and may be gone with
    the next look.
    """
    if _refused(reply):
        error = refusal(reply, api)
        # Only the task itself can say that it failed: a refused question ends nothing paid.
        raise BadReply(error.message, "Try again later.") if type(error) is Failed else error
    if not isinstance(reply.json, dict):
        raise Unreachable(
            Message("Something else answered in {api}'s place.", api=api.name), api.nobody
        )
    return parse_reply(model, reply.json.get("data"), f"{api.name}'s {where}")


def stored(reply: Reply, api: Api) -> None:
    """Raise what a storage's refusal of a picture means: it speaks XML, if anything."""
    if not reply.ok:
        raise Unreachable(
            Message("{api}'s storage answered {status}.", api=api.name, status=reply.status),
            "Try again later.",
        )


def ordered(reply: Reply, api: Api) -> Ticket:
    """Return the ticket that a submit brought.

    Raises Uncertain for an error of the server, and for a code that nobody documents and no words
    explain: behind both there may be a task all the same.
    """
    if _refused(reply):
        error = refusal(reply, api)
        unclear = isinstance(error, Unreachable) or _is_odd(reply)
        if unclear and not reply.refused:  # guard: unknown-code-is-no-verdict
            raise Uncertain(error.message, "Look at Tripo whether the task is there.", KEYS)
        raise error
    if not isinstance(reply.json, dict):
        raise BadReply(
            Message("{api} took the order with an answer that cannot be read.", api=api.name)
        )
    task = parse_reply(_Created, reply.json.get("data"), "The order").task_id
    segment(task)  # guard: task-can-be-asked-for
    return Ticket({"task": task})


def task_path(ticket: Ticket) -> str:
    """Return the task's own part of an address."""
    return segment(ticket.data["task"])


def task_state(reply: Reply, ticket: Ticket, api: Api) -> Progress | Result:
    """Read how far a task is; raises Failed and its kinds where it ended without a mesh.

    A status that nobody documents is waited through, as Tripo's own client does.
    """
    task = read(reply, Task, "task", api)
    status = (task.status or "").lower()
    if status == "success":
        return _result(task, ticket, api)
    if status in _ENDS:
        raise _failure(task, status, ticket, api)
    done = None if task.progress is None else min(max(task.progress / 100, 0.0), 1.0)
    left = task.running_left_time
    phase = "Waiting in the queue" if status == "queued" else "Generating"
    return Progress(phase, done, left if left is not None and left > 0 else None)


def found(
    kind: str,
    body: Mapping[str, Any],
    usual: Mapping[str, Any],
    since: datetime,
    http: Http,
    api: Api,
) -> tuple[Ticket, ...]:
    """Return the tasks of this kind that the account ordered then, and that contradict nothing.

    The list names task, kind and time; what a task was made of, the task itself tells.
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
            if matches_request(sent, task.input or {}, usual):
                tickets.append(ticket)
    return tuple(tickets)


def balance_of(reply: Reply, api: Api) -> Balance:
    """Read what the account holds."""
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
    """Return the first address of these names: a text, a list of texts, or an object with one."""
    for name in names:
        found = output.get(name)
        if isinstance(found, list):
            found = next(iter(found), None)
        if isinstance(found, dict):
            found = found.get("url")
        if isinstance(found, str) and found:
            return found
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
_LINKS: Mapping[type[ImageToMeshError], str] = {BadKey: KEYS, NoCredits: BILLING}


def refusal(reply: Reply, api: Api) -> ImageToMeshError:
    """Make the error that a refused call means, with Tripo's own sentence."""
    kind = _kind(reply)
    hint = _HINTS.get(kind, "")
    if kind is RateLimited:
        hint = _when(reply)
    elif kind is Unreachable and reply.status < 500 and _code(reply) not in (1000, 1001):
        hint = api.nobody
    suggested = _text(reply, "suggestion")
    return kind(_said(reply, api), join_messages(suggested, hint), _LINKS.get(kind, ""))


def _refused(reply: Reply) -> bool:
    """Whether a reply is an error: Tripo sends codes of errors with HTTP 200, too."""
    return not reply.ok or bool(_code(reply)) or _text(reply, "status") == "error"


def _is_odd(reply: Reply) -> bool:
    """Whether an answer has a code that nobody documents, and is not clearly an error."""
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
    """Return the code of an answer; 0 means that all is well."""
    return _number(reply.json.get("code")) if isinstance(reply.json, dict) else 0


def _number(code: Any) -> int:
    """Read a code, which may be written as a text; -1 for what is none."""
    if code is None or code == "":
        return 0
    return int(str(code)) if _NUMBER.fullmatch(str(code)) else -1


_NUMBER = re.compile(r"-?[0-9]{1,18}")


def _text(reply: Reply, name: str) -> str:
    found = reply.json.get(name) if isinstance(reply.json, dict) else None
    return found.strip() if isinstance(found, str) else ""


def _said(reply: Reply, api: Api) -> str:
    """Return Tripo's own sentence, with the id under which its support finds the request."""
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


def _when(reply: Reply) -> str:
    if (pause := reply.asked_pause) is None:
        return "Wait a minute, then resume the job."
    return Message("Wait {seconds} seconds, then resume the job.", seconds=f"{pause:.0f}")
