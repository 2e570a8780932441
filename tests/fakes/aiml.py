# SPDX-License-Identifier: GPL-3.0-or-later
"""AI/ML API on loopback, as strict as its documentation (docs.aimlapi.com as of 2026-08-21).

Checks in the service's order: key, body, credits. Meshes are served on a second port, which takes
no key. Faults come on demand, one for each call.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import loopback
from .files import big_glb
from .glb import triangle_glb
from .place import Place

KEY = "aiml-marked-key-5150"
REQUEST = "019d2ee5-582a-7c83-93f2-2fcbad002d43"
GENERATIONS = "/v1/images/generations"
NO_KEY = (
    "This request requires a valid API key. You can create a new API key on the Billing page: "
    "https://aimlapi.com/app/keys"
)
NO_CREDITS = (
    "You've run out of credits. Please top up your balance or update your payment method to "
    "continue: https://aimlapi.com/app/billing/"
)
Judge = Callable[[Any], str]


@dataclass(frozen=True)
class Fault:
    """A failure in place of an answer; status 0 closes the connection without one.

    `taken`: the order is accepted first. `stall`: seconds of delay before the failure. `cut`: a
    download ends halfway. `{key}` in a body is replaced with the received key.
    """

    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    taken: bool = False
    stall: float = 0.0
    cut: bool = False


@dataclass(frozen=True)
class Seen:
    """A received request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Aiml:
    """The state of the fake: what it serves and the requests it received."""

    mesh: bytes = field(default_factory=lambda: triangle_glb(5))
    shape: str = "model_mesh"
    status: int = 200
    takes: float = 0.0
    credits: bool = True
    inline: bool = True
    v2_billing: bool = True
    models: tuple[str, ...] = ("triposr", "magic/image-to-3d")
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    url: str = ""
    files_url: str = ""
    requests: list[Seen] = field(default_factory=list)
    downloads: list[Seen] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)

    def posts(self) -> int:
        """Count the requests to make a mesh, taken or not."""
        return sum(1 for request in self.requests if request.path == GENERATIONS)

    def fault(self, call: str) -> Fault | None:
        """Return the next fault of a call."""
        waiting = self.faults.get(call)
        return waiting.pop(0) if waiting else None


# -- the documented rules for a body ----------------------------------------------------------


def _address(inline: bool) -> Judge:
    def judge(value: Any) -> str:
        if not isinstance(value, str):
            return f"Expected string, received {type(value).__name__}"
        if re.fullmatch(r"https?://\S+", value):
            return ""
        found = re.fullmatch(r"data:image/(png|jpeg|webp);base64,(.+)", value)
        if found is None or not inline:
            return "Invalid url"
        try:
            data = base64.b64decode(found[2], validate=True)
        except binascii.Error:
            return "Invalid url"
        magic = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF"}[found[1]]
        return "" if data.startswith(magic) else "Invalid image"

    return judge


def _enum(*values: str) -> Judge:
    expected = " | ".join(f"'{item}'" for item in values)
    return lambda value: (
        "" if value in values else f"Invalid enum value. Expected {expected}, received '{value}'"
    )


def _number(low: float, high: float, *types: type) -> Judge:
    def judge(value: Any) -> str:
        if type(value) not in types:
            return f"Expected {types[-1].__name__}, received {type(value).__name__}"
        return "" if low <= value <= high else f"Number must be from {low} to {high}"

    return judge


def _boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else f"Expected boolean, received {type(value).__name__}"


def _schema(service: Aiml, model: str) -> tuple[set[str], dict[str, Judge]]:
    """Return the required fields and the validators of all fields."""
    address = _address(service.inline)
    if model == "magic/image-to-3d":
        views = [f"{view}_image_url" for view in ("front", "left", "back", "right")]
        return {"model", views[0]}, {"model": _enum(model), **dict.fromkeys(views, address)}
    judges: dict[str, Judge] = {
        "model": _enum("triposr"),
        "image_url": address,
        "output_format": _enum("glb", "obj"),
        "do_remove_background": _boolean,
        "foreground_ratio": _number(0.5, 1, int, float),
        "mc_resolution": _number(32, 1024, int),
    }
    return {"model", "image_url"}, judges


