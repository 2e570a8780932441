# SPDX-License-Identifier: GPL-3.0-or-later
"""Hunyuan3D's `api_server.py` on loopback, version 2.0 or 2.1, with the traps of both.

Sources: Tencent's repositories Hunyuan3D-2 and Hunyuan3D-2.1, as of 2026-11.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import loopback
from .glb import triangle_glb

HIGH_TRAFFIC = "**NETWORK ERROR DUE TO HIGH TRAFFIC. PLEASE REGENERATE OR REFRESH THIS PAGE.**"
DROPPED = 0
"""A status in `faults`: the request has its effect, but the connection closes unanswered."""
RANGES: Mapping[str, tuple[float, float]] = {
    "seed": (0, 2**32 - 1),
    "octree_resolution": (64, 512),
    "num_inference_steps": (1, 20),
    "guidance_scale": (0.1, 20.0),
    "num_chunks": (1000, 20_000),
    "face_count": (1000, 100_000),
}
"""What the 2.1 server accepts; the 2.0 server checks nothing."""
ROUTES = ("/generate", "/send", "/status/{uid}")


@dataclass
class Hunyuan3d:
    """The state of the server: how it was started, faults to come, and what it received.

    `enable_tex`: it can paint, as 2.1 always can. `fails`: it cannot make any mesh. `says`: the
    text of the error then. `stages` are what `/status` says next; after that, the task is done:
    “half” is a file that is still being written. `untextured` is the name of the unpainted mesh.
    `header`: one that a proxy in front of the server requires. `faults` are statuses by path.
    """

    version: str = "2.1"
    enable_tex: bool = True
    fails: bool = False
    says: str = HIGH_TRAFFIC
    untextured: str = "initial_model_base64"
    header: str = ""
    url: str = ""
    mesh: bytes = field(default_factory=triangle_glb)
    painted: bytes = field(default_factory=lambda: triangle_glb(3))
    stages: list[str] = field(default_factory=list)
    faults: dict[str, list[int]] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, bytes]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    started: dict[str, bool] = field(default_factory=dict)

    def take(self, order: dict[str, Any]) -> None:
        """Keep an order and its images. Raises ValueError for an image that is not one."""
        names = [name for name in order if name.startswith("image")]
        images = {name: base64.b64decode(order.pop(name)) for name in names}
        if not images or not all(data[:2] in (b"\x89P", b"\xff\xd8") for data in images.values()):
            raise ValueError("cannot identify image file")
        self.orders.append(order)
        self.images.append(images)

    def status_of(self, uid: str) -> tuple[int, Any]:
        """Return what `/status` says. An unknown task is “processing”, for ever."""
        if uid not in self.started:
            return 200, {"status": "processing"}
        stage = self.stages.pop(0) if self.stages else "done"
        textured = self.started[uid]
        if stage == "error":
            return 500, {"status": "error", "message": "Failed to read generated file"}
        if stage not in ("half", "done", "bare"):
            return 200, {"status": stage}
        if self.version == "2.1" and not textured:
            return 200, {"status": "texturing"}  # for ever
        mesh = self.painted if textured else self.mesh
        answer = {"model_base64": _encode(mesh[:-8] if stage == "half" else mesh)}
        if self.version == "2.1":
            answer[self.untextured] = _encode(self.mesh)
        if stage == "bare":
            del answer["model_base64"]
        return 200, {"status": "completed", **answer}


def objection_to(order: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what FastAPI says about an order for the 2.1 server; nothing if it is right."""
    if not isinstance(order.get("image"), str):
        return [{"type": "missing", "loc": ["body", "image"], "msg": "Field required"}]
    for name, (low, high) in RANGES.items():
        value = order.get(name, low)
        if not isinstance(value, int | float) or not low <= value <= high:
            text = f"Input should be from {low} to {high}"
            return [{"type": "range", "loc": ["body", name], "msg": text}]
    return []


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


@contextlib.contextmanager
def serving(service: Hunyuan3d) -> Iterator[Hunyuan3d]:
    """Serve on a free loopback port while the block runs."""
    with loopback.serve(_Handler, service=service) as service.url:
        yield service


class _Handler(loopback.Handler):
    service: Hunyuan3d

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        service = self.service
        service.calls.append((self.command, self.path))
        service.headers.append({name.lower(): value for name, value in self.headers.items()})
        faults = service.faults.get(self.path, [])
        fault = faults.pop(0) if faults else None
        if fault:
            return self._send_json(fault, {"detail": "A fault."})
        status, value = self._route(body)
        if fault == DROPPED:
            self.close_connection = True
            return None
        if isinstance(value, bytes):
            # Starlette guesses the type by the file's name, and knows no GLB on many systems.
            return self._send(status, value, "text/plain; charset=utf-8")
        return self._send_json(status, value)

    def _route(self, body: bytes) -> tuple[int, Any]:
        service = self.service
        name, _, value = service.header.partition(": ")
        if service.header and self.headers.get(name) != value:
            return 401, {"detail": "Unauthorized"}
        if self.command == "POST" and self.path in ("/generate", "/send"):
            return self._take_order(json.loads(body), later=self.path == "/send")
        if self.path.startswith("/status/"):
            return service.status_of(self.path.removeprefix("/status/"))
        if self.path == "/health" and service.version == "2.1":
            return 200, {"status": "healthy", "worker_id": "3f9a1c"}
        if self.path == "/openapi.json":
            more = ("/health",) if service.version == "2.1" else ()
            paths: dict[str, Any] = {
                route: {"post" if route in ROUTES[:2] else "get": {}} for route in (*ROUTES, *more)
            }
            return 200, {"openapi": "3.1.0", "paths": paths}
        return 404, {"detail": "Not Found"}

    def _take_order(self, order: dict[str, Any], *, later: bool) -> tuple[int, Any]:
        service = self.service
        if service.version == "2.1" and (details := objection_to(order)):
            return 422, {"detail": details}
        texture = bool(order.get("texture"))
        try:
            service.take(order)
            if service.fails:
                raise ValueError(service.says)
            if texture and not service.enable_tex:
                raise AttributeError("'ModelWorker' object has no attribute 'pipeline_tex'")
        except (ValueError, AttributeError, binascii.Error):
            # With /send, the thread dies, and /status says “processing” for ever.
            failed = {"text": service.says, "error_code": 1}
            return (200, {"uid": "dead"}) if later else (404, failed)
        if later:
            uid = f"3b2c{len(service.started)}"
            service.started[uid] = texture
            return 200, {"uid": uid}
        return 200, service.painted if texture else service.mesh

    def _send_json(self, status: int, value: Any) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
