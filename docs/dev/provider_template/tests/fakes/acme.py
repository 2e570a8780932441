# SPDX-License-Identifier: GPL-3.0-or-later
"""Acme on loopback, as strict as its documentation.

Source: https://docs.acme.example/api, as of 2026-11-28.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import loopback
from .files import big_glb
from .glb import triangle_glb
from .place import Place

KEY = "acme-marked-key-0123456789"
DROPPED = 0
"""A status in `faults`: the request has its effect, but the connection closes unanswered."""


@dataclass
class Acme:
    """The state of the service: faults to come, images and orders received, polls of each task.

    `faults` are lists of statuses by “METHOD /path”. Each request is answered with the next
    status of its list; once the list is empty, requests are handled normally.
    """

    url: str = ""
    mesh: bytes = field(default_factory=triangle_glb)
    fails: bool = False
    downloads: int = 0
    polls: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[int]] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)
    orders: list[dict[str, Any]] = field(default_factory=list)

    def describe_task(self, task: str) -> dict[str, Any]:
        """Return a task: running at the first call, then failed or succeeded, as `fails` says."""
        self.polls[task] += 1
        if self.polls[task] == 1:
            return {"status": "running", "progress": 0.5}
        if self.fails:
            return {"status": "failed", "reason": "Nothing to be seen."}
        return {"status": "succeeded", "url": f"{self.url}/files/mesh.glb", "credits": 3}


def objection_to(order: dict[str, Any], images: dict[str, bytes]) -> str:
    """Return what is wrong with an order, or an empty string."""
    unknown = set(order) - {"image", "texture", "face_limit"}
    if unknown:
        return f"unknown field: {min(unknown)}"
    if order.get("image") not in images:
        return "image: unknown token"
    if type(order.get("texture", True)) is not bool:
        return "texture: must be true or false"
    limit = order.get("face_limit", 100)
    if type(limit) is not int or not 100 <= limit <= 200_000:
        return "face_limit: must be from 100 to 200000"
    return ""


@contextlib.contextmanager
def serving(service: Acme) -> Iterator[Acme]:
    """Serve on a free loopback port while the block runs."""
    with loopback.serve(_Handler, service=service) as service.url:
        yield service


class _Handler(loopback.Handler):
    service: Acme

    def do_GET(self) -> None:
        if self.path.startswith("/files/"):
            self.service.downloads += 1
            # Storage takes no key: one that arrives here was given away.
            return self._send(400 if "Authorization" in self.headers else 200, self.service.mesh)
        return self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        faults = self.service.faults.get(f"{self.command} {self.path}", [])
        fault = faults.pop(0) if faults else None
        if fault:
            return self._send_json(fault, {"error": "A fault."})
        status, value = self._route(body)
        if fault == DROPPED:
            self.close_connection = True
            return None
        return self._send_json(status, value)

    def _route(self, body: bytes) -> tuple[int, Any]:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"error": "The key is not valid."}
        task = self.path.removeprefix("/tasks/")
        match self.command, self.path:
            case "POST", "/images":
                return self._keep_image(body)
            case "POST", "/tasks":
                return self._take_order(json.loads(body))
            case "GET", _ if task in self.service.polls:
                return 200, self.service.describe_task(task)
            case "GET", "/balance":
                return 200, {"credits": 42.5}
        return 404, {"error": "Not found."}

    def _keep_image(self, body: bytes) -> tuple[int, Any]:
        if b"\x89PNG" not in body and b"\xff\xd8\xff" not in body:
            return 415, {"error": "Not an image."}
        token = f"image-{len(self.service.images)}"
        self.service.images[token] = body
        return 200, {"token": token}

    def _take_order(self, order: dict[str, Any]) -> tuple[int, Any]:
        if objection := objection_to(order, self.service.images):
            return 400, {"error": objection}
        self.service.orders.append(order)
        task = f"task-{len(self.service.orders)}"
        self.service.polls[task] = 0
        return 200, {"task": task}

    def _send_json(self, status: int, value: Any) -> None:
        self._send(status, json.dumps(value).encode(), "application/json")

    def _send(self, status: int, data: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def place_at(size: int) -> Iterator[Place]:
    """Serve the fake; its meshes have `size` bytes. Tests of orders under faults use it."""
    with serving(Acme(mesh=big_glb(size))) as service:
        yield Place(
            order={"provider": "acme", "url": service.url, "keys": {"acme_api_key": KEY}},
            costs="/tasks",
            creates=lambda: len(service.orders),
            downloads=lambda: service.downloads,
            mesh=service.mesh,
        )


PLACES = {"acme": place_at}
