# SPDX-License-Identifier: GPL-3.0-or-later
"""How far an order is, and where its mesh is.

ComfyUI has no call for the state of one order in all versions: an order is in the queue, or in the
history, or lost. Its history is in memory, so a restart loses it, though not the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .._shared.errors import BadReply, Expired, Failed, Sent
from .._shared.messages import Message
from .._shared.provider import Progress, RemoteFile, Result, Ticket
from .._shared.results.find_mesh import FoundMesh, find_meshes
from .._shared.servers.absent import SERVER, elsewhere, is_at
from .calls import free_memory, history_entry, queue_of
from .errors import ENDING, WINDOW, Problem, error_of, execution_error
from .graph import FOLDER, Graph

if TYPE_CHECKING:
    from .._shared.http.client import Http

PAUSE = 1.0
"""Seconds between two looks for an order that is nowhere: it may be on its way to the history."""
FILES = ("glb", "obj", "fbx", "ply", "stl")
"""Formats of files that savers may have written without saying so."""
Messages = list[tuple[str, dict[str, Any]]]


def poll(ticket: Ticket, http: Http) -> Progress | Result:
    """Return how far an order is, or where to download its mesh.

    Raises Failed, or Expired if the server has lost the order, and its files are not there either;
    InvalidSettings if another server got it.
    """
    task = str(ticket.data["task"])
    for attempt in range(2):
        entry = history_entry(http, task)
        if entry is None and (progress := _progress(task, http)):
            return progress
        # Between both looks, it may have moved from the queue to the history.
        entry = entry or history_entry(http, task)
        if entry is not None:
            return _end_of(ticket, entry, http)
        if attempt == 0:
            http.wait(PAUSE)
    return _after_a_restart(ticket, http)


def _progress(task: str, http: Http) -> Progress | None:
    running, waiting = queue_of(http)
    if task in running:
        return Progress("Generating")
    if task not in waiting:
        return None
    before = waiting.index(task) + len(running)
    return Progress(Message("Waiting in queue ({count} ahead)", count=before))


def _end_of(ticket: Ticket, entry: Mapping[str, Any], http: Http) -> Result:
    """Return the result of an order that has ended. Raises Failed for one that failed."""
    graph, messages = _graph_in(entry), _messages_in(entry)
    told = dict(messages)
    if "execution_error" in told:
        raise execution_error(told["execution_error"], graph)
    if "execution_interrupted" in told:
        raise Failed("The order was stopped in ComfyUI.", "Generate again.")
    state = entry.get("status")
    if isinstance(state, dict) and state.get("status_str") == "error":
        raise Failed("ComfyUI could not make the mesh.", WINDOW)
    path = _mesh_path(ticket, entry, http)
    cached = told.get("execution_cached", {}).get("nodes")
    if cached and f"{ticket.data['order']}" not in path and not _is_there(path, http):
        raise Failed(
            "ComfyUI answered with an earlier result, whose file was deleted.",
            "Change Seed, or let the workflow save the mesh with Save GLB.",
        )
    return _result(ticket, path, http)


def _mesh_path(ticket: Ticket, entry: Mapping[str, Any], http: Http) -> str:
    """Return the path from which an order's mesh is downloaded. Raises Failed without one."""
    paths = (_path_of(mesh) for mesh in find_meshes(entry.get("outputs")))
    found = next(filter(None, paths), None) or _unsaid_file(ticket, http)
    if found is not None:
        return found
    for row in ticket.data["dropped"]:
        raise Failed(*_problem_text(row))
    raise Failed("The workflow ended without a mesh file.", ENDING)


def _result(ticket: Ticket, path: str, http: Http) -> Result:
    if ticket.data["free_memory"]:
        free_memory(http)
    notes = [
        Message("ComfyUI left out a part of the workflow: {reason}", reason=_problem_text(row)[0])
        for row in ticket.data["dropped"]
    ]
    facts = {"seed": ticket.data["seed"]}
    return Result((RemoteFile(path),), credits=0.0, facts=facts, notes=tuple(notes))


def _problem_text(row: list[str]) -> tuple[str, str]:
    error = error_of(Problem(*row))
    return error.message, error.hint


def _path_of(mesh: FoundMesh) -> str | None:
    """Return the path from which a file is downloaded; None if it is outside of ComfyUI's folders.

    Savers of other packages return a text, relative to the output folder or absolute.
    """
    name = mesh.path.replace("\\", "/")
    if not mesh.folder:
        before, found, rest = name.rpartition("/output/")
        is_absolute = name.startswith("/") or name[1:2] == ":"
        if is_absolute and not (before and found):
            return None
        name = rest if is_absolute else name.removeprefix("output/")
    folder, _, name = name.rpartition("/")
    subfolder = "/".join(filter(None, (mesh.subfolder.replace("\\", "/"), folder)))
    return _view(name, subfolder, mesh.folder or "output")


def _view(name: str, subfolder: str, folder: str) -> str:
    return "/view?" + urlencode({"filename": name, "subfolder": subfolder, "type": folder})


def _unsaid_file(ticket: Ticket, http: Http) -> str | None:
    """Return the path of a file that a saver has written without saying so, or None.

    ComfyUI numbers the files with a prefix, and each order has its own.
    """
    names = (f"{ticket.data['order']}_00001_.{ending}" for ending in FILES)
    paths = (_view(name, FOLDER, "output") for name in names)
    return next((path for path in paths if _is_there(path, http)), None)


def _is_there(path: str, http: Http) -> bool:
    """Return whether a file can be downloaded."""
    try:
        return http.get(path).ok
    except BadReply as error:  # larger than other answers are
        if error.sent is not Sent.YES:
            raise
        return True


def _after_a_restart(ticket: Ticket, http: Http) -> Result:
    path = _unsaid_file(ticket, http)
    if path is not None:
        return _result(ticket, path, http)
    # Only now: a server whose address has changed still knows the order.
    if not is_at(http.address, ticket.data):
        raise elsewhere(ticket.data[SERVER])
    raise Expired(
        "ComfyUI no longer knows the order: it was deleted there, or ComfyUI was restarted.",
        "Generate again; that costs nothing.",
    )


def _graph_in(entry: Mapping[str, Any]) -> Graph:
    """Return the graph in an entry of the history: [number, id, graph, …]."""
    prompt = entry.get("prompt")
    graph = prompt[2] if isinstance(prompt, list) and len(prompt) > 2 else None
    nodes = graph.items() if isinstance(graph, dict) else ()
    return {str(id_): node for id_, node in nodes if isinstance(node, dict)}


def _messages_in(entry: Mapping[str, Any]) -> Messages:
    """Return the messages of an entry, in their order; none for old entries without a status."""
    status = entry.get("status")
    rows = status.get("messages") if isinstance(status, dict) else None
    return [
        (row[0], row[1])
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, list) and list(map(type, row)) == [str, dict]
    ]
