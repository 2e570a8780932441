# SPDX-License-Identifier: GPL-3.0-or-later
"""Graphs in ComfyUI's API format: read, checked, and filled with an order's images and values.

Where an order's values belong is found in the graph itself, so that any workflow can be used.
Source: ComfyUI 0.3.64, and newer versions of its code, as of November 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from .._shared.errors import InvalidSettings
from .._shared.messages import Message
from .._shared.untrusted_text import clean

Graph = dict[str, dict[str, Any]]
"""Nodes by id; each has a `class_type`, `inputs`, and usually a title in `_meta`."""

VIEWS = ("front", "left", "back", "right")
FOLDER = "image_to_mesh"
"""The folder of this add-on's files, in the server's folders for input and output."""
LOADER = "LoadImage"
"""What the types of nodes that load an image begin with."""
PREFIX = "filename_prefix"
SEEDS = ("seed", "noise_seed")
EXPORT = (
    "In ComfyUI, open the workflow, choose Workflow > Export (API), and use the file that this "
    "saves."
)
TITLES = (
    "In ComfyUI, give the Load Image node of each view the title front, left, back, or right, and "
    "export the workflow again."
)


class Place(NamedTuple):
    """An input of a node."""

    node: str
    input: str


def parse_graph(data: bytes) -> Graph:
    """Return the graph in a workflow file. Raises InvalidSettings for anything else."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidSettings("The workflow file is not JSON.", EXPORT) from error
    if isinstance(content, dict) and isinstance(content.get("nodes"), list):
        raise InvalidSettings(
            "The workflow file is one for editing, which ComfyUI cannot run.", EXPORT
        )
    if isinstance(content, dict) and isinstance(content.get("prompt"), dict):
        content = content["prompt"]  # as it is sent to ComfyUI
    if not isinstance(content, dict) or not content or not all(map(_is_node, content.values())):
        raise InvalidSettings("The file is not a ComfyUI workflow.", EXPORT)
    return content


def _is_node(value: object) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("class_type"), str)
        and isinstance(value.get("inputs"), dict)
    )


def title_of(graph: Graph, node: str) -> str:
    """Return the title of a node, as its user sees it; the id of one that is not in the graph."""
    found = graph.get(node, {})
    meta = found.get("_meta")
    title = meta.get("title") if isinstance(meta, dict) else None
    return clean(str(title or found.get("class_type") or node), 80)


def literal_inputs(graph: Graph) -> Iterator[tuple[Place, Any]]:
    """Yield the inputs that have a value of their own, not a link to another node."""
    for id_, node in graph.items():
        for name, value in node["inputs"].items():
            if isinstance(value, bool | int | float | str):
                yield Place(id_, str(name)), value


def is_seed(place: Place, value: object) -> bool:
    """Return whether an input is the seed of a node."""
    is_named = place.input in SEEDS or place.input.endswith("_seed")
    return is_named and isinstance(value, int) and not isinstance(value, bool)


def image_nodes(graph: Graph) -> dict[str, list[str]]:
    """Return the nodes that load the image of each view.

    They have the view in their title. A workflow with one image needs no titles. Other nodes that
    load images keep theirs. Raises InvalidSettings if no node takes the front.
    """
    loaders = [id_ for id_, node in graph.items() if _loads_image(node)]
    found: dict[str, list[str]] = {}
    for id_ in loaders:
        if view := _view_in(title_of(graph, id_)):
            found.setdefault(view, []).append(id_)
    untitled = [id_ for id_ in loaders if not _view_in(title_of(graph, id_))]
    if "front" not in found and len(untitled) == 1:
        found["front"] = untitled
    if not loaders:
        raise InvalidSettings(
            "The workflow has no Load Image node, so it takes no image.",
            "Add one in ComfyUI, and export the workflow again.",
        )
    if "front" not in found:
        message = Message(
            "The workflow has {count} Load Image nodes, and none of them has the title front.",
            count=len(loaders),
        )
        raise InvalidSettings(message, TITLES)
    return found


def _loads_image(node: Mapping[str, Any]) -> bool:
    return node["class_type"].startswith(LOADER) and isinstance(node["inputs"].get("image"), str)


def _view_in(text: str) -> str:
    """Return the one view that a title or a name of an input says; "" for none or several."""
    words = set(re.findall(r"[a-z]+", text.lower()))
    views = [view for view in VIEWS if view in words]
    return views[0] if len(views) == 1 else ""


def fill_graph(
    graph: Graph,
    images: Mapping[str, str],
    values: Mapping[Place, Any],
    *,
    seed: int,
    order: str,
) -> Graph:
    """Return a copy of a graph that makes the mesh of an order.

    `images` are the names of the uploaded images by view, and `values` the settings. Each saver
    writes files of its own, because ComfyUI otherwise answers an equal order with files of an
    earlier one, which may be deleted by now. Raises InvalidSettings if the graph takes no image of
    a view, or cannot do without one.
    """
    filled = deepcopy(graph)
    for (node, name), value in values.items():
        if node in filled:
            filled[node]["inputs"][name] = value
    nodes = image_nodes(filled)
    for view in images:
        if view not in nodes:
            message = Message("The workflow takes no image for the “{view}” view.", view=view)
            raise InvalidSettings(message, TITLES)
    for place, value in list(literal_inputs(filled)):
        if is_seed(place, value):
            filled[place.node]["inputs"][place.input] = seed
    _set_prefixes(filled, order)
    for view, ids in nodes.items():
        for id_ in ids:
            filled[id_]["inputs"]["image"] = images.get(view, "")
        if view not in images:
            _remove_view(filled, view, ids)
    return filled


def _set_prefixes(graph: Graph, order: str) -> None:
    savers = [node for node in graph.values() if isinstance(node["inputs"].get(PREFIX), str)]
    for number, node in enumerate(savers):
        end = f"-{number + 1}" if number else ""
        node["inputs"][PREFIX] = f"{FOLDER}/{order}{end}"


def _remove_view(graph: Graph, view: str, ids: Sequence[str]) -> None:
    """Remove the nodes of a view without an image, up to the inputs that are named after it.

    Raises InvalidSettings if a result depends on the image.
    """
    results = _ends(graph)
    title = title_of(graph, ids[0])
    pending = list(ids)
    while pending:
        gone = pending.pop()
        if gone in results:
            message = Message(
                "The workflow needs an image for the “{view}” view, for its node “{node}”.",
                view=view,
                node=title,
            )
            raise InvalidSettings(message, "Choose an image for this view.")
        graph.pop(gone, None)
        for id_, node in graph.items():
            for name in [key for key, value in node["inputs"].items() if _leads_to(value, gone)]:
                del node["inputs"][name]
                if _view_in(name) != view and id_ not in pending:
                    pending.append(id_)


def _ends(graph: Graph) -> set[str]:
    """Return the nodes that no other node takes anything from: these make the results."""
    used = {
        str(value[0])
        for node in graph.values()
        for value in node["inputs"].values()
        if _is_link(value)
    }
    return set(graph) - used


def _is_link(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], int)


def _leads_to(value: object, node: str) -> bool:
    return isinstance(value, list) and _is_link(value) and str(value[0]) == node
