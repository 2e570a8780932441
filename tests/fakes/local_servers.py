# SPDX-License-Identifier: GPL-3.0-or-later
"""Other servers that artists run, as far as a probe sees them: Gradio, ComfyUI, and strangers.

Sources: Gradio 4.44.1 to 6.31.0 and ComfyUI 0.3.64, run on loopback on 2026-11-28.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import loopback

GRADIO = {"version": "5.33.0", "protocol": "sse_v3", "dependencies": [], "title": "Hunyuan3D"}
COMFYUI = {"system": {"os": "linux", "comfyui_version": "0.3.64"}, "devices": []}


@dataclass
class OtherServer:
    """A server with these pages by path; for all others, it answers `status` and `otherwise`.

    `location`: every answer is a redirect there. `requests` are the method and path of each, and
    `headers` their headers in lower case.
    """

    pages: dict[str, Any] = field(default_factory=dict)
    status: int = 404
    otherwise: Any = field(default_factory=lambda: {"detail": "Not Found"})
    location: str = ""
    url: str = ""
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


def gradio() -> OtherServer:
    """Return a Gradio app, as on port 8080 or 7860."""
    return OtherServer({"/config": GRADIO})


def comfyui() -> OtherServer:
    """Return ComfyUI, as on port 8188. It answers unknown paths with an empty body."""
    return OtherServer({"/system_stats": COMFYUI}, otherwise="")


@contextlib.contextmanager
def serving(server: OtherServer) -> Iterator[OtherServer]:
    """Serve on a free loopback port while the block runs."""
    with loopback.serve(_Handler, other=server) as server.url:
        yield server


class _Handler(loopback.Handler):
    other: OtherServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def _answer(self) -> None:
        server = self.other
        server.requests.append((self.command, self.path))
        server.headers.append({name.lower(): value for name, value in self.headers.items()})
        page = server.pages.get(self.path)
        status = 302 if server.location else server.status if page is None else 200
        value = server.otherwise if page is None else page
        data = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.send_response(status)
        if server.location:
            self.send_header("Location", server.location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
