# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI's calls up to the order, the search for a lost one, and canceling.

Source: ComfyUI 0.3.64, and the code of newer versions, as of November 2026.
"""

from __future__ import annotations

import contextlib
import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadKey, BadReply, ImageToMeshError, Uncertain, Unreachable
from .._shared.http.addresses import segment
from .._shared.messages import Message
from .._shared.provider import CancelOutcome, Picture, Request, Ticket, Uploaded
from .._shared.servers.absent import PASSWORD, SERVER, server_of
from .._shared.servers.probe import identify_server
from .._shared.untrusted_text import finite_number
from .errors import UNUSUAL, WINDOW, problems_in, refusal, upload_refusal, wrong_server
from .graph import FOLDER, fill_graph
from .inputs import graph_of, values_by_place
from .shipped import find_workflow

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

ORDER = "order"
"""The name under which an order's own id is kept with the uploaded images."""
ORDER_LIMIT = 60.0
"""Maximum seconds for the answer to an order: ComfyUI checks it, and only then answers."""
LARGEST_SEED = 2**31 - 1
"""Maximum seed that every node takes."""


def identify(http: Http) -> None:
    """Do nothing if ComfyUI answers.

    Raises Unreachable or BadKey, with a message that names what answers instead.
    """
    found = identify_server(http)
    if found.kind != "comfyui":
        raise wrong_server(found, http.address)


def upload(pictures: tuple[Picture, ...], http: Http) -> Uploaded:
    """Upload the images, and return their names on the server, and a new id for the order.

    The order is sent with this id, so that it can be found if its answer is lost.
    """
    identify(http)
    names = {picture.view: _upload_image(picture, http) for picture in pictures}
    return Uploaded({**names, ORDER: str(uuid.uuid4())})


def _upload_image(picture: Picture, http: Http) -> str:
    data = picture.data()
    kind = picture.info.format if picture.info else "png"
    # Named by its content: the server keeps equal images once, and says the same name again.
    name = f"{hashlib.sha256(data).hexdigest()[:20]}.{'jpg' if kind == 'jpeg' else kind}"
    reply = http.post(
        "/upload/image",
        form={"type": "input", "subfolder": FOLDER},
        files={"image": (name, data, f"image/{kind}")},
    )
    if not reply.ok:
        raise upload_refusal(reply, picture.name)
    body = reply.json if isinstance(reply.json, dict) else {}
    if not isinstance(body.get("name"), str) or not body["name"]:
        raise BadReply("ComfyUI did not say the name of the uploaded image.", UNUSUAL)
    folder = body.get("subfolder")
    return f"{folder}/{body['name']}" if folder else str(body["name"])


def order(request: Request[Any], uploaded: Uploaded, http: Http) -> Ticket:
    """Send the workflow with the order's own id, and return its ticket.

    Raises InvalidSettings for a workflow that ComfyUI refuses, or that cannot be filled.
    """
    if request.settings.workflow_file and "workflow_file" not in request.files:
        raise Uncertain("The job's workflow file is missing from its folder.")
    graph, id_ = graph_of(request), str(uploaded.data.get(ORDER, ""))
    images = {picture.view: str(uploaded.data.get(picture.view)) for picture in request.pictures}
    filled = fill_graph(
        graph,
        images,
        values_by_place(request.settings, graph),
        seed=seed_of(request.settings, id_),
        order=id_,
    )
    body = {"prompt": filled, "client_id": id_, "prompt_id": id_}
    reply = http.submit("/prompt", json=body, timeout=ORDER_LIMIT)
    if not reply.ok:
        workflow = find_workflow(request.settings.workflow)
        raise refusal(reply, filled, workflow.page if workflow else "")
    return _ticket_from(reply, request, id_, filled, server_of(http.address))


