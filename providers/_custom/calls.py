# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders a mesh from a server as its settings describe it, and asks for the state of a task."""

from __future__ import annotations

import base64
import contextlib
import json
import struct
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .._shared.errors import BadReply, Failed, ImageToMeshError, Unreachable
from .._shared.http.addresses import BadAddress, read_address, segment
from .._shared.http.allowed_addresses import has_dot_segments
from .._shared.messages import Message
from .._shared.provider import (
    Picture,
    Progress,
    RemoteFile,
    Request,
    Result,
    Ticket,
    require_http,
)
from .._shared.results.base64_text import decode_base64
from .._shared.servers.absent import SERVER, elsewhere, is_at, server_of
from .answers import Found, find_id, find_mesh, reason_in, task_state
from .errors import SHOW, no_id, no_mesh, not_json, refusal, what_it_says
from .form import ID, as_texts, fields_of, headers_of, lookup

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply
    from ..custom import CustomSettings

ANSWER_LIMIT = 1800.0
"""Maximum seconds that an order is waited for, if the server answers it with the mesh."""
MAX_ANSWER = 256 * 1024 * 1024
"""Maximum bytes of an answer to an order."""
NOT_YET = frozenset({202, 204, 425})
"""Statuses of a mesh that is not finished yet."""
TRUNCATED = "The mesh in the server's answer is truncated."


def order(request: Request[CustomSettings], http: Http) -> Ticket:
    """Send the image, and return a ticket with the mesh, its URL, or the path of the task."""
    settings = request.settings
    path, how = _body(settings, request.pictures[0])
    reply = http.submit(path, timeout=ANSWER_LIMIT, limit=MAX_ANSWER, **how)
    if not reply.ok:
        raise refusal(reply, settings.path, http.address)
    if reply.file is not None:
        return _with_file(reply.file, str(reply.format))
    if reply.json is None:
        raise not_json(reply)
    found = find_mesh(reply.json, settings.mesh_field, http.address)
    is_running = settings.status_path and task_state(reply.json).is_over is not True
    if found is not None and not is_running:
        return _with_mesh(reply.json, found)
    if not settings.status_path:
        raise no_mesh(reply, has_status_path=False)
    task = find_id(reply.json, settings.id_field)
    if task is not None:
        return _task_ticket(task, settings, http.address)
    if found is None:
        raise no_id(reply)
    return _with_mesh(reply.json, found)


def attach(task: str, settings: CustomSettings) -> Ticket:
    """Return the ticket of a task by its ID."""
    return _task_ticket(task.strip(), settings, "")


def state_of(ticket: Ticket, http: Http | None) -> Progress | Result:
    """Return the result that a ticket has, or how far its task is.

    Raises Failed if the server says that the task has failed.
    """
    if "file" in ticket.data:
        file = RemoteFile("", format=ticket.data["format"], file=ticket.data["file"])
        return Result((file,))
    if "url" in ticket.data:
        return Result((RemoteFile(ticket.data["url"], format=ticket.data["format"]),))
    return _ask(ticket, require_http(http))


def _ask(ticket: Ticket, http: Http) -> Progress | Result:
    # The tasks of many servers are numbered, so that another one has others with the same ids.
    if not is_at(http.address, ticket.data):
        raise elsewhere(ticket.data[SERVER])
    # Checked again: the record may come from others.
    path = _own_path(ticket.data["status"], http.address)
    reply = http.get(path, headers=_headers(ticket), shorten=True)
    if reply.status in NOT_YET:
        return Progress("Generating")
    if reply.format is not None:
        return Result((RemoteFile(f"{http.address}{path}", format=reply.format),))
    if not reply.ok:
        raise _status_error(reply, path)
    if reply.json is None:
        raise not_json(reply)
    state = task_state(reply.json)
    if state.failure is not None:
        raise Failed(
            Message("The server could not make the mesh: {reason}.", reason=state.failure), SHOW
        )
    if state.is_over is False:
        return Progress(state.phase, state.fraction)
    return _result_of(ticket, reply, http, is_over=state.is_over) or Progress(
        state.phase, state.fraction
    )


def _result_of(ticket: Ticket, reply: Reply, http: Http, *, is_over: bool | None) -> Result | None:
    """Return the mesh of a task that may be finished; None if it is not.

    Raises BadReply if the task is finished without a mesh that can be found.
    """
    if is_over and ticket.data["mesh"]:
        return Result((RemoteFile(f"{http.address}{ticket.data['mesh']}"),))
    found = find_mesh(reply.json, ticket.data["mesh_field"], http.address)
    if found is None:
        if is_over:
            raise no_mesh(reply, has_status_path=True)
        return None
    if found.url:
        return Result((RemoteFile(found.url, format=found.format),))
    if not found.place or not isinstance(found.place[-1], str):
        raise no_mesh(reply, has_status_path=True)
    path, field = ticket.data["status"], found.place[-1]
    return Result((RemoteFile(path, format=found.format, field=field),))


