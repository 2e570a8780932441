# SPDX-License-Identifier: GPL-3.0-or-later
"""The server on loopback that `services/with_server/workshop.py` speaks to."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import FAKES, loopback

SERVICES = str(FAKES / "services" / "with_server")
STEPS = {"name": "steps", "type": "int", "title": "Steps", "description": "More are better",
         "default": 30, "minimum": 10, "maximum": 100, "step": 5, "basic": True}  # fmt: skip
ROWS: dict[str, list[dict[str, Any]]] = {
    "fast": [
        STEPS,
        {"name": "cfg.scale", "type": "float", "title": "Guidance", "default": 7.5,
         "minimum": 0.0, "maximum": 30.0},
        {"name": "resolution", "type": "enum", "title": "Resolution", "default": 512,
         "choices": [512, 1024]},
        {"name": "finish", "type": "enum", "title": "Finish", "default": "matt",
         "choices": ["matt", "gloss"]},
        {"name": "cut out", "type": "bool", "title": "Cut Out", "default": True},
        {"name": "prompt", "type": "str", "title": "Prompt", "default": ""},
        {"name": "seed", "type": "int", "title": "Seed", "optional": True, "minimum": 0,
         "maximum": 2**64 - 1},
        {"name": "center", "type": "bool", "title": "Center", "optional": True},
    ],
    "fine": [{**STEPS, "default": 80, "maximum": 200}],
}  # fmt: skip
"""The settings that the server has at first, by model."""


@dataclass
class Workshop:
    """The state of the fake: its settings by model, and what it received."""

    rows: dict[str, Any] = field(default_factory=lambda: json.loads(json.dumps(ROWS)))
    mesh: bytes = b""
    url: str = ""
    status: int = 200
    requests: list[tuple[str, str]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)

    def calls(self, path: str) -> int:
        """Count the requests of a path."""
        return sum(1 for _, called in self.requests if called == path)


@contextlib.contextmanager
def serving(workshop: Workshop) -> Iterator[Workshop]:
    """Serve on a free loopback port while the block runs."""
    with loopback.serve(_Handler, workshop=workshop) as workshop.url:
        yield workshop


class _Handler(loopback.Handler):
    workshop: Workshop

    def _answer(self, status: int, data: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _answer_json(self, value: Any) -> None:
        self._answer(self.workshop.status, json.dumps(value).encode())

    def do_GET(self) -> None:
        self.workshop.requests.append(("GET", self.path))
        folder, _, name = self.path.strip("/").partition("/")
        if folder == "file":
            return self._answer(200, self.workshop.mesh, "application/octet-stream")
        if folder == "settings":
            return self._answer_json(self.workshop.rows.get(name))
        data = {"path": "/tmp/mesh.glb", "url": f"{self.workshop.url}/file/mesh.glb"}
        update = {"__type__": "update", "value": {**data, "orig_name": "mesh.glb"}}
        return self._answer_json({"output": {"data": [None, "done", update]}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.workshop.requests.append(("POST", self.path))
        self.workshop.orders.append(json.loads(body))
        self._answer_json({"task": f"order-{len(self.workshop.orders)}"})
