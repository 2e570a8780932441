# SPDX-License-Identifier: GPL-3.0-or-later
"""The OpenAPI of a model that is not in the table, which fal publishes without a key.

It is generated from the model's code: references, and values that may be null, have to be resolved.
Sources: two public clients that read it, as of November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .._shared.errors import BadReply, InvalidSettings, Unreachable
from .._shared.messages import Message
from .._shared.settings import Kind
from .._shared.untrusted_text import clean, finite_number
from .models import LIST, Shape

if TYPE_CHECKING:
    from .._shared.http.client import Http

SITE = "https://fal.ai"
LIMIT = 30.0
"""Seconds for the description of a model."""
SINGLE: Mapping[str, tuple[str, ...]] = {
    "front": ("image_url", "input_image_url", "front_image_url", "input_image", "image"),
    "left": ("left_image_url",),
    "back": ("back_image_url",),
    "right": ("right_image_url",),
}
"""Fields that take the address of one image, by view and by preference."""
SEVERAL = ("image_urls", "input_image_urls", "images")
"""Fields that take the addresses of all images."""
KINDS: Mapping[str, Kind] = {
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "string": "str",
}
DEEPEST = 8
"""References and choices between types that are followed from one value."""
CHECK_ID = "Copy the ID from the model's page at fal.ai/models."


def read_shape(endpoint: str, http: Http) -> Shape:
    """Ask fal for the inputs of a model.

    Raises InvalidSettings for an unknown model, and for one that takes no image, or requires more
    than an image and values. Raises BadReply or Unreachable if fal does not say what it takes.
    """
    path = f"{SITE}/api/openapi/queue/openapi.json?endpoint_id={quote(endpoint, safe='')}"
    reply = http.inspect(path, LIMIT)
    if reply.status in (400, 404, 422):
        message = Message("There is no model “{id}” at fal.", id=clean(endpoint, 80))
        raise InvalidSettings(message, CHECK_ID)
    if not reply.ok:
        message = Message("fal returned status {status}.", status=reply.status)
        raise Unreachable(message, "Try again later.")
    fields = _input_fields(reply.json)
    if fields is None:
        raise BadReply("fal does not say what the model takes.", "Try again later.")
    properties, required = fields
    pictures = _picture_fields(properties)
    if not pictures:
        message = Message("The model “{id}” takes no image.", id=clean(endpoint, 80))
        raise InvalidSettings(message, "Choose a model of the category image-to-3d.")
    taken = set(pictures.values())
    others = {name: field for name, field in properties.items() if name not in taken}
    settings = dict(_settings(others, required))
    missing = [name for name in required if name in others and name not in settings]
    if missing:
        raise InvalidSettings(
            Message("The model requires {input}, which cannot be given here.",
                    input=clean(missing[0], 80)),
            "Choose a model that makes a mesh of an image alone.",
        )  # fmt: skip
    return Shape(pictures, settings)


def _input_fields(document: object) -> tuple[dict[str, Any], list[str]] | None:
    """Return the inputs in the order in which fal shows them, and the names of required ones."""
    root: Mapping[str, Any] = document if isinstance(document, dict) else {}
    for method in _posts(root):
        schema = _resolve(
            root, _dig(method, "requestBody", "content", "application/json", "schema")
        )
        properties = schema.get("properties")
        if isinstance(properties, dict):
            shown = [name for name in _list(schema.get("x-fal-order-properties"))
                     if name in properties]  # fmt: skip
            names = dict.fromkeys([*shown, *properties])
            fields = {name: _resolve(root, properties[name]) for name in names}
            return fields, [str(name) for name in _list(schema.get("required"))]
    return None


def _posts(root: Mapping[str, Any]) -> Iterator[Any]:
    paths = root.get("paths")
    for methods in paths.values() if isinstance(paths, dict) else ():
        if isinstance(methods, dict) and "post" in methods:
            yield methods["post"]


def _picture_fields(properties: Mapping[str, Any]) -> dict[str, str]:
    several = [name for name in SEVERAL if _type(properties.get(name)) == "array"]
    found = {
        view: name
        for view, names in SINGLE.items()
        for name in reversed(names)
        if _type(properties.get(name)) == "string"
    }
    if "front" in found:
        return found
    return {LIST: several[0]} if several else {}


def _settings(
    properties: Mapping[str, Any], required: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the inputs that can be settings: values of plain types, and no addresses of files."""
    for name, field in properties.items():
        kind, choices = KINDS.get(_type(field)), _choices(field)
        is_file = kind == "str" and name.endswith(("_url", "_urls"))
        if kind is None or (is_file and name in required):
            continue
        row = {
            "kind": kind,
            "title": _text(field.get("title")),
            "description": _text(field.get("description")),
            "default": _default(field),
            "minimum": finite_number(field.get("minimum", field.get("exclusiveMinimum"))),
            "maximum": finite_number(field.get("maximum", field.get("exclusiveMaximum"))),
            "required": name in required and field.get("default") is None,
            "choices": choices,
        }
        yield name, row


def _default(field: Mapping[str, Any]) -> Any:
    value = field.get("default")
    return value if isinstance(value, bool | int | float | str) else None


def _choices(field: Mapping[str, Any]) -> list[Any]:
    return [item for item in _list(field.get("enum")) if isinstance(item, int | float | str)]


def _resolve(root: Mapping[str, Any], schema: object) -> dict[str, Any]:
    """Follow references, and take the first type of a value that is not null.

    What a reference has beside it, such as a default, is kept.
    """
    result: dict[str, Any] = {}
    for _ in range(DEEPEST):
        if not isinstance(schema, dict):
            break
        result = {**schema, **result}
        schema = _next(root, schema)
    return result


def _next(root: Mapping[str, Any], schema: Mapping[str, Any]) -> object:
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        return _dig(root, *reference[2:].split("/"))
    for name in ("allOf", "anyOf", "oneOf"):
        options = [item for item in _list(schema.get(name)) if _type(item) != "null"]
        if options:
            return options[0]
    return None


def _dig(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _type(field: object) -> str:
    kind = field.get("type") if isinstance(field, dict) else None
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), None)
    return kind if isinstance(kind, str) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