def _status_error(reply: Reply, path: str) -> ImageToMeshError:
    if reply.status == 500 and reason_in(reply.json):
        return Failed(
            Message("The server could not make the mesh: {reason}.", reason=what_it_says(reply)),
            SHOW,
        )
    if reply.status >= 500:
        message = Message("The server returned status {status}.", status=reply.status)
        return Unreachable(message, SHOW)
    return BadReply(
        Message(
            "The server answered {path} with status {status}: {reason}.",
            path=path,
            status=reply.status,
            reason=what_it_says(reply),
        ),
        "Check Status Path in the settings.",
    )


def _body(settings: CustomSettings, picture: Picture) -> tuple[str, dict[str, Any]]:
    """Return the path of an order, and the arguments of `Http.submit` for its body."""
    fields, data = fields_of(settings), picture.data()
    kind = f"image/{picture.info.format if picture.info else 'png'}"
    headers = headers_of(settings.extra_headers)
    if settings.send_as == "json":
        text = base64.b64encode(data).decode("ascii")
        image = f"data:{kind};base64,{text}" if settings.data_url else text
        return settings.path, {"json": {**fields, settings.image_field: image}, "headers": headers}
    if settings.send_as == "body":
        query = urlencode(as_texts(fields))
        joined = "&" if "?" in settings.path else "?"
        path = f"{settings.path}{joined}{query}" if query else settings.path
        return path, {"body": data, "headers": {**headers, "Content-Type": kind}}
    files = {settings.image_field: (f"image.{kind.partition('/')[2]}", data, kind)}
    return settings.path, {"form": as_texts(fields), "files": files, "headers": headers}


def _with_file(file: bytearray, format_: str) -> Ticket:
    """Return the ticket for a mesh that is the answer. Raises BadReply if it is truncated."""
    # A GLB file says how long it is; the answer cannot be requested again.
    length = struct.unpack_from("<I", file, 8)[0] if format_ == "glb" and len(file) > 11 else 0
    if format_ == "glb" and length != len(file):  # guard: truncated-answers-are-no-result
        raise BadReply(TRUNCATED, SHOW)
    name = f"mesh.{format_}"
    return Ticket({"file": name, "format": format_}, {name: file})


def _with_mesh(answer: Any, found: Found) -> Ticket:
    """Return the ticket for a mesh in JSON: its URL, or the file itself."""
    if found.url:
        return Ticket({"url": found.url, "format": found.format})
    text = lookup(answer, ".".join(map(str, found.place))) if found.place else answer
    try:
        file = decode_base64(str(text))
    except ValueError as error:
        raise BadReply(TRUNCATED, SHOW) from error
    return _with_file(file, found.format or "glb")


def _task_ticket(task: str, settings: CustomSettings, address: str) -> Ticket:
    alone = settings.status_path == ID
    status = _own_path(task, address) if alone else _fill(settings.status_path, task)
    return Ticket(
        {
            "task": task,
            "status": status,
            "mesh": _fill(settings.mesh_path, task) if settings.mesh_path else "",
            "mesh_field": settings.mesh_field,
            "headers": headers_of(settings.extra_headers),
            SERVER: server_of(address) if address else "",
        }
    )


def _fill(template: str, task: str) -> str:
    return template.replace(ID, segment(task)) if ID in template else template


def _own_path(text: str, address: str) -> str:
    """Return the path at the server to which a URL or path in its answer refers.

    Raises BadReply for a URL at another server, or outside the path of the user's address: neither
    must get the secret header.
    """
    if text.startswith("/") and not text.startswith("//"):
        path = text
    else:
        path = _path_of_url(text, address)
    if path and not has_dot_segments(path):  # guard: tasks-stay-below-the-address
        return path
    raise BadReply(
        Message("The server refers to another server: {url}.", url=text[:100]),
        "Check Status Path and ID Field in the settings.",
    )


def _path_of_url(url: str, address: str) -> str:
    """Return the path of a URL below the user's address; empty for any other URL."""
    with contextlib.suppress(BadAddress):
        found, home = read_address(url), read_address(address)
        prefix = home.rest.rstrip("/")
        # Only below the user's address, which may be one of several on that server.
        if found.server == home.server and found.rest.startswith(f"{prefix}/"):
            return found.rest[len(prefix) :]
    return ""


def _headers(ticket: Ticket) -> dict[str, str]:
    """Return the extra headers, which are checked again: the record may come from others."""
    try:
        return headers_of(json.dumps(ticket.data["headers"]))
    except ValueError as error:
        raise BadReply("The job's record has extra headers that cannot be sent.", "") from error
