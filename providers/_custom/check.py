# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests a server without an order: only its address, and its own description, are requested.

The description is the OpenAPI page that FastAPI and others serve at /openapi.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadReply, InvalidSettings
from .._shared.messages import Message
from .._shared.servers.absent import absent_server
from .._shared.servers.probe import PAGE_LIMIT, identify_server
from .._shared.settings import check_rules
from .form import lookup

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from ..custom import CustomSettings

DESCRIPTION = "/openapi.json"
MEDIA_TYPES = {
    "form": ("multipart/form-data",),
    "json": ("application/json",),
    "body": ("application/octet-stream", "image/png", "image/jpeg", "image/*", "*/*"),
}
"""How OpenAPI calls the ways to send an image."""
UNTOLD = (
    "A server answers at {address}, but does not describe itself. Whether it takes images at "
    "{path} shows when you generate. Nothing was ordered."
)
TOLD = "The server at {address} takes images at {path}. Nothing was ordered."
START = "Start the server, or correct its address in the add-on preferences."


def find_server(http: Http) -> None:
    """Raise Unreachable if no server answers at the address, and BadKey if it requires a header."""
    if error := absent_server(identify_server(http), http.address, start=START):
        raise error


def check(settings: CustomSettings, http: Http) -> str:
    """Return what is known of the server, by its own description.

    Raises InvalidSettings for settings that contradict the description, and see `find_server`.
    """
    check_rules(settings)
    find_server(http)
    known = {"address": http.address, "path": settings.path}
    paths = lookup(described := _description(http), "paths")
    if not isinstance(paths, Mapping):
        return Message(UNTOLD, **known)
    path = settings.path.partition("?")[0]
    posts = [
        str(name) for name, calls in paths.items() if isinstance(calls, Mapping) and "post" in calls
    ]
    if path not in posts:
        raise InvalidSettings(
            Message(
                "The server does not take images at {path}, but has: {paths}.",
                path=path,
                paths=", ".join(posts[:8]) or "-",
            ),
            "Change Path in the settings.",
        )
    _check_body(settings, paths[path]["post"], described)
    return Message(TOLD, **known)


def _description(http: Http) -> Any:
    try:
        reply = http.inspect(DESCRIPTION, PAGE_LIMIT, with_key=http.has_key)
    except BadReply:  # a redirect, or a page that is too long
        return None
    return reply.json if reply.status == 200 else None


def _check_body(settings: CustomSettings, call: Any, described: Any) -> None:
    content = lookup(call, "requestBody.content")
    if not isinstance(content, Mapping) or not content:
        return
    kind = next((name for name in MEDIA_TYPES[settings.send_as] if name in content), None)
    if kind is None:
        raise InvalidSettings(
            Message(
                "The server takes images as: {types}.", types=", ".join(map(str, list(content)[:4]))
            ),
            "Change Send Image As in the settings.",
        )
    names = _field_names(lookup(content[kind], "schema"), described)
    if settings.send_as != "body" and names and settings.image_field not in names:
        raise InvalidSettings(
            Message(
                "The server does not take the field {field}, but has: {fields}.",
                field=settings.image_field,
                fields=", ".join(names[:12]),
            ),
            "Change Image Field in the settings.",
        )


def _field_names(schema: Any, described: Any) -> list[str]:
    reference = lookup(schema, "$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        schema = lookup(described, reference.removeprefix("#/").replace("/", "."))
    fields = lookup(schema, "properties")
    return [str(name) for name in fields] if isinstance(fields, Mapping) else []
