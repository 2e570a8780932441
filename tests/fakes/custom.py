# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's own server on loopback, as strict as FastAPI: a wrong path, field or type is refused.

It answers in all the ways that the custom provider supports, and in those that it must not accept.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import loopback
from .glb import triangle_glb

DROPPED = 0
"""A status in `faults`: the image is taken, but the connection closes unanswered."""
HALF = -1
"""A status in `faults`: the connection closes in the middle of the answer."""
IMAGES = (b"\x89PNG", b"\xff\xd8")


@dataclass
class Custom:
    """The state of the server: what it takes, how it answers, and what it received.

    `takes`: “form”, “json”, or “body”. `extra`: the types of the other fields, all optional.
    `answer`: “file”, “json” (the mesh in Base64), “url”, “task”, or a value that is answered as it
    is. `states` are what `/jobs/ID` answers next; after them, `last`, where `{mesh}` is the mesh in
    Base64, and None is the mesh file itself. `header` is one that a proxy in front requires.
    `faults` are statuses by path, `described` whether the server describes itself, and `location`
    where all answers redirect to.
    """

    takes: str = "form"
    path: str = "/generate"
    image_field: str = "image"
    data_url: bool = False
    extra: dict[str, type] = field(default_factory=lambda: {"seed": int, "texture": bool})
    answer: Any = "file"
    mesh: bytes = field(default_factory=triangle_glb)
    kind: str = "model/gltf-binary"
    states: list[Any] = field(default_factory=list)
    last: Any = None
    header: str = ""
    described: bool = False
    location: str = ""
    slow: float = 0.0
    url: str = ""
    faults: dict[str, list[int]] = field(default_factory=dict)
    images: list[bytes] = field(default_factory=list)
    fields: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def orders(self) -> int:
        """The number of POST requests."""
        return len([call for call in self.calls if call[0] == "POST"])

    def text(self) -> str:
        """Return the mesh in Base64."""
        return base64.b64encode(self.mesh).decode()


@contextlib.contextmanager
def serving(service: Custom) -> Iterator[Custom]:
    """Serve on a free loopback port while the block runs."""
    with loopback.serve(_Handler, quiet=True, service=service) as service.url:
        yield service


class _Refusal(Exception):
    """The order is refused with status 422."""


