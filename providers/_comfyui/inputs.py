# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs of a workflow's nodes as settings, with bounds and choices from the server.

`/object_info` describes the nodes that are installed; the choices of a node that loads a model are
the model files that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, cast, get_args

from .._shared.errors import BadReply, InvalidSettings
from .._shared.http.addresses import segment
from .._shared.messages import Message
from .._shared.server_settings import server_setting
from .._shared.settings import Choice, Group, Kind, Option, Setting, Settings, values_of
from .._shared.untrusted_text import clean
from .errors import INSTALL, UNUSUAL
from .graph import LOADER, PREFIX, Graph, Place, is_seed, literal_inputs, parse_graph, title_of
from .shipped import Workflow, find_workflow

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.provider import Request

KINDS: Mapping[str, Kind] = {"INT": "int", "FLOAT": "float", "BOOLEAN": "bool", "STRING": "str"}
MOST_NODES = 100
"""Types of nodes about which the server is asked at most."""

MOST_BASIC = 6
"""Inputs of a workflow of the user's own that are always shown if no nodes are named."""


class Input(NamedTuple):
    """An input of a node that is a setting: its name as such, where it is, and how it is shown."""

    name: str
    place: Place
    value: Any
    title: str = ""
    group: Group = "quality"
    basic: bool = False


def graph_of(request: Request[Any]) -> Graph:
    """Return the graph that an order runs. Raises InvalidSettings for an unusable file."""
    workflow = find_workflow(request.settings.workflow)
    if workflow is not None:
        return workflow.graph
    return parse_graph(request.files.get("workflow_file", b""))


def inputs_of(settings: Any, graph: Graph) -> list[Input]:
    """Return the inputs of a graph that are settings.

    They are those that the shipped workflow names, or all of the nodes that the user has chosen.
    Raises InvalidSettings for a chosen node that is not there.
    """
    workflow = find_workflow(settings.workflow)
    if workflow is not None:
        return list(_named_inputs(workflow))
    chosen = _chosen_nodes(settings.nodes, graph)
    found = [
        (place, value)
        for place, value in literal_inputs(graph)
        if place.node in chosen and not _is_filled(graph, place, value)
    ]
    # Otherwise Get Settings would show nothing but a closed subpanel.
    shown = len(found) if settings.nodes.strip() else MOST_BASIC
    return [
        Input(f"{place.node}.{place.input}", place, value, basic=number < shown)
        for number, (place, value) in enumerate(found)
    ]


def values_by_place(settings: Settings, graph: Graph) -> dict[Place, Any]:
    """Return the values that the user has set, by the inputs that they are for."""
    values = values_of(settings)
    places = {item.name: item.place for item in inputs_of(settings, graph)}
    return {
        places[name]: value
        for name, value in values.items()
        if name in places and value is not None
    }


def read_rows(request: Request[Any], http: Http) -> Iterator[Setting]:
    """Yield the settings of a request's workflow, as the server describes them.

    Raises InvalidSettings if the workflow has nodes that the server does not know.
    """
    graph = graph_of(request)
    inputs = inputs_of(request.settings, graph)
    types = {node: str(graph[node]["class_type"]) for node in graph}
    known = _describe_types(list(dict.fromkeys(types.values()))[:MOST_NODES], http)
    titles = [_title(item) for item in inputs]
    for item, title in zip(inputs, titles, strict=True):
        described = known.get(types[item.place.node], {}).get(item.place.input)
        owner = title_of(graph, item.place.node)
        shown = f"{title} ({owner})" if titles.count(title) > 1 else title
        if described is not None:
            yield from _row_of(item, described, shown, owner)


def _named_inputs(workflow: Workflow) -> Iterator[Input]:
    for row in workflow.settings:
        place = Place(row["node"], row["input"])
        yield Input(
            place.input,
            place,
            workflow.graph[place.node]["inputs"][place.input],
            row.get("title", ""),
            row.get("group", "quality"),
            row.get("basic", False),
        )