def _issues(service: Aiml, body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, dict):
        return [{"path": [], "message": "Expected object"}]
    model = body.get("model")
    if model not in service.models:
        return [{"path": ["model"], "message": _enum(*service.models)(model)}]
    required, judges = _schema(service, model)
    missing = [{"path": [item], "message": "Required"} for item in sorted(required - set(body))]
    unknown = [{"path": [item], "message": "Unrecognized key"} for item in set(body) - set(judges)]
    judged = [(name, judges[name](value)) for name, value in body.items() if name in judges]
    wrong = [{"path": [name], "message": message} for name, message in judged if message]
    return [*missing, *unknown, *wrong]


def classic(status: int, message: str, **more: Any) -> dict[str, Any]:
    """Return an error body as the documentation shows it, with the status as text."""
    return {
        "message": message,
        "path": GENERATIONS,
        "requestId": REQUEST,
        "statusCode": str(status),
        "timestamp": "2026-03-27T07:13:27.813Z",
        **more,
    }


# -- the documented shapes of an answer ----------------------------------------------------------


def _file(service: Aiml, name: str) -> dict[str, Any]:
    return {
        "url": f"{service.files_url}/flamingo/files/b/{name}?Expires=1790000000&Signature=x~y",
        "content_type": "application/octet-stream",
        "file_name": name.rpartition("_")[2],
        "file_size": len(service.mesh),
    }


def _answer(service: Aiml) -> dict[str, Any]:
    file = _file(service, "obumlgU3_model.glb")
    packed = base64.b64encode(service.mesh).decode()
    meta = {"usage": {"credits_used": 182000}}
    shapes: dict[str, dict[str, Any]] = {
        "model_mesh": {"model_mesh": file, "remeshing_dir": None, "meta": meta},
        "model_mesh_text": {"model_mesh": file["url"], "meta": meta},
        "data_url": {"data": [{"url": file["url"], "b64_json": None}], "meta": meta},
        "data_b64": {"data": [{"url": None, "b64_json": packed}], "meta": meta},
        "data_prefixed": {"data": [{"b64_json": f"data:model/gltf-binary;base64,{packed}"}]},
        "data_address": {"model_mesh": {"url": f"data:model/gltf-binary;base64,{packed}"}},
        "data_preview": {"data": [_file(service, "look_view.png"), file], "meta": meta},
        "data_null": {"data": None, "model_mesh": file, "meta": meta},
        "no_meta": {"model_mesh": file, "meta": None},
        "null_usage": {"model_mesh": file, "meta": {"usage": None}},
        "odd_usage": {"model_mesh": file, "meta": {"usage": {"credits_used": "n/a"}}},
        "text_usage": {"model_mesh": file, "meta": {"usage": {"credits_used": "182000"}}},
        "spent": {"model_mesh": file, "meta": {"usage": {"usd_spent": 0.091, "credits_used": 1}}},
        "odd_file": {"model_mesh": {**file, "file_name": 7, "content_type": None}, "meta": meta},
        "output_text": {"output": file["url"], "meta": meta},
        "output_file": {"output": {"mesh": file}, "meta": meta},
        "named": {"seed": 1, "best": [1, 2], "segmented_mesh": file, "meta": meta},
        "bundle": {
            "model_mesh": _file(service, "abc_model.obj"),
            "remeshing_dir": {**_file(service, "abc_bundle.zip")},
            "meta": meta,
        },
        "bundle_alone": {
            "model_mesh": None,
            "remeshing_dir": _file(service, "abc_bundle.zip"),
            "meta": meta,
        },
    }
    timings = {"prepare": 3.68, "generation": 0.07, "export": 0.69}
    return {**shapes[service.shape], "timings": timings, "requestId": REQUEST}


SHAPES = [
    "model_mesh",
    "model_mesh_text",
    "data_url",
    "data_b64",
    "data_prefixed",
    "data_address",
    "data_preview",
    "data_null",
    "no_meta",
    "null_usage",
    "odd_usage",
    "text_usage",
    "spent",
    "odd_file",
    "output_text",
    "output_file",
    "named",
]


