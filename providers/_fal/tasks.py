# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests in fal's queue: their state, their results, and how they are canceled.

Sources: fal-client 1.0.3, and fal's pages on the queue; as of November 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadMesh, Expired, Failed
from .._shared.http.addresses import segment
from .._shared.messages import Message, as_message
from .._shared.provider import CancelOutcome, Progress, RemoteFile, Result, Ticket
from .._shared.results.find_mesh import FoundMesh, find_meshes
from .errors import describe, error_type, failure, refusal, task_failure

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

QUEUED, DONE = "IN_QUEUE", "COMPLETED"
NAMESPACES = ("workflows", "comfy")
"""First parts of an id that come before the owner of the app."""
PREVIEWS = ("thumbnail", "rendered_image", "preview", "preview_render")
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"


def ticket_of(request_id: str, endpoint: str, status_url: str = "") -> Ticket:
    """Return the ticket of a request: its id, and the path at which the queue knows it.

    The path is that of the address that the queue returned. It leaves out the last parts of the
    model's id, and only fal knows how many. The host of that address is never called.
    """
    app = _app_in(status_url, request_id) or endpoint.split("/")
    return Ticket({"request": request_id, "app": "/".join(_first(app)), "model": endpoint})


def _app_in(status_url: str, request_id: str) -> list[str]:
    """Return the names in an address between its host and the request; none if it has others.

    In front of them, there may be the path of a gateway.
    """
    path = re.sub(r"^[a-z]+://[^/]*", "", status_url)
    found = re.fullmatch(rf"((?:/{_PART}){{2,}})/requests/{re.escape(request_id)}/status(?:\?.*)?",
                         path)  # fmt: skip
    names = found[1].strip("/").split("/") if found else []
    size = 3 if any(name in NAMESPACES for name in names[-3:-2]) else 2
    return names[-size:]


def _first(names: list[str]) -> list[str]:
    """Return the names by which the queue knows an app: its owner and its own one."""
    return names[: 3 if names[0] in NAMESPACES else 2]


def _path(ticket: Ticket) -> str:
    app = "/".join(map(segment, str(ticket.data["app"]).split("/")))
    return f"/{app}/requests/{segment(ticket.data['request'])}"


def task_state(ticket: Ticket, http: Http) -> Progress | Result:
    """Return the progress of a request, or its result.

    COMPLETED may be a failure: then the state has an error, or the result is one.
    """
    reply = http.get(f"{_path(ticket)}/status")
    state = _state(reply)
    if state.get("status") != DONE:
        return _progress(state)
    if state.get("error"):
        message = describe({"detail": state["error"]}) or describe(state) or str(state["error"])
        raise task_failure(
            Message("{message}.", message=as_message(message)),
            error_type(reply.headers, state),
            is_free=False,
        )
    answer = http.get(_path(ticket))
    if not answer.ok or not isinstance(answer.json, dict):
        raise failure(answer)
    return _result(answer.json, ticket)


def _state(reply: Reply) -> Mapping[str, Any]:
    """Return the state in an answer, which has status 202 until the request is done."""
    if reply.ok and isinstance(reply.json, dict):
        return reply.json
    if reply.status == 404 and describe(reply.json):
        raise Expired("fal does not know the request.", "Generate again.")
    raise refusal(reply)


def _progress(state: Mapping[str, Any]) -> Progress:
    place = state.get("queue_position")
    if state.get("status") != QUEUED:
        return Progress("Generating")
    if isinstance(place, int) and not isinstance(place, bool) and place > 0:
        return Progress(Message("Waiting in queue ({count} ahead)", count=place))
    return Progress("Waiting in queue")


def _result(answer: Mapping[str, Any], ticket: Ticket) -> Result:
    """Return the mesh in an answer, which differs by model. Raises Failed without one."""
    found = [mesh for mesh in find_meshes(answer) if mesh.url and not _is_splat(mesh)]
    if not found:
        if any(map(_is_splat, find_meshes(answer))):
            hint = "Choose another model: this one made a Gaussian splat only."
            raise Failed("The model returned no mesh.", hint)
        message = "The model finished, but returned no mesh."
        raise BadMesh(message, "Look at the request at fal.ai/dashboard.")
    mesh = _best(found)
    previews = [RemoteFile(url, "preview") for url in _previews(answer)]
    seed = answer.get("seed")
    facts = {"request": ticket.data["request"], "model": ticket.data["model"]}
    return Result(
        files=(RemoteFile(mesh.url, "mesh", mesh.format), *previews[:1]),
        facts={**facts, **({"seed": seed} if isinstance(seed, int) else {})},
        notes=tuple(_notes(answer, mesh)),
    )


def _is_splat(mesh: FoundMesh) -> bool:
    return any("splat" in str(part) for part in mesh.place)


def _best(found: list[FoundMesh]) -> FoundMesh:
    """Return the first mesh, or a GLB in place of an OBJ, which has no textures in itself.

    A field that is called `model_glb` may have an OBJ.
    """
    first = found[0]
    if first.format != "obj":
        return first
    return next((mesh for mesh in found if mesh.format == "glb" and "model" in str(mesh.place[:1])),
                first)  # fmt: skip


def _previews(answer: Mapping[str, Any]) -> Iterator[str]:
    for name in PREVIEWS:
        file = answer.get(name)
        url = file.get("url") if isinstance(file, dict) else None
        if isinstance(url, str) and url.startswith("http"):
            yield url


def _notes(answer: Mapping[str, Any], mesh: FoundMesh) -> Iterator[str]:
    if mesh.format == "obj" and (answer.get("texture") or answer.get("material_mtl")):
        yield "The model returned an OBJ file: its texture is a separate file at fal."


def cancel(ticket: Ticket, http: Http) -> CancelOutcome:
    """Cancel a request, and return whether it is charged for.

    FREE if it was still in the queue. A running one gets a signal, and the model decides when it
    stops: UNKNOWN. CHARGED if it has succeeded already.
    """
    before = http.get(f"{_path(ticket)}/status")
    state = before.json if before.ok and isinstance(before.json, dict) else {}
    reply = http.post(f"{_path(ticket)}/cancel", method="PUT")
    if reply.status in (401, 403, 429) or reply.status >= 500:
        raise refusal(reply)
    answer = reply.json if isinstance(reply.json, dict) else {}
    if answer.get("status") == "ALREADY_COMPLETED":
        failed = state.get("status") == DONE and state.get("error")
        return CancelOutcome.UNKNOWN if failed else CancelOutcome.CHARGED
    is_free = reply.ok and state.get("status") == QUEUED
    return CancelOutcome.FREE if is_free else CancelOutcome.UNKNOWN
