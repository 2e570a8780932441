# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses Tripo's responses, in both versions of its API.

Sources: Tripo's migration guide and the SDKs tripo3d 0.4.2 and 1.0.0; as of 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from .._shared.adapters import parse_reply
from .._shared.errors import (
    BadMesh,
    BadReply,
    Banned,
    Expired,
    Failed,
    Uncertain,
    Unreachable,
)
from .._shared.http.addresses import ending_of, segment
from .._shared.messages import Message, join_messages
from .._shared.provider import Balance, Progress, RemoteFile, Result, Ticket
from .._shared.reconcile import Page, clock_offset, matches_request, rows_around
from .errors import KEY_PAGE_URL, LATE, POLICY, Api, is_refused, is_unclear, parse_code, refusal

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

T = TypeVar("T")

USAGE_ROWS = 200
"""Tasks on a page of the usage list; Tripo allows no more."""


@dataclass(frozen=True)
class Task:
    """A task in either version of the API. Fields that a version lacks are None.

    `progress` is in percent, `running_left_time` in seconds.
    """

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


@dataclass(frozen=True)
class _File:
    file_token: str


@dataclass(frozen=True)
class _Image:
    image_token: str


@dataclass(frozen=True)
class PresignedUpload:
    """An image's token, and the URL that accepts its bytes, in either of two fields."""

    file_token: str
    presigned_url: str | None = None
    upload_url: str | None = None


def read(reply: Reply, model: type[T], where: str, api: Api) -> T:
    """Return the parsed data of the response to a free call. Raises the error for a refusal.

    Raises Unreachable if the response is not a JSON object: HTML comes from a proxy or captive
    portal, which may be gone at the next poll. Raises BadReply for invalid data, and for a refusal
    without a known reason. `where` names the response in messages.
    """
    if is_refused(reply):
        error = refusal(reply, api)
        # Not Failed, which would end the job: only the task's own status may do that.
        raise BadReply(error.message, "Try again later.") if type(error) is Failed else error
    if not isinstance(reply.json, dict):
        raise Unreachable(
            Message("The response did not come from {api}.", api=api.name), api.nobody
        )
    return parse_reply(model, reply.json.get("data"), where)


def read_file_token(reply: Reply, api: Api) -> str:
    """Return the token of an uploaded image (v3). See `read` for errors."""
    return read(reply, _File, "upload", api).file_token


def read_image_token(reply: Reply, api: Api) -> str:
    """Return the token of an uploaded image (v2). See `read` for errors."""
    return read(reply, _Image, "upload", api).image_token


def read_presigned_upload(reply: Reply, api: Api) -> PresignedUpload:
    """Return the token and the upload URL for a large image. See `read` for errors."""
    return read(reply, PresignedUpload, "upload", api)


def check_storage(reply: Reply, api: Api) -> None:
    """Raise Unreachable if Tripo's storage refused an image. Its error bodies are not read."""
    if not reply.ok:
        raise Unreachable(
            Message("{api}'s storage returned status {status}.", api=api.name, status=reply.status),
            "Try again later.",
        )


def parse_submit(reply: Reply, api: Api) -> Ticket:
    """Return the ticket of a submitted task. Raises the error for a refusal.

    Raises Uncertain if Tripo may have created the task. That is so for a server error, and for an
    undocumented code without a message, unless the status proves the refusal. Raises BadReply if
    the order was accepted, but the response contains no usable task id.
    """
    if is_refused(reply):
        error = refusal(reply, api)
        unclear = isinstance(error, Unreachable) or is_unclear(reply)
        if unclear and not reply.refused:  # guard: unknown-code-is-no-verdict
            raise Uncertain(
                error.message, "Check Tripo for the task before you submit again.", KEY_PAGE_URL
            )
        raise error
    if not isinstance(reply.json, dict):
        raise BadReply(
            Message("{api} accepted the request, but its response cannot be read.", api=api.name),
            "Check Tripo for the task before you submit again.",
        )
    task = parse_reply(_Created, reply.json.get("data"), "task").task_id
    segment(task)  # guard: task-can-be-asked-for
    return Ticket({"task": task})


def task_path(ticket: Ticket) -> str:
    """Return the ticket's task id as a segment of a URL path. Raises Uncertain without an id."""
    return segment(ticket.data["task"])


