# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders at Gradio apps: what is uploaded, and what is sent with each call.

The first call is the order; `progress` sends the others. Each order has a session of its own: two
that share one would take each other's results.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadImage, BadReply, InvalidSettings
from .._shared.messages import Message
from .._shared.provider import Picture, Request, Ticket, Uploaded
from .._shared.servers.absent import SERVER, server_of
from .._shared.settings import Choice, Setting, values_of
from .._shared.untrusted_text import json_bytes
from .app import HIDDEN, App, Function, Parameter, read_app
from .errors import UPDATE, is_closed, no_access, refusal
from .options import settings_of_plan, start_value
from .plans import FRONT, Plan, choose_plan, useful_functions
from .streams import Call, find_event

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

DECLARED = frozenset({"texture", "api_name", "purpose"})
"""Settings that choose the functions and their usual values, and are not sent."""
MOST_CHOICES = 100
"""Choices of an input that are kept with an order."""
MOST_BYTES = 1_000_000
"""Bytes of JSON that are kept of an app with an order; those with the most functions have some ten
thousand."""
IMAGES, APP, SESSION = "images", "app", "session"
"""Names under which an upload has the places of the images, what the app can do, and a session of
its own; it also has where the app is."""


def check_app(http: Http) -> None:
    """Return if an app answers that can make a mesh. Raises what `read_app` does, or
    InvalidSettings.
    """  # fmt: skip
    choose_plan(read_app(http), texture=True)


def settings_of_app(settings: Any, http: Http) -> Iterator[Setting]:
    """Yield the settings of the functions that make a mesh; see `read_app` for the errors."""
    app = read_app(http)
    yield from settings_of_plan(_plan_for(app, settings))


def _plan_for(app: App, settings: Any) -> Plan:
    return choose_plan(
        app, texture=settings.texture, api_name=settings.api_name, purpose=settings.purpose
    )


def upload(pictures: tuple[Picture, ...], http: Http) -> Uploaded:
    """Upload the images to the app, and return their places with what the app can do."""
    app = read_app(http, patient=True)
    places = {picture.view: _upload(picture, app.prefix, http) for picture in pictures}
    return Uploaded(
        {
            IMAGES: places,
            APP: _encode_app(app),
            SESSION: secrets.token_hex(8),
            SERVER: server_of(http.address),
        }
    )


def _upload(picture: Picture, prefix: str, http: Http) -> str:
    name = f"{picture.view}{Path(picture.path or '').suffix or '.png'}"
    files = {"files": (name, picture.data(), "application/octet-stream")}
    reply = http.post(f"{prefix}/upload", files=files)
    if reply.status == 413:
        raise BadImage("The image is too large for the server.", "Use a smaller image.")
    if is_closed(reply, http):
        raise no_access(reply, http)
    places = reply.json if reply.ok and isinstance(reply.json, list) else []
    if not places or not isinstance(places[0], str):
        raise BadReply("The Gradio app did not take the image.", UPDATE)
    return str(places[0])


def _encode_app(app: App) -> dict[str, Any]:
    """Return as JSON what a later process needs of an app to order from it."""
    return {
        "prefix": app.prefix,
        "title": app.title,
        "functions": list(_encode_functions(useful_functions(app).values())),
    }


def _encode_functions(functions: Iterable[Function]) -> Iterator[list[Any]]:
    """Yield the functions as JSON, as many as there is room for."""
    size = 0
    for item in functions:
        inputs = [_encode_input(row) for row in item.parameters]
        kept = [item.name, item.number, inputs, item.outputs]
        size += len(json_bytes(kept))
        if size > MOST_BYTES:
            return
        yield kept


def _encode_input(item: Parameter) -> list[Any]:
    values = [choice.value for choice in item.choices[:MOST_CHOICES]]
    bounds = [item.minimum, item.maximum]
    return [item.name, item.component, item.kind, start_value(item), *bounds, values]


def _decode_app(kept: Mapping[str, Any]) -> App:
    functions = [
        Function(name, number, tuple(map(_decode_input, rows)), tuple(outputs))
        for name, number, rows, outputs in kept["functions"]
    ]
    by_name = {function.name: function for function in functions}
    return App(str(kept["prefix"]), str(kept["title"]), by_name)


def _decode_input(row: list[Any]) -> Parameter:
    name, component, kind, default, low, high, values = row
    choices = tuple(Choice(value, "") for value in values)
    return Parameter(name, component, default, kind, "", "", low, high, None, choices)


