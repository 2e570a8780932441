# SPDX-License-Identifier: GPL-3.0-or-later
"""The two pages by which a Gradio app describes itself, shortened to what clients read.

Sources: the pages of Gradio 4.44.1 and 5.33.0 on loopback, and what `gradio_client` asks of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .gradio import Function, Gradio, Input

FILE = {
    "type": "object",
    "title": "FileData",
    "properties": {
        "path": {"title": "Path", "type": "string"},
        "meta": {"default": {"_type": "gradio.FileData"}, "title": "Meta", "type": "object"},
    },
    "required": ["path"],
}
TYPES: dict[str, dict[str, Any]] = {
    "slider": {"type": "number"},
    "number": {"type": "number"},
    "checkbox": {"type": "boolean"},
    "textbox": {"type": "string"},
    "html": {"type": "string"},
    "radio": {"type": "string"},
    "dropdown": {"type": "string"},
    "json": {"type": "object"},
    "gallery": {"type": "array", "items": FILE},
}
PYTHON_TYPES = {"number": "float", "boolean": "bool", "string": "str", "array": "list"}


def config_of(app: Gradio) -> dict[str, Any]:
    """Return the page that describes the components, and the inputs of the functions."""
    components: list[dict[str, Any]] = []
    dependencies: list[dict[str, Any]] = []
    for number, function in enumerate(app.functions):
        places = [(item.component, item.props) for item in function.inputs]
        places += [(name, {}) for name in function.outputs]
        first = len(components)
        for name, props in places:
            components.append(_component(len(components), name, dict(props)))
        ids = [item["id"] for item in components[first:]]
        count = len(function.inputs)
        # Numbers that are not indices: an app may have functions without a name between them.
        dependencies.append(_dependency(2 * number + 1, function.name, ids[:count], ids[count:]))
    dependencies.append(_dependency(99, False, [], []))
    page = {
        "version": "5.33.0" if app.prefix else "4.44.1",
        "mode": "blocks",
        "protocol": "sse_v3",
        "connect_heartbeat": True,
        "enable_queue": True,
        "space_id": None,
        "max_file_size": None,
        "title": app.title,
        "components": components,
        "dependencies": dependencies,
    }
    return {**page, "api_prefix": app.prefix} if app.prefix else page


def _component(number: int, name: str, props: dict[str, Any]) -> dict[str, Any]:
    skipped = name == "state"
    return {"id": number, "type": name, "props": props, "skip_api": skipped, "key": None}


def _dependency(number: int, name: str | bool, inputs: Any, outputs: Any) -> dict[str, Any]:
    return {
        "id": number,
        "targets": [],
        "inputs": inputs,
        "outputs": outputs,
        "backend_fn": True,
        "js": None,
        "queue": True,
        "api_name": name,
        "batch": False,
        "cancels": [],
        "types": {"generator": False, "cancel": False},
        "show_api": True,
    }


def info_of(app: Gradio) -> dict[str, Any]:
    """Return the page that names the parameters, without those that only the server sees."""
    named = {f"/{function.name}": _endpoint(function) for function in app.functions}
    return {"named_endpoints": named, "unnamed_endpoints": {}}


def _endpoint(function: Function) -> dict[str, Any]:
    shown = (item for item in function.inputs if item.component != "state")
    outputs = (name for name in function.outputs if name != "state")
    return {
        "parameters": [_parameter(item) for item in shown],
        "returns": [{"label": name, **_types(name)} for name in outputs],
        "show_api": True,
    }


def _parameter(item: Input) -> dict[str, Any]:
    return {
        "label": item.props.get("label", item.name),
        "parameter_name": item.name,
        "parameter_has_default": "value" in item.props,
        "parameter_default": item.props.get("value"),
        **_types(item.component),
        "example_input": None,
    }


def _types(name: str) -> dict[str, Any]:
    shape = TYPES.get(name, FILE)
    python = PYTHON_TYPES.get(shape["type"], "filepath" if shape is FILE else "dict")
    described = {"type": python, "description": ""}
    return {"type": shape, "python_type": described, "component": name.title()}
