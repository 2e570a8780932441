# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of ComfyUI in words, with the node that they are about.

Source: answers of ComfyUI 0.3.64, and the code of newer versions, as of November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .._shared.errors import (
    BadImage,
    BadKey,
    Failed,
    ImageToMeshError,
    InvalidSettings,
    Uncertain,
    Unreachable,
)
from .._shared.messages import Message
from .._shared.servers import absent
from .._shared.servers.absent import PASSWORD
from .._shared.servers.probe import Answering
from .._shared.untrusted_text import clean
from .graph import Graph, title_of

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

START = "Start ComfyUI, or correct ComfyUI Address in the add-on preferences."
PORT = "ComfyUI usually listens on port 8188: enter its address in the add-on preferences."
SILENT = "Look at ComfyUI's window, or restart it."
INSTALL = "Install them with ComfyUI's Manager, or update ComfyUI, then restart it."
UNUSUAL = "Update ComfyUI, or check what answers at its address."
WINDOW = "ComfyUI's window says what happened."
MEMORY = (
    "Lower Octree Resolution or Chunks, close other programs that use the graphics card, or use a "
    "workflow with a smaller model."
)
MODELS = (
    "Click Get Settings, and choose a file that is installed, or put the file into the models "
    "folder of ComfyUI."
)
MISSING_NODE = ("missing_node_type", "invalid_prompt")
"""Types of the error about a node that is not installed, of newer and of older versions."""


class Problem(NamedTuple):
    """An error of one node of an order: the node's title, and the error as ComfyUI describes it."""

    node: str
    type: str
    details: str
    value: str = ""


def wrong_server(found: Answering, address: str) -> ImageToMeshError:
    """Return the error for another server than ComfyUI at its address, or none."""
    return absent.wrong_server(found, address, "ComfyUI", start=START, silent=SILENT, other=PORT)


def refusal(reply: Reply, graph: Graph, page: str = "") -> ImageToMeshError:
    """Return the error for an order that ComfyUI did not accept.

    `page` is the address from which the model of the workflow can be downloaded. Uncertain if the
    answer is not from ComfyUI itself.
    """
    body: Any = reply.json if isinstance(reply.json, dict) else {}
    if reply.status == 400 and isinstance(body.get("error"), dict | str):
        return _refused_graph(body, graph, page)
    if reply.status in (401, 403):
        return BadKey("The server requires a password.", PASSWORD)
    if reply.status in (404, 405):
        return Unreachable("Another server than ComfyUI answered.", PORT)
    if reply.status == 413:
        return InvalidSettings(
            "The workflow is too large for the server.", "Use a smaller workflow."
        )
    return Uncertain(
        Message("ComfyUI returned status {status}.", status=reply.status),
        "The server may still make the mesh. Submitting the job again costs nothing.",
    )


def upload_refusal(reply: Reply, name: str) -> ImageToMeshError:
    """Return the error for an image that ComfyUI did not take."""
    if reply.status in (401, 403):
        return BadKey("The server requires a password.", PASSWORD)
    if reply.status == 413:
        return BadImage("The image is too large for the server.", "Use a smaller image.")
    message = Message("ComfyUI did not take {name}: status {status}.", name=name,
                      status=reply.status)  # fmt: skip
    return Failed(message, WINDOW)


def _refused_graph(body: Mapping[str, Any], graph: Graph, page: str) -> InvalidSettings:
    problem = next(problems_in(body.get("node_errors"), graph), None)
    if problem is not None:
        return error_of(problem, page)
    error = body["error"]
    if isinstance(error, str):
        error = {"message": error}
    details = clean(str(error.get("details") or error.get("message") or ""), 300)
    if error.get("type") in MISSING_NODE:
        return InvalidSettings(
            Message("The server does not have a node of the workflow: {details}.",
                    details=details.rstrip(".")),
            INSTALL,
        )  # fmt: skip
    if error.get("type") == "prompt_no_outputs":
        return InvalidSettings("The workflow has no node that saves a result.", ENDING)
    message = Message("ComfyUI refused the workflow: {reason}.", reason=details.rstrip("."))
    return InvalidSettings(message, "Correct the workflow in ComfyUI, then export it again.")


ENDING = "In ComfyUI, end the workflow with Save GLB, then export it again."


def problems_in(node_errors: object, graph: Graph) -> Iterator[Problem]:
    """Yield what is wrong with the nodes of an order, the first error of each."""
    for id_, entry in node_errors.items() if isinstance(node_errors, dict) else ():
        errors = entry.get("errors") if isinstance(entry, dict) else None
        error = errors[0] if isinstance(errors, list) and errors else {}
        if not isinstance(error, dict):
            continue
        more = error.get("extra_info")
        value = more.get("received_value") if isinstance(more, dict) else None
        yield Problem(
            title_of(graph, str(id_)),
            str(error.get("type", "")),
            clean(str(error.get("details") or error.get("message") or ""), 300),
            "" if value is None else clean(str(value), 120),
        )


def error_of(problem: Problem, page: str = "") -> InvalidSettings:
    """Return the error for a node that ComfyUI refused; `page` is as in `refusal`."""
    node, kind, details, value = problem
    details = details.rstrip(".")
    if kind == "value_not_in_list" and value:
        message = Message(
            "“{value}” is not among the choices of “{node}”, or its file is not installed.",
            value=value,
            node=node,
        )
        return InvalidSettings(message, MODELS, page)
    if kind == "required_input_missing":
        message = Message(
            "The node “{node}” lacks an input: {details}.", node=node, details=details
        )
        return InvalidSettings(message, "Correct the workflow in ComfyUI, then export it again.")
    message = Message("The node “{node}” was refused: {details}.", node=node, details=details)
    return InvalidSettings(message, "Change its settings, then generate again.")


def execution_error(data: Mapping[str, Any], graph: Graph) -> Failed:
    """Return the error for an order that failed in one of its nodes, by ComfyUI's own message."""
    node = title_of(graph, str(data.get("node_id", "")))
    if node == str(data.get("node_id", "")):
        node = clean(str(data.get("node_type") or node), 80)
    reason = clean(str(data.get("exception_message") or data.get("exception_type") or ""), 300)
    message = Message(
        "The node “{node}” failed: {reason}.", node=node, reason=reason.strip().rstrip(".")
    )
    told = f"{data.get('exception_type', '')} {reason}".lower().replace(" ", "")
    is_memory = "outofmemory" in told or "allocationondevice" in told
    return Failed(message, MEMORY if is_memory else WINDOW)