class _Handler(loopback.Handler):
    service: Custom

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        service = self.service
        service.calls.append((self.command, self.path))
        service.headers.append({name.lower(): value for name, value in self.headers.items()})
        faults = service.faults.get(urlsplit(self.path).path, [])
        fault = faults.pop(0) if faults else None
        if fault is not None and fault > 0:
            return self._send(fault, {"detail": "A fault."})
        status, value = self._route(body)
        time.sleep(service.slow)
        if fault == DROPPED:
            self.close_connection = True
            return None
        return self._send(status, value, half=fault == HALF)

    def _route(self, body: bytes) -> tuple[int, Any]:
        service, path = self.service, urlsplit(self.path).path
        name, _, value = service.header.partition(": ")
        if service.header and self.headers.get(name) != value:
            return 401, {"detail": "Unauthorized"}
        if service.location:
            return 307, b""
        if path == service.path:
            if self.command != "POST":
                return 405, {"detail": "Method Not Allowed"}
            try:
                self._take(body)
            except _Refusal as refusal:
                return 422, {"detail": str(refusal)}
            return 200, self._first_answer()
        if path == "/files/cup.glb":
            return 200, service.mesh
        if path == "/jobs/7f3a":
            return self._state()
        if path == "/jobs/7f3a/mesh":
            return 200, service.mesh
        if path == "/openapi.json" and service.described:
            return 200, _description(service)
        return 404, {"detail": "Not Found"}

    def _first_answer(self) -> Any:
        service = self.service
        ways = {
            "file": service.mesh,
            "json": {"result": {"mesh": service.text()}},
            "url": {"mesh": "/files/cup.glb"},
            "task": {"job_id": "7f3a", "status": "queued"},
        }
        known = isinstance(service.answer, str) and service.answer in ways
        return ways[service.answer] if known else service.answer

    def _state(self) -> tuple[int, Any]:
        service = self.service
        value = service.states.pop(0) if service.states else service.last
        if isinstance(value, int):
            return value, {"detail": "Later"}
        if value is None:
            return 200, service.mesh
        return 200, json.loads(json.dumps(value).replace("{mesh}", service.text()))

    def _take(self, body: bytes) -> None:
        """Keep an image and its fields. Raises _Refusal for anything else than what is taken."""
        service = self.service
        headers = {name.lower(): value for name, value in self.headers.items()}
        image, fields = getattr(self, f"_read_{service.takes}")(headers, body)
        if not image.startswith(IMAGES):
            raise _Refusal("cannot identify image file")
        for name, value in fields.items():
            if not isinstance(value, service.extra.get(name, type(None))):
                raise _Refusal(f"{name}: not valid")
        service.images.append(image)
        service.fields.append(fields)

    def _read_form(self, headers: dict[str, str], body: bytes) -> tuple[bytes, dict[str, Any]]:
        form = loopback.form_fields(headers, body)
        images = [row for row in form if row.name == self.service.image_field and row.filename]
        others = {row.name: row.data.decode() for row in form if not row.filename}
        if len(images) != 1 or len(form) != len(others) + 1:
            raise _Refusal(f"{self.service.image_field}: Field required")
        return images[0].data, _values_of(others)

    def _read_json(self, headers: dict[str, str], body: bytes) -> tuple[bytes, dict[str, Any]]:
        if headers.get("content-type") != "application/json":
            raise _Refusal("Input should be a valid dictionary")
        fields = json.loads(body)
        text = fields.pop(self.service.image_field, None)
        if not isinstance(text, str):
            raise _Refusal(f"{self.service.image_field}: Field required")
        if self.service.data_url:
            head, _, text = text.partition(",")
            if head != "data:image/png;base64":
                raise _Refusal("not a data URL")
        try:
            return base64.b64decode(text, validate=True), fields
        except binascii.Error as error:
            raise _Refusal("not Base64") from error

    def _read_body(self, headers: dict[str, str], body: bytes) -> tuple[bytes, dict[str, Any]]:
        if headers.get("content-type") not in ("image/png", "image/jpeg"):
            raise _Refusal("Content-Type is not an image's")
        return body, _values_of(dict(parse_qsl(urlsplit(self.path).query)))

    def _send(self, status: int, value: Any, *, half: bool = False) -> None:
        is_file = isinstance(value, bytes)
        data = value if is_file else json.dumps(value).encode()
        self.send_response(status)
        if self.service.location and status == 307:
            self.send_header("Location", self.service.location)
        self.send_header("Content-Type", self.service.kind if is_file else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if half else data)
        self.close_connection = self.close_connection or half


def _values_of(fields: dict[str, str]) -> dict[str, Any]:
    """Return a form's values as FastAPI converts them."""
    known = {"true": True, "false": False}
    return {
        name: known[value] if value in known else int(value) if value.isdecimal() else value
        for name, value in fields.items()
    }


def _description(service: Custom) -> dict[str, Any]:
    """Return the OpenAPI page."""
    types = {"form": "multipart/form-data", "json": "application/json", "body": "image/png"}
    schema = {"$ref": "#/components/schemas/Order"}
    body = {"content": {types[service.takes]: {"schema": schema}}}
    fields: dict[str, Any] = {name: {} for name in (service.image_field, *service.extra)}
    return {
        "openapi": "3.1.0",
        "paths": {service.path: {"post": {"requestBody": body}}, "/jobs/{id}": {"get": {}}},
        "components": {"schemas": {"Order": {"properties": fields}}},
    }
