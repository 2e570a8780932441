# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy's tasks: progress, results, cancellation; and the balance of the account.

Sources: docs.meshy.ai and the vendor's MCP server 0.5.2 to 0.6.4; as of November 2026.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from .._shared.adapters import parse_reply
from .._shared.errors import BadMesh, BadReply, Expired, Failed, Unreachable
from .._shared.http.addresses import ending_of, segment
from .._shared.messages import Message
from .._shared.provider import Balance, CancelOutcome, Progress, RemoteFile, Result, Ticket
from .errors import ADDRESS_HINT, gone_error, is_refused, is_unknown_task, refusal, task_failure
from .orders import SEVERAL, SINGLE

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

T = TypeVar("T")

FORMATS = ("glb", "fbx", "obj", "stl")
"""Formats that Blender reads, in order of preference; only one is asked for."""


@dataclass(frozen=True)
class Task:
    """A task. `progress` is in percent, `expires_at` in milliseconds since 1970."""

    status: str = ""
    progress: float | None = None
    model_urls: dict[str, Any] | None = None
    thumbnail_url: str | None = None
    task_error: dict[str, Any] | None = field(default=None)
    consumed_credits: float | None = None
    expires_at: float | None = None


@dataclass(frozen=True)
class _Account:
    balance: float


def poll(ticket: Ticket, http: Http) -> Progress | Result:
    """Return the progress or the result of a task. Raises Failed if it ended without a mesh.

    An undocumented status counts as running. Raises Expired if Meshy no longer has the task,
    BadMesh if it succeeded, but has no URL of a mesh, and the error for a refused call.
    """
    task = _task_of(ticket, http)[0]
    status = task.status.upper()
    if status == "SUCCEEDED":
        return _result(task, ticket)
    if status == "FAILED":
        raise task_failure(task.task_error or {})
    # The documentation writes CANCELED; some clients wait for the other spelling.
    if status in ("CANCELED", "CANCELLED"):
        raise Failed("The task was canceled at Meshy.", "Generate again.")
    if status == "EXPIRED":
        raise gone_error()
    done = None if task.progress is None else min(max(task.progress / 100, 0.0), 1.0)
    return Progress("Waiting in queue" if status == "PENDING" else "Generating", done)


def cancel(ticket: Ticket, http: Http) -> CancelOutcome:
    """Delete a task that is still waiting, and return whether the task is charged for.

    Meshy refuses to stop a task that it has begun, and deletes the results of one that succeeded.
    So only a waiting one is deleted; Meshy gives its credits back.
    """
    try:
        task, kind = _task_of(ticket, http)
    except Expired:
        return CancelOutcome.UNKNOWN
    status = task.status.upper()
    if status in ("FAILED", "CANCELED", "CANCELLED"):
        return CancelOutcome.FREE
    if status != "PENDING":  # guard: finished-tasks-are-not-deleted
        return CancelOutcome.CHARGED
    reply = http.delete(f"/{kind}/{segment(ticket.data['task'])}")
    if reply.ok or is_unknown_task(reply):
        return CancelOutcome.FREE
    if reply.status in (401, 429) or not reply.refused:
        raise refusal(reply)
    return CancelOutcome.CHARGED


def get_balance(http: Http) -> Balance:
    """Return the account's credits. Raises the error for a refused call."""
    return Balance(_read(http.get("/balance"), _Account, "balance").balance)


def _task_of(ticket: Ticket, http: Http) -> tuple[Task, str]:
    """Return a task and its kind. Raises Expired if Meshy does not have it.

    A ticket that the user attached does not know its kind: then both are asked for.
    """
    task, known = segment(ticket.data["task"]), ticket.data.get("kind")
    for kind in (known,) if known in (SINGLE, SEVERAL) else (SINGLE, SEVERAL):
        reply = http.get(f"/{kind}/{task}")
        if not is_unknown_task(reply):
            return _read(reply, Task, "task"), kind
    raise gone_error()


def _read(reply: Reply, model: type[T], where: str) -> T:
    """Return the parsed response to a free call. Raises the error for a refusal.

    Raises Unreachable if the response is not a JSON object: HTML comes from a proxy or captive
    portal, which may be gone at the next poll. Raises BadReply for invalid data.
    """
    if is_refused(reply):
        error = refusal(reply)
        # Not Failed, which would end the job: only the task's own status may do that.
        raise BadReply(error.message, "Try again later.") if type(error) is Failed else error
    if not isinstance(reply.json, dict):
        raise Unreachable("The response did not come from Meshy.", ADDRESS_HINT)
    return parse_reply(model, reply.json, where)


def _result(task: Task, ticket: Ticket) -> Result:
    """Return the mesh and the preview of a task that succeeded.

    Raises Expired if its results are gone, BadMesh if there is no URL of a mesh.
    """
    urls: Mapping[str, Any] = task.model_urls or {}
    found = next((name for name in FORMATS if _is_url(urls.get(name))), None)
    if found is None and task.expires_at and task.expires_at / 1000 < time.time():
        raise gone_error()
    if found is None:
        raise BadMesh(
            Message("{api} finished the mesh but returned no download URL.", api="Meshy"),
            "Resume the job later.",
        )
    files = [RemoteFile(urls[found], format=found)]
    if task.thumbnail_url:
        preview = task.thumbnail_url
        files.append(RemoteFile(preview, "preview", ending_of(preview) or None))
    facts = {"task": ticket.data["task"]}
    return Result(tuple(files), credits=task.consumed_credits, facts=facts)


def _is_url(value: object) -> bool:
    return isinstance(value, str) and bool(value)