# -- the servers ---------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(service: Aiml) -> Iterator[Aiml]:
    """Serve the API and its files on two free loopback ports while the block runs."""
    with (
        loopback.serve(_Api, poll=0.005, service=service) as service.url,
        loopback.serve(_Files, poll=0.005, service=service) as service.files_url,
    ):
        yield service


class _Handler(loopback.Handler):
    service: Aiml
    disable_nagle_algorithm = True

    def note(self, seen: list[Seen]) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen.append(Seen(self.command, self.path, headers, body))
        return body

    def send(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(data)

    def send_json(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        kind = {"Content-Type": "application/json"}
        self.send(status, json.dumps(value).encode(), {**kind, **(headers or {})})

    def fail(self, fault: Fault) -> None:
        time.sleep(fault.stall)
        if fault.status == 0:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(2)
            return
        text = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
        text = text.replace("{key}", self.headers.get("Authorization", ""))
        self.send(fault.status, text.encode(), fault.headers)


class _Api(_Handler):
    def do_POST(self) -> None:
        body = self.note(self.service.requests)
        fault = self.service.fault("generate")
        if fault and fault.taken:
            self.service.orders.append(json.loads(body))
        if fault:
            return self.fail(fault)
        return self._generate(body) if self._may() else None

    def do_GET(self) -> None:
        self.note(self.service.requests)
        fault = self.service.fault(self.path)
        if fault:
            return self.fail(fault)
        if not self._may():
            return None
        if self.path == "/v2/billing" and self.service.v2_billing:
            return self.send_json(200, {"current_balance": 123.45, "currency": "USD"})
        if self.path == "/v1/billing/balance":
            return self.send_json(200, {"balance": "42000000", "lowBalance": False})
        return self.send_json(404, classic(404, f"Cannot GET {self.path}"))

    def _may(self) -> bool:
        allowed = self.headers.get("Authorization") == f"Bearer {KEY}"
        if not allowed:
            self.send_json(401, classic(401, NO_KEY))
        return allowed

    def _generate(self, data: bytes) -> None:
        if self.path != GENERATIONS:
            return self.send_json(404, classic(404, f"Cannot POST {self.path}"))
        if self.headers.get("Content-Type") != "application/json":
            return self.send_json(400, classic(400, "Body validation error!"))
        body = json.loads(data)
        if issues := _issues(self.service, body):
            data_ = {"kind": "ERR_VALIDATION", "issues": issues}
            return self.send_json(400, classic(400, "Body validation error!", data=data_))
        if not self.service.credits:
            return self.send_json(403, classic(403, NO_CREDITS))
        self.service.orders.append(body)
        time.sleep(self.service.takes)
        headers = {"x-inference-id": REQUEST, "x-aimlapi-credits-used": "182000"}
        sent = self.headers.get("X-Client-Request-Id", "")
        if re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", sent):
            headers["x-client-request-id"] = sent
        return self.send_json(self.service.status, _answer(self.service), headers)


class _Files(_Handler):
    def do_GET(self) -> None:
        self.note(self.service.downloads)
        fault = self.service.fault("download")
        if fault and not fault.cut:
            return self.fail(fault)
        if "Authorization" in self.headers:
            return self.send(403, b"<Error>no key here</Error>", {})
        data = self.service.mesh
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        rest = data[int(asked[1]) :] if asked else data
        self.send_response(206 if asked else 200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: len(rest) // 2] if fault else rest)
        if fault:
            self.close_connection = True
        return None


@contextlib.contextmanager
def place_at(provider: str, size: int) -> Iterator[Place]:
    """Serve the fake to one of the providers; its meshes have `size` bytes."""
    with serving(Aiml(mesh=big_glb(size))) as fake:
        yield Place(
            {"provider": provider, "url": fake.url, "keys": {"aiml_api_key": KEY}},
            GENERATIONS.removeprefix("/v1"),
            lambda: len(fake.orders),
            lambda: len(fake.downloads),
            fake.mesh,
        )


PLACES = {
    "aiml_triposr": lambda size: place_at("aiml_triposr", size),
    "aiml_magic": lambda size: place_at("aiml_magic", size),
}
