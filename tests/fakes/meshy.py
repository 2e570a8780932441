# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy's API v1 on loopback, as strict as docs.meshy.ai and the vendor's MCP server say (2026-11).

It has two hosts: the API, which takes the key, and that of the results, which does not.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import loopback
from .files import big_glb
from .glb import triangle_glb
from .meshy_fields import Refused, check_order, price_of
from .place import Place
from .tripo_server import FBX, Fault, Seen

KEY = "msy_marked-key-0123456789abcdef"
PREFIX = "/openapi/v1"
SINGLE, SEVERAL = "image-to-3d", "multi-image-to-3d"
LIFE = 3 * 24 * 3600.0
"""Seconds for which results are kept."""
PNG = b"\x89PNG\r\n\x1a\n"
TASK = rf"{PREFIX}/({SINGLE}|{SEVERAL})/([^/]+)"
LIST = rf"{PREFIX}/({SINGLE}|{SEVERAL})"


@dataclass
class FakeTask:
    """A task: its kind, its order, how often it was polled, and when it was created."""

    id: str
    kind: str
    body: dict[str, Any]
    price: int
    polls: int = 0
    created: float = field(default_factory=time.time)


class Meshy:
    """A Meshy.

    Each poll of a task takes the next of `states`; the last one repeats. `faults` are popped by the
    first request whose “METHOD /path” matches their pattern. `now` is added to the clock, in
    seconds. `stale` is the number of next downloads that are refused as expired.
    """

    def __init__(self) -> None:
        self.url = self.files_url = ""
        self.requests: list[Seen] = []
        self.tasks: dict[str, FakeTask] = {}
        self.faults: list[tuple[str, Fault]] = []
        self.states: list[dict[str, Any]] = [
            {"status": "PENDING", "progress": 0, "preceding_tasks": 2},
            {"status": "IN_PROGRESS", "progress": 40},
            {"status": "SUCCEEDED", "progress": 100},
        ]
        self.balance: float = 1000
        self.most_queued = 10
        self.mesh = triangle_glb(5)
        self.meshes: list[bytes] = []
        self.stale = 0
        self.now = 0.0
        self._lock = threading.Lock()

    # -- for tests ---------------------------------------------------------------------------

    @property
    def base(self) -> str:
        """The address as the user sets it."""
        return self.url + PREFIX

    def fault(self, pattern: str, *faults: Fault) -> None:
        """Queue faults for the next requests whose “METHOD /path” matches."""
        self.faults += [(pattern, fault) for fault in faults]

    def calls(self, pattern: str) -> list[Seen]:
        """Return the requests whose “METHOD /path” matches."""
        return [
            request
            for request in self.requests
            if re.search(pattern, f"{request.method} {request.path}")
        ]

    @property
    def creates(self) -> list[FakeTask]:
        """The tasks that were created and not deleted."""
        return list(self.tasks.values())

    # -- for the server ----------------------------------------------------------------------

    def routes(self) -> Mapping[str, Callable[[Seen, re.Match[str]], Any]]:
        """Return the handlers by patterns of “METHOD /path”."""
        return {
            rf"POST {LIST}": self._create,
            rf"GET {LIST}": self._list,
            rf"GET {TASK}": lambda seen, found: self._state(self._task(*found.groups())),
            rf"DELETE {TASK}": self._delete,
            rf"GET {PREFIX}/balance": lambda seen, found: {"balance": self.balance},
            # The vendor's client checks its key with another list.
            r"GET /openapi/v2/text-to-3d": lambda seen, found: [],
        }

    def answer(self, seen: Seen) -> tuple[int, Any]:
        """Return the status and body of an answer; raises Refused."""
        if seen.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(401, "Invalid API key")
        for pattern, route in self.routes().items():
            found = re.fullmatch(pattern, f"{seen.method} {seen.path.partition('?')[0]}")
            if found:
                with self._lock:
                    return 202 if seen.method == "POST" else 200, route(seen, found)
        raise Refused(404, "NoMatchingRoute")

    def next_fault(self, seen: Seen) -> Fault | None:
        """Remove and return the next fault for this request, if any."""
        with self._lock:
            for place, (pattern, fault) in enumerate(self.faults):
                if re.search(pattern, f"{seen.method} {seen.path}"):
                    del self.faults[place]
                    return fault
        return None

    def download(self, seen: Seen) -> tuple[int, bytes]:
        """Answer the host of results, which takes no key."""
        if "authorization" in seen.headers:
            return 400, b"<Error><Code>InvalidArgument</Code></Error>"
        if self.stale > 0:
            self.stale -= 1
            return 403, b"<Error><Code>AccessDenied</Code></Error>"
        if ".png" in seen.path:
            return 200, PNG
        if ".fbx" in seen.path:
            return 200, FBX
        return 200, self.meshes.pop(0) if self.meshes else self.mesh

    def _create(self, seen: Seen, found: re.Match[str]) -> Any:
        body, kind = _body_of(seen), found[1]
        options = dict(body)
        if kind == SINGLE:
            images = [options.pop("image_url", None)]
        else:
            images = options.pop("image_urls", None)
            if not isinstance(images, list) or not 1 <= len(images) <= 4:
                raise Refused(400, "image_urls must contain between 1 and 4 images")
        if images[0] is None:
            raise Refused(400, "Either image_url or input_task_id must be provided")
        check_order(options, images)
        if self.balance < price_of(options):
            raise Refused(402, "Insufficient credits to perform this task.")
        if sum(not task.polls for task in self.creates) >= self.most_queued:
            raise Refused(429, "NoMoreConcurrentTasks")
        task = FakeTask(str(uuid.uuid4()), kind, body, price_of(options), 0, self._clock())
        self.tasks[task.id] = task
        self.balance -= task.price
        return {"result": task.id}

    def _clock(self) -> float:
        return time.time() + self.now

    def _task(self, kind: str, name: str) -> FakeTask:
        task = self.tasks.get(name)
        if task is None or task.kind != kind or self._clock() > task.created + LIFE:
            raise Refused(404, "Task not found")
        return task

    def _state(self, task: FakeTask, *, step: int = 1) -> dict[str, Any]:
        """Return a task, and let its next poll find it `step` states on."""
        state = dict(self.states[min(task.polls, len(self.states) - 1)])
        task.polls += step
        reply = {
            "id": task.id,
            "type": task.kind,
            "progress": 0,
            "created_at": int(task.created * 1000),
            "started_at": 0,
            "finished_at": 0,
            "expires_at": int((task.created + LIFE) * 1000),
            "texture_prompt": task.body.get("texture_prompt", ""),
            "preceding_tasks": 0,
            "task_error": {"message": ""},
            "consumed_credits": task.price,
        }
        if state["status"] == "SUCCEEDED":
            endings = task.body.get("target_formats", ["glb", "obj", "fbx", "stl", "usdz"])
            reply["model_urls"] = {end: self._link(task, f"model.{end}") for end in endings}
            reply["thumbnail_url"] = self._link(task, "preview.png")
        if state["status"] == "FAILED":
            reply["consumed_credits"] = 0
        return reply | state

    def _link(self, task: FakeTask, name: str) -> str:
        """Return a signed address of a result, new with each poll."""
        return f"{self.files_url}/tasks/{task.id}/output/{name}?Expires={task.polls}"

    def _list(self, seen: Seen, found: re.Match[str]) -> Any:
        query = {name: values[0] for name, values in parse_qs(urlsplit(seen.path).query).items()}
        number, size = int(query.pop("page_num", "1")), int(query.pop("page_size", "10"))
        order = query.pop("sort_by", "-created_at")
        if number < 1 or not 1 <= size <= 50 or order[1:] != "created_at" or query:
            raise Refused(400, "Invalid pagination")
        tasks = sorted(
            (task for task in self.creates if task.kind == found[1]),
            key=lambda task: task.created,
            reverse=order[0] == "-",
        )
        return [self._state(task, step=0) for task in tasks[(number - 1) * size : number * size]]

    def _delete(self, seen: Seen, found: re.Match[str]) -> Any:
        task = self._task(*found.groups())
        status = self._state(task, step=0)["status"]
        if status == "IN_PROGRESS":
            raise Refused(409, "The task is in progress and cannot be deleted")
        del self.tasks[task.id]
        self.balance += task.price * (status == "PENDING")
        return None