def _ticket_from(reply: Reply, request: Request[Any], id_: str, graph: Any, server: str) -> Ticket:
    body = reply.json if isinstance(reply.json, dict) else {}
    task = body.get("prompt_id")
    if not isinstance(task, str) or not task:
        raise Uncertain("ComfyUI returned no ID for the order.", UNUSUAL)
    # With an answer 200, parts of the graph with errors are left out, and the rest is run.
    dropped = [list(problem) for problem in problems_in(body.get("node_errors"), graph)]
    return ticket_of(request.settings, id_, task, dropped, server)


def ticket_of(
    settings: Any, id_: str, task: str, dropped: list[list[str]] | None = None, server: str = ""
) -> Ticket:
    """Return the ticket of an order.

    `task` is the id that the server uses: versions of early 2025 and before chose their own.
    `server` is empty for an order that the user has found, whose server is not known.
    """
    return Ticket(
        {
            "task": task,
            ORDER: id_,
            "seed": seed_of(settings, id_),
            "free_memory": bool(settings.free_memory),
            "dropped": dropped or [],
            SERVER: server,
        }
    )


def seed_of(settings: Any, id_: str) -> int:
    """Return the seed of an order: the user's own, or one that follows from the order's id."""
    if settings.seed is not None:
        return int(settings.seed)
    with contextlib.suppress(ValueError):
        return uuid.UUID(id_).int % (LARGEST_SEED + 1)
    return 0


def find_order(request: Request[Any], uploaded: Uploaded, http: Http) -> tuple[Ticket, ...]:
    """Return the ticket of an order whose answer was lost, if the server has it."""
    id_ = str(uploaded.data.get(ORDER, ""))
    if not id_:
        return ()
    if history_entry(http, id_) is None and all(id_ not in ids for ids in queue_of(http)):
        return ()
    return (ticket_of(request.settings, id_, id_, server=server_of(http.address)),)


def history_entry(http: Http, task: str) -> dict[str, Any] | None:
    """Return what the server remembers of a finished order; None for any other."""
    reply = http.get(f"/history/{segment(task)}", shorten=True)
    entry = _object_in(reply).get(task)
    return entry if isinstance(entry, dict) else None


def queue_of(http: Http) -> tuple[list[str], list[str]]:
    """Return the ids of the orders that run, and of those that wait, the next one first."""
    body = _object_in(http.get("/queue", shorten=True))
    return _ids_in(body.get("queue_running")), _ids_in(body.get("queue_pending"))


def _object_in(reply: Reply) -> dict[str, Any]:
    if reply.ok and isinstance(reply.json, dict):
        return reply.json
    if reply.status in (401, 403):
        raise BadKey("The server requires a password.", PASSWORD)
    message = Message("ComfyUI returned status {status}.", status=reply.status)
    if reply.status >= 500:  # a proxy in front of a server that restarts: polling goes on
        raise Unreachable(message, WINDOW)
    raise BadReply(message, UNUSUAL)


def _ids_in(rows: Any) -> list[str]:
    """Return the ids of orders in a list of the queue, by their numbers: [number, id, …]."""
    listed = rows if isinstance(rows, list) else []
    usable = [row for row in listed if isinstance(row, list) and len(row) > 1]
    return [str(row[1]) for row in sorted(usable, key=_number)]


def _number(row: list[Any]) -> float:
    return finite_number(row[0]) or 0.0


def cancel(ticket: Ticket, http: Http) -> CancelOutcome:
    """Take an order out of the queue, or interrupt it if it runs; nothing is ever charged.

    Only the order itself is interrupted: servers before September 2025 stop any order that runs.
    """
    task = ticket.data["task"]
    for _ in range(2):  # it may begin between the look and the call
        running, waiting = queue_of(http)
        if task in running:
            http.post("/interrupt", json={"prompt_id": task})
            break
        if task not in waiting:
            break
        http.post("/queue", json={"delete": [task]})
    return CancelOutcome.FREE


def free_memory(http: Http) -> None:
    """Ask the server to unload its models, unless other orders wait; ignore errors."""
    with contextlib.suppress(ImageToMeshError):
        if not any(queue_of(http)):
            http.post("/free", json={"unload_models": True, "free_memory": True})