def _chosen_nodes(names: str, graph: Graph) -> set[str]:
    """Return the nodes that the user has named by title, type, or id; all, if none is named."""
    chosen: set[str] = set()
    for name in filter(None, (part.strip() for part in names.split(","))):
        found = {id_ for id_ in graph if name.casefold() in _names_of(graph, id_)}
        if not found:
            message = Message("The workflow has no node “{name}”.", name=clean(name, 80))
            raise InvalidSettings(message, "Correct Nodes, or clear it to show all of them.")
        chosen |= found
    return chosen or set(graph)


def _names_of(graph: Graph, node: str) -> set[str]:
    names = (node, title_of(graph, node), str(graph[node]["class_type"]))
    return {name.casefold() for name in names}


def _is_filled(graph: Graph, place: Place, value: object) -> bool:
    """Return whether an order fills an input by itself."""
    loads = str(graph[place.node]["class_type"]).startswith(LOADER)
    return loads or place.input == PREFIX or is_seed(place, value)


def _describe_types(types: list[str], http: Http) -> dict[str, dict[str, Any]]:
    """Return the descriptions of the inputs of each type of node.

    Raises InvalidSettings for types that are not installed.
    """
    known: dict[str, dict[str, Any]] = {}
    missing: list[str] = []
    for name in types:
        reply = http.get(f"/object_info/{segment(name)}")
        if not reply.ok or not isinstance(reply.json, dict):
            raise BadReply("ComfyUI did not describe its nodes.", UNUSUAL)
        # The answer about an unknown type is an empty object.
        described = reply.json.get(name)
        if isinstance(described, dict):
            known[name] = _inputs_in(described)
        else:
            missing.append(name)
    if missing:
        message = Message(
            "The server does not have these nodes: {nodes}.",
            nodes=", ".join(clean(name, 60) for name in missing[:10]),
        )
        raise InvalidSettings(message, INSTALL)
    return known


def _inputs_in(described: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a type of node, as its description has them."""
    inputs = described.get("input")
    if not isinstance(inputs, dict):
        return {}
    groups = (inputs.get(name) for name in ("required", "optional"))
    return {
        name: spec for group in groups if isinstance(group, dict) for name, spec in group.items()
    }


def _title(item: Input) -> str:
    return item.title or item.place.input.replace("_", " ").title()


def _row_of(item: Input, described: Any, title: str, owner: str) -> Iterator[Setting]:
    """Yield the setting for an input; none for one that takes something else than a value."""
    kind, options = _kind_and_options(described)
    if kind is None:
        return
    choices = tuple(_choices(described, options)) if kind == "enum" else ()
    text = options.get("tooltip")
    about = text if isinstance(text, str) and text else f"{owner}: {item.place.input}"
    group = item.group if item.group in get_args(Group) else "quality"
    try:
        yield server_setting(
            item.name,
            kind,
            Option(title, about, choices, basic=item.basic, group=group),
            default=_default(item.value, choices),
            minimum=options.get("min"),
            maximum=options.get("max"),
        )
    except BadReply:  # a name that `--set` could not take
        return


def _kind_and_options(described: Any) -> tuple[Kind | None, Mapping[str, Any]]:
    """Return the kind of setting that an input is, and its options; None for other inputs."""
    if not isinstance(described, list) or not described:
        return None, {}
    options = described[1] if len(described) > 1 and isinstance(described[1], dict) else {}
    if isinstance(described[0], list) or described[0] == "COMBO":
        return "enum", options
    return KINDS.get(str(described[0])), options


def _choices(described: list[Any], options: Mapping[str, Any]) -> Iterator[Choice]:
    """Yield the choices: newer nodes have them among their options, older ones as their type."""
    values = described[0] if isinstance(described[0], list) else options.get("options")
    for value in cast("Iterable[Any]", values if isinstance(values, list) else ()):
        if isinstance(value, bool | int | float | str):
            yield Choice(value, str(value))


def _default(value: Any, choices: tuple[Choice, ...]) -> Any:
    """Return the graph's own value, or the installed file of the same name in another folder."""
    known = [choice.value for choice in choices]
    if not choices or value in known or not isinstance(value, str):
        return value
    return next((item for item in known if _file_name(str(item)) == _file_name(value)), value)


def _file_name(text: str) -> str:
    return PurePosixPath(text.replace("\\", "/")).name.casefold()