def order(request: Request[Any], uploaded: Uploaded, http: Http) -> Ticket:
    """Order the first call, and return a ticket that has all of them.

    Raises InvalidSettings for what the app does not take, RateLimited if its queue is full.
    """
    ticket = _prepare(request, uploaded)
    body = join_body(ticket["steps"][0], ticket["session"], ticket["images"])
    reply = http.submit(f"{ticket['prefix']}/queue/join", json=body)
    return Ticket({"event": event_of(reply, http), **ticket})


def find_order(request: Request[Any], uploaded: Uploaded, http: Http) -> tuple[Ticket, ...]:
    """Return the ticket of an order whose answer was lost, if the app has it."""
    if uploaded.data.get(SERVER) != server_of(http.address):
        return ()
    ticket = _prepare(request, uploaded)
    event = find_event(Call(ticket["prefix"], ticket["session"], 0), http)
    return (Ticket({"event": event, **ticket}),) if event else ()


def _prepare(request: Request[Any], uploaded: Uploaded) -> dict[str, Any]:
    """Return a ticket without the id that the app gives."""
    app = _decode_app(uploaded.data[APP])
    plan = _plan_for(app, request.settings)
    places = uploaded.data[IMAGES]
    steps = list(_steps(plan, _values(plan, request.settings), places))
    _check_views(places, steps)
    return {
        "session": uploaded.data[SESSION],
        SERVER: uploaded.data[SERVER],
        "prefix": app.prefix,
        "title": plan.profile.name or app.title,
        "license": plan.profile.license,
        "images": {view: image_value(place, f"{view}.png") for view, place in places.items()},
        "steps": steps,
    }


def _values(plan: Plan, settings: Any) -> dict[str, Any]:
    """Return the values that the user chose; raises InvalidSettings for what the app lacks."""
    known = {parameter.name for parameter in plan.inputs()}
    values = {name: value for name, value in values_of(settings).items() if name not in DECLARED}
    for name in values:
        if name not in known:
            raise InvalidSettings(
                Message("The app no longer has the setting “{name}”.", name=name),
                "Click Get Settings again: the app may have changed.",
            )
    return values


def _steps(
    plan: Plan, values: Mapping[str, Any], places: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield each call as JSON: its number, the value of each input, and the views of its images."""
    for step, function in zip(plan.profile.steps, plan.functions, strict=True):
        chosen = {**values, **step.fixed}
        # No image where the user has none: an input that may stay empty, such as a side view.
        views = {name: found for name, wanted in step.images.items()
                 if (found := _views_of(wanted, places))}  # fmt: skip
        if (step.several and len(places) < 2) or (step.images and not views):
            continue
        yield {
            "call": function.name,
            "number": function.number,
            "data": [chosen.get(item.name, start_value(item)) for item in function.parameters],
            "images": [[place, item.component, views[item.name]]
                       for place, item in enumerate(function.parameters)
                       if item.name in views and item.component != HIDDEN],
            "returns": step.returns,
            "weight": step.weight,
        }  # fmt: skip


def _views_of(wanted: str | list[str], places: Mapping[str, str]) -> list[str]:
    """Return the views that an input gets; one for all of them gets none if there is only one."""
    if isinstance(wanted, str):
        return [wanted] if wanted in places else []
    return [view for view in wanted if view in places] if len(places) > 1 else []


def _check_views(places: Iterable[str], steps: Iterable[Mapping[str, Any]]) -> None:
    taken = {view for step in steps for _, _, views in step["images"] for view in views}
    if not set(places) - {FRONT} <= taken:
        raise InvalidSettings("The app takes a single image.", "Clear the side views.")


def join_body(step: Mapping[str, Any], session: str, images: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that puts a call into the queue; `images` are file objects by view.

    There is a place for every input, and null for those that only the server sees: leaving one out
    is an error without a reason.
    """
    data = list(step["data"])
    for place, component, views in step["images"]:
        data[place] = _as_input(component, [images[view] for view in views])
    return {
        "data": data,
        "fn_index": step["number"],
        "session_hash": session,
        "event_data": None,
        "trigger_id": None,
    }


def image_value(path: str, name: str) -> dict[str, Any]:
    """Return a file on the server as inputs take it."""
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def _as_input(component: str, images: list[Mapping[str, Any]]) -> Any:
    if component == "gallery":
        return [{"image": image, "caption": None} for image in images]
    if component == "imageeditor":
        return {"background": images[0], "layers": [], "composite": images[0]}
    return images[0]


def event_of(reply: Reply, http: Http) -> str:
    """Return the id of a queued call. Raises what `refusal` returns, or BadReply without an id."""
    if not reply.ok:
        raise refusal(reply, http)
    event = reply.json.get("event_id") if isinstance(reply.json, dict) else None
    if not isinstance(event, str) or not event:
        raise BadReply("The Gradio app returned no ID of the order.", UPDATE)
    return event
