# SPDX-License-Identifier: GPL-3.0-or-later
"""A Gradio app on loopback, of version 4 to 6, with the traps of its queue.

It refuses what a real one refuses: a missing place for a hidden input, an unknown file, a value out
of range. A result can be read once. Sources: Gradio 4.44.1, 5.33.0, 6.0.1 and 6.31.0, run on
loopback on 2026-11-28; `tests/unit/providers/gradio/test_real_servers.py` compares it with them.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from . import loopback
from .glb import triangle_glb
from .gradio_messages import Answer, Cut, messages_of
from .gradio_pages import config_of, info_of

TOKEN = "hf_abcdefghijklmnop"
DROPPED = 0
"""A status in `faults`: the request has its effect, but the connection closes unanswered."""
FULL = {"detail": "Queue is full. Max size is 3 and size is 3."}


NEEDED = {"data": list, "fn_index": int, "session_hash": str}
OPTIONAL = ("event_data", "trigger_id")
"""Fields of an order."""


class AppError(Exception):
    """An error of a function; `text` is None if the app does not say why."""

    def __init__(self, text: str | None) -> None:
        super().__init__(text)
        self.text = text


class Input(NamedTuple):
    """An input of a function: a component with its properties. A state has no name."""

    name: str
    component: str
    props: Mapping[str, Any] = MappingProxyType({})


Work = Callable[["Gradio", str, dict[str, Any]], list[Any]]


class Function(NamedTuple):
    """A function: its inputs, the components that it returns, and what it does.

    `work` gets the app, the session, and the values by name.
    """

    name: str
    inputs: tuple[Input, ...]
    outputs: tuple[str, ...]
    work: Work


@dataclass
class Order:
    """A queued call. `is_read`: its stream has been opened."""

    event: str
    function: Function
    data: list[Any]
    is_read: bool = False
    is_canceled: bool = False


@dataclass
class Gradio:
    """The state of an app, faults to come, and what it received.

    `prefix`: the path before most routes; without it, the app is of version 4. `refused`: how many
    of the next orders find the queue full. `cuts`: after how many messages the stream of a function
    breaks off. `faults` are statuses by path. `held`: orders do not end before it is set. `token`:
    the app is a private Space, and without it Hugging Face answers `closed` in its place.
    """

    functions: tuple[Function, ...] = ()
    prefix: str = "/gradio_api"
    title: str = "TRELLIS"
    refused: int = 0
    cuts: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[int]] = field(default_factory=dict)
    held: threading.Event | None = None
    token: str = ""
    closed: int = 404
    mesh: bytes = field(default_factory=triangle_glb)
    url: str = ""
    is_running: bool = True
    files: dict[str, bytes] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, list[Order]] = field(default_factory=dict)
    worked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    canceled: list[str] = field(default_factory=list)

    @property
    def worked_names(self) -> list[str]:
        """The names of the functions that ran, in order."""
        return [name for name, _ in self.worked]

    @property
    def joins(self) -> int:
        """How many orders were received, refused ones included."""
        return sum(path.endswith("/queue/join") for _, path in self.calls)

    def restart(self) -> None:
        """Forget everything that is only in memory."""
        self.orders.clear()
        self.sessions.clear()

    def add_file(self, name: str, data: bytes) -> dict[str, Any]:
        """Keep a file, and return it as an answer has it; behind a proxy, the URL is wrong."""
        path = f"/tmp/gradio/{len(self.files):08x}/{name}"
        self.files[path] = data
        return {
            "path": path,
            "url": f"http://10.0.0.1:7860{self.prefix}/file={path}",
            "size": None,
            "orig_name": name,
            "mime_type": None,
            "meta": {"_type": "gradio.FileData"},
        }

    def join(self, body: dict[str, Any]) -> tuple[int, Any]:
        """Queue a call."""
        is_whole = set(NEEDED) <= set(body) <= {*NEEDED, *OPTIONAL}
        if not (is_whole and all(isinstance(body[name], NEEDED[name]) for name in NEEDED)):
            return 422, {"detail": [{"loc": ["body"], "msg": "Field required"}]}
        if self.refused:
            self.refused -= 1
            return 503, FULL
        known = {2 * number + 1: function for number, function in enumerate(self.functions)}
        if body["fn_index"] not in known:
            return 500, "Internal Server Error"
        event = f"{len(self.orders):04x}{sum(map(len, self.orders.values())):04x}"
        order = Order(event, known[body["fn_index"]], body["data"])
        self.orders.setdefault(body["session_hash"], []).append(order)
        return 200, {"event_id": event}

    def answer(self, session: str, order: Order) -> Answer:
        """Run a function, and return how it ends."""
        try:
            values = self._values(order)
            self.worked.append((order.function.name, values))
            return Answer(order.function.work(self, session, values))
        except AppError as error:
            return Answer(None, error.text)

    def _values(self, order: Order) -> dict[str, Any]:
        """Return the values by name. Raises AppError for those that a real app refuses."""
        inputs = order.function.inputs
        if len(order.data) != len(inputs):
            raise AppError(None)
        for item, value in zip(inputs, order.data, strict=True):
            self._check(item, value)
        pairs = zip(inputs, order.data, strict=True)
        return {item.name: value for item, value in pairs if item.name}

    def _check(self, item: Input, value: Any) -> None:
        if item.component == "state" and value is not None:
            raise AppError(None)
        if item.component == "image" and value is not None:
            self._check_file(value)
        if item.component == "gallery":
            for row in value:
                if set(row) != {"image", "caption"}:
                    raise AppError(None)
                self._check_file(row["image"])
        if item.component == "slider":
            low, high = item.props["minimum"], item.props["maximum"]
            if not isinstance(value, int | float) or not low <= value <= high:
                raise AppError(f"Value {value} is not in the range {low} to {high}")
        if item.component == "dropdown" and value not in [row[1] for row in item.props["choices"]]:
            raise AppError(f"Value: {value} is not in the list of choices")

    def _check_file(self, value: Any) -> None:
        is_file = isinstance(value, dict) and value.get("path") in self.files
        if not is_file or value.get("meta") != {"_type": "gradio.FileData"}:
            raise AppError(None)


@contextlib.contextmanager
def serving(app: Gradio) -> Iterator[Gradio]:
    """Serve on a free loopback port while the block runs."""
    app.is_running = True
    try:
        with loopback.serve(_Handler, quiet=True, app=app) as app.url:
            yield app
    finally:
        app.is_running = False


class _Handler(loopback.Handler):
    app: Gradio

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        app, path = self.app, urlsplit(self.path).path
        app.calls.append((self.command, path))
        app.headers.append({name.lower(): value for name, value in self.headers.items()})
        if app.token and self.headers.get("x-hf-authorization") != f"Bearer {app.token}":
            return self._send(app.closed, b"<html>Sorry, we can't find it</html>", "text/html")
        faults = app.faults.get(path.removeprefix(app.prefix), [])
        fault = faults.pop(0) if faults else None
        if fault:
            return self._send(fault, b"<html>A fault</html>", "text/html")
        if path == f"{app.prefix}/queue/data" and self.command == "GET":
            return self._stream(parse_qs(urlsplit(self.path).query)["session_hash"][0])
        if path.startswith(f"{app.prefix}/heartbeat/") and self.command == "GET":
            return self._send(200, b"data: ALIVE\n\n", "text/event-stream")
        status, value = self._route(path.removeprefix(app.prefix), path, body)
        if fault == DROPPED:
            self.close_connection = True
            return None
        if isinstance(value, bytes):
            return self._send(status, value, "application/octet-stream")
        if isinstance(value, str):
            return self._send(status, value.encode(), "text/plain")
        return self._send(status, json.dumps(value).encode(), "application/json")

    def _route(self, route: str, path: str, body: bytes) -> tuple[int, Any]:
        app = self.app
        if path == "/config":
            return 200, config_of(app)
        if app.prefix and not path.startswith(app.prefix):
            return 404, {"detail": "Not Found"}
        if self.command == "GET" and route == "/info":
            return 200, info_of(app)
        if self.command == "GET" and route.startswith("/file="):
            name = unquote(route.removeprefix("/file="))
            return (
                (200, app.files[name])
                if name in app.files
                else (403, {"detail": "File not allowed"})
            )
        if self.command == "POST" and route == "/upload":
            return self._take_files(body)
        if self.command == "POST" and route == "/queue/join":
            return app.join(json.loads(body))
        if self.command == "POST" and route == "/cancel":
            return self._cancel(json.loads(body))
        return 404, {"detail": "Not Found"}

    def _take_files(self, body: bytes) -> tuple[int, Any]:
        headers = {name.lower(): value for name, value in self.headers.items()}
        fields = loopback.form_fields(headers, body)
        if not fields or any(item.name != "files" or not item.filename for item in fields):
            return 400, {"detail": "There was an error parsing the body"}
        return 200, [self.app.add_file(item.filename, item.data)["path"] for item in fields]

    def _cancel(self, body: dict[str, Any]) -> tuple[int, Any]:
        self.app.canceled.append(body["event_id"])
        for order in self.app.orders.get(body["session_hash"], []):
            order.is_canceled = order.is_canceled or order.event == body["event_id"]
        return 200, {"success": True}

    def _stream(self, session: str) -> None:
        """Send the messages of the session's last order, chunked and as they come."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with contextlib.suppress(OSError, Cut):
            for message in messages_of(self.app, session):
                data = f"data: {json.dumps(message)}\n\n".encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