def task_state(reply: Reply, ticket: Ticket, api: Api) -> Progress | Result:
    """Return the progress or the result of a task. Raises Failed if it ended without a mesh.

    An undocumented status counts as running, as in Tripo's own client. Raises BadMesh if the task
    succeeded, but has no URL of a mesh. See `read` for other errors.
    """
    task = read(reply, Task, "task", api)
    status = (task.status or "").lower()
    if status == "success":
        return _result(task, ticket, api)
    if status in _ENDS:
        raise _failure(task, status, api)
    done = None if task.progress is None else min(max(task.progress / 100, 0.0), 1.0)
    remaining = task.running_left_time
    phase = "Waiting in queue" if status == "queued" else "Generating"
    return Progress(phase, done, remaining if remaining and remaining > 0 else None)


def find_tasks(
    kind: str,
    body: Mapping[str, Any],
    defaults: Mapping[str, Any],
    since: datetime,
    http: Http,
    api: Api,
) -> tuple[Ticket, ...]:
    """Return the tickets of tasks of type `kind`, created around `since` with the same inputs.

    `body` is the order, and `defaults` has the values of inputs that it leaves out. The usage list
    has only the types and times of tasks, so the inputs of each possible task need another call.
    Returns an empty tuple if Tripo refuses to list the tasks.
    """
    rows = rows_around(since, "created_at", partial(_usage_page, http), 0)
    # Tripo may list the model by the field's name in API v2.
    sent = {**body, "model_version": body.get("model")}
    # A task that is created meanwhile moves the others, so that two pages have the same one.
    tasks = {str(row["task_id"]): None for row in rows if _is_kind(row, kind)}
    tickets = []
    for ticket in (Ticket({"task": task}) for task in tasks):
        task = read(http.get(f"/tasks/{task_path(ticket)}"), Task, "task", api)
        if matches_request(sent, task.input or {}, defaults):
            tickets.append(ticket)
    return tuple(tickets)


def _is_kind(row: Mapping[str, Any], kind: str) -> bool:
    return row.get("type") == kind and bool(row.get("task_id"))


def _usage_page(http: Http, offset: int) -> Page | None:
    """Return the page of the account's tasks, from new to old, or None if Tripo refuses that."""
    reply = http.get("/account/usage", params={"limit": USAGE_ROWS, "offset": offset})
    if is_refused(reply) or not isinstance(reply.json, dict):
        return None
    data = reply.json.get("data")
    listed = data.get("items") if isinstance(data, dict) else data
    rows = listed if isinstance(listed, list) else []
    # Not by the length of the page, in case Tripo returns fewer than requested.
    following = offset + len(rows) if rows else None
    return Page([row for row in rows if isinstance(row, dict)], clock_offset(reply), following)


def balance_of(reply: Reply, api: Api) -> Balance:
    """Return the account's credits. See `read` for errors."""
    return Balance(read(reply, _Account, "balance", api).balance)


def _result(task: Task, ticket: Ticket, api: Api) -> Result:
    output = task.output or {}
    mesh = _address(output, api.meshes)
    if mesh is None:
        raise BadMesh(
            Message("{api} finished the mesh but returned no download URL.", api=api.name),
            "Resume the job later.",
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
    """Return the first URL in the fields with these names, or None.

    A field may be a string, an object with a `url`, or a list, whose first element counts.
    """
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


def _failure(task: Task, status: str, api: Api) -> Failed:
    number = parse_code(task.error_code)
    by_number: dict[int, type[Failed]] = {POLICY: Banned, LATE: api.late}
    kind = by_number.get(number, _ENDS[status])
    own = (task.error_message or task.error_msg or "").rstrip(".")
    # That a failed task failed says nothing more.
    said = _FAILED if kind is Failed and status == "failed" else _SAYS[kind]
    says = own or Message(said, api=api.name, status=Message.of(status))
    # Without the task's id, which means nothing to the user; Copy Error adds it.
    message = Message("{message}.", message=says)
    if number:
        message = Message("{message} (error {number}).", message=says, number=number)
    return kind(message, join_messages(_NEXT[kind], "Tripo does not charge for failed tasks."))


_FAILED = "{api} could not generate the mesh"
_SAYS: Mapping[type[Failed], str] = {
    Failed: "{api} could not generate the mesh ({status})",
    Banned: "{api} stopped the task because of its content policy",
    Expired: "{api} did not process the task in time",
}
_NEXT: Mapping[type[Failed], str] = {
    Failed: "Try another image or other settings.",
    Banned: "Use another image.",
    Expired: "Generate again.",
}