@contextlib.contextmanager
def serving(fake: Meshy | None = None) -> Iterator[Meshy]:
    """Serve the API and the host of results on two free loopback ports while the block runs."""
    fake = fake or Meshy()
    with (
        loopback.serve(_Handler, poll=0.005, fake=fake, host="api") as fake.url,
        loopback.serve(_Handler, poll=0.005, fake=fake, host="files") as fake.files_url,
    ):
        yield fake


def _body_of(seen: Seen) -> dict[str, Any]:
    """Return a body of JSON; refuses any other body."""
    if seen.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refused(400, "Content-Type must be application/json")
    try:
        body = json.loads(seen.body)
    except ValueError as error:
        raise Refused(400, "The body is malformed") from error
    if not isinstance(body, dict):
        raise Refused(400, "The body is no object")
    return body


class _Handler(loopback.Handler):
    fake: Meshy
    host: str
    wbufsize = -1  # head and body in one piece: two would wait for each other's acknowledgment

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.host, self.command, self.path, headers, body)
        self.fake.requests.append(seen)
        fault = self.fake.next_fault(seen)
        if fault is not None:
            return self._go_wrong(fault, seen)
        if self.host == "files":
            return self._send(*self.fake.download(seen), {})
        return self._answer(seen)

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _go_wrong(self, fault: Fault, seen: Seen) -> None:
        if fault.done:
            self.fake.answer(seen)
        if fault.drop:
            self.close_connection = True
            self.connection.close()
            return
        text = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
        self._send(fault.status, text.encode(), fault.headers)

    def _answer(self, seen: Seen) -> None:
        try:
            status, reply = self.fake.answer(seen)
            headers: Mapping[str, str] = {}
        except Refused as no:
            status, reply, headers = no.status, {"message": no.message}, no.headers
        data = b"" if reply is None else json.dumps(reply).encode()
        self._send(status, data, {"Content-Type": "application/json", **headers})

    def _send(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def _place(size: int) -> Iterator[Place]:
    fake = Meshy()
    fake.mesh, fake.most_queued, fake.balance = big_glb(size), 10**6, 10**9
    with serving(fake):
        yield Place(
            {"provider": "meshy", "url": fake.base, "keys": {"meshy_api_key": KEY}},
            "/image-to-3d",
            lambda: len(fake.creates),
            lambda: len(fake.calls(r"GET .*\.glb")),
            fake.mesh,
            fake.tasks.clear,
            lists=True,
            lists_images=False,
        )


PLACES = {"meshy": _place}
