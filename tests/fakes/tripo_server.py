# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the two fakes of Tripo: two loopback hosts, tasks, faults, received requests.

The sources are those of the fakes (Tripo's migration guide, its v2 pages and SDKs, 2026).
"""

from __future__ import annotations

import abc
import contextlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from . import loopback
from .files import big_glb
from .glb import triangle_glb
from .place import Place

KEY = "tsk_marked-key-0123456789abcdef"
MAGIC = {
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
    b"RIFF": "webp",
    b"BM": "bmp",
    b"II*\0": "tiff",
}
FBX = b"Kaydara FBX Binary  \0" + b"\0" * 64


@dataclass(frozen=True)
class Seen:
    """A request: `host` is `api` or `files`, header names are in lower case."""

    host: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Fault:
    """A failure in place of an answer.

    `drop` closes the connection without one; `done` still does the work before that.
    """

    status: int = 500
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    done: bool = False


class Refused(Exception):
    """The service refuses a request."""

    def __init__(self, status: int, code: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass
class FakeTask:
    """A task: its order, and how often it was polled."""

    id: str
    kind: str
    body: dict[str, Any]
    polls: int = 0
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat())


class FakeTripo(abc.ABC):
    """A Tripo of either version.

    Each poll of a task takes the next of `states`; the last one repeats. `faults` are popped by the
    first request whose method and path match their pattern. Links to results are new with each
    poll; `stale` is the number of next downloads that are refused as expired.
    """

    prefix: ClassVar[str] = ""

    def __init__(self) -> None:
        self.url = self.files_url = ""
        self.requests: list[Seen] = []
        self.uploads: dict[str, bytes] = {}
        self.tasks: dict[str, FakeTask] = {}
        self.faults: list[tuple[str, Fault]] = []
        self.states: list[dict[str, Any]] = [
            {"status": "queued", "progress": 0},
            {"status": "running", "progress": 40},
            {"status": "success", "progress": 100},
        ]
        self.balance: Any = 250.5
        self.most_running = 10
        self.mesh = triangle_glb(5)
        self.stale = 0
        self.keys_on_files = False
        self._lock = threading.Lock()

    # -- for tests ---------------------------------------------------------------------------

    @property
    def base(self) -> str:
        """The address as the user sets it."""
        return self.url + self.prefix

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
        """The tasks that were created and would be charged."""
        return list(self.tasks.values())

    # -- for the server ----------------------------------------------------------------------

    @abc.abstractmethod
    def routes(self) -> Mapping[str, Callable[[Seen, re.Match[str]], Any]]:
        """Return this version's handlers by patterns of “METHOD /path”."""

    @abc.abstractmethod
    def result_fields(self, task: FakeTask) -> dict[str, Any]:
        """Return the fields that a successful task has in addition to its status."""

    no_key: ClassVar[int] = 2
    no_route: ClassVar[int] = 4001

    def answer(self, seen: Seen) -> Any:
        """Return the data of an answer; raises Refused."""
        if seen.headers.get("authorization") != f"Bearer {KEY}":
            raise Refused(401, self.no_key, "Authentication failed")
        for pattern, route in self.routes().items():
            found = re.fullmatch(pattern, f"{seen.method} {seen.path.partition('?')[0]}")
            if found:
                with self._lock:
                    return route(seen, found)
        raise Refused(404, self.no_route, f"No route for {seen.path}")

    def next_fault(self, seen: Seen) -> Fault | None:
        """Remove and return the next fault for this request, if any."""
        with self._lock:
            for place, (pattern, fault) in enumerate(self.faults):
                if re.search(pattern, f"{seen.method} {seen.path}"):
                    del self.faults[place]
                    return fault
        return None

    def keep_upload(self, seen: Seen, token: str, formats: frozenset[str]) -> str:
        """Keep the one part of a form that is named “file”; refuse files that are not images."""
        data, name, kind = form_file(seen)
        if not data:
            raise Refused(400, 2003, "the input file is empty")
        found = next((item for magic, item in MAGIC.items() if data.startswith(magic)), "")
        if found not in formats or kind != f"image/{found}" or not name:
            raise Refused(400, 2004, "the file type is not supported")
        if len(data) > 20_000_000:
            raise Refused(400, 2021, "the file is too large")
        self.uploads[token] = data
        return token

    def make_task(self, kind: str, body: dict[str, Any], no_credits: int = 2010) -> FakeTask:
        """Create the task for a valid order."""
        if float(self.balance) < 20:
            raise Refused(403, no_credits, "You need more credits to do this")
        if len(self.tasks) >= self.most_running:
            raise Refused(429, 2000, "You have too many tasks", Retry_After="7")
        task = FakeTask(str(uuid.uuid4()), kind, body)
        self.tasks[task.id] = task
        return task

    def task_state(self, identity: str) -> dict[str, Any]:
        """Return the state of a task and advance it to the next one."""
        task = self.tasks.get(identity)
        if task is None:
            raise Refused(404, 2001, "task not found")
        state = dict(self.states[min(task.polls, len(self.states) - 1)])
        task.polls += 1
        reply = {"task_id": task.id, "type": task.kind, "input": dict(task.body), "output": {}}
        if state["status"] == "success":
            reply |= self.result_fields(task)
        return reply | state

    def link(self, task: FakeTask, name: str) -> str:
        """Return a signed address of a result, new with each poll."""
        return f"{self.files_url}/{task.id}/{name}?sig={task.polls}"

    def download(self, seen: Seen) -> tuple[int, bytes]:
        """Answer the host of results and uploads, which takes no key."""
        if "authorization" in seen.headers and not self.keys_on_files:
            return 400, b"<Error><Code>InvalidArgument</Code></Error>"
        if seen.method == "PUT":
            return self.take_put(seen)
        if self.stale > 0:
            self.stale -= 1
            return 403, b"<Error><Code>AccessDenied</Code></Error>"
        if ".webp" in seen.path:
            return 200, b"RIFF\x1a\0\0\0WEBPVP8L"
        return 200, FBX if ".fbx" in seen.path else self.mesh

    def take_put(self, seen: Seen) -> tuple[int, bytes]:
        """Accept an upload to a presigned address."""
        return 403, b"<Error><Code>AccessDenied</Code></Error>"


F = TypeVar("F", bound=FakeTripo)


@contextlib.contextmanager
def serving(fake: F) -> Iterator[F]:
    """Serve the API and the host of files on two free loopback ports while the block runs."""
    with (
        loopback.serve(_Handler, poll=0.005, fake=fake, host="api") as fake.url,
        loopback.serve(_Handler, poll=0.005, fake=fake, host="files") as fake.files_url,
    ):
        yield fake


def form_file(seen: Seen) -> tuple[bytes, str, str]:
    """Return data, file name and type of a form's one part, which must be named “file”."""
    fields = loopback.form_fields(seen.headers, seen.body)
    if len(fields) != 1:
        raise Refused(400, 1003, "one part named file is expected")
    if fields[0].name != "file":
        raise Refused(400, 1004, "file is missing")
    return fields[0].data, fields[0].filename, fields[0].content_type


def body_of(seen: Seen) -> dict[str, Any]:
    """Return a body of JSON; refuses any other body."""
    if seen.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refused(415, 1003, "Content-Type must be application/json")
    try:
        body = json.loads(seen.body)
    except ValueError as error:
        raise Refused(400, 1003, "the body is malformed") from error
    if not isinstance(body, dict):
        raise Refused(400, 1003, "the body is no object")
    return body


class _Handler(loopback.Handler):
    fake: FakeTripo
    host: str
    protocol_version = "HTTP/1.1"
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

    def do_PUT(self) -> None:
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
        identity = f"req-{len(self.fake.requests)}"
        try:
            reply: dict[str, Any] = {"code": 0, "status": "success", "data": self.fake.answer(seen)}
            status, headers = 200, {}
        except Refused as no:
            reply = {"code": no.code, "status": "error", "message": no.message}
            status, headers = no.status, no.headers
            reply["request_id"] = identity
        headers = {"X-Request-ID": identity, "Content-Type": "application/json", **headers}
        self._send(status, json.dumps(reply).encode(), headers)

    def _send(self, status: int, data: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def place_at(
    fake: FakeTripo, provider: str, costs: str, size: int, *, lists: bool
) -> Iterator[Place]:
    """Serve a fake to a provider; `costs` is the path of orders, and `size` the mesh's in bytes."""
    fake.mesh, fake.most_running = big_glb(size), 10**6
    with serving(fake):
        yield Place(
            {"provider": provider, "url": fake.base, "keys": {"tripo_api_key": KEY}},
            costs,
            lambda: len(fake.creates),
            lambda: len(fake.calls(r"GET .*\.glb")),
            fake.mesh,
            fake.tasks.clear,
            lists=lists,
        )
