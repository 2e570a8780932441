# SPDX-License-Identifier: GPL-3.0-or-later
"""fal on loopback: its queue, storage, account and descriptions of models, with faults on demand.

One address stands for all of fal's own hosts. Its files are on another port, which refuses requests
with a key. Sources: fal-client 1.0.3 and fal's documentation, as of November 2026; where those
leave room, it is as strict as possible.
"""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from . import loopback
from .fal_models import inputs, objection, result_of
from .faulty import FaultyHandler, Refused
from .files import big_glb
from .glb import triangle_glb
from .place import Place
from .png import png_of
from .scenario_state import Fault, Seen

KEY = "1f0c4e5d-marked-4a4a-8b8b-key77:MarkedSecret88Axolotl"
DONE = "COMPLETED"
PAGE = "<html><body>nginx</body></html>"


@dataclass
class Order:
    """A request in the queue."""

    id: str
    model: str
    inputs: dict[str, Any]
    headers: dict[str, str]
    sent_at: str
    polls: int = 0
    cancelled: bool = False

    @property
    def app(self) -> str:
        """The part of the model's id at which the queue knows the request."""
        return "/".join(self.model.split("/")[:2])


@dataclass
class Fal:
    """The state of fal: what it answers, the faults to come, and what it received.

    `script` has the state of each poll. `error` and `error_type` end an order without a result,
    and `refusal` is the answer to the question for the result. `output` replaces the usual one.
    """

    url: str = ""
    media: str = ""
    shown: str = ""
    """The host in the addresses that the queue returns; by default its own."""
    mesh: bytes = field(default_factory=triangle_glb)
    script: tuple[str, ...] = ("IN_QUEUE", "IN_PROGRESS", DONE)
    position: int = 2
    error: Any = None
    error_type: str = ""
    refusal: tuple[int, Any] | None = None
    output: dict[str, Any] | None = None
    locked: str = ""
    may_read_billing: bool = True
    balance: Any = 24.5
    lists: bool = True
    takes_keyed_uploads: bool = False
    """Whether the storage of the files takes a key, which fal's own client sends there."""
    openapi: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Seen] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)

    def calls(self, method: str, path: str) -> list[Seen]:
        """Return the requests of a method whose path matches."""
        return [item for item in list(self.requests)
                if item.method == method and re.fullmatch(path, item.path)]  # fmt: skip


@contextlib.contextmanager
def serving(fake: Fal | None = None) -> Iterator[Fal]:
    """Serve fal and its files on free loopback ports while the block runs."""
    fake = fake or Fal()
    with (
        loopback.serve(_Api, fake=fake, host="api") as fake.url,
        loopback.serve(_Media, fake=fake, host="media") as fake.media,
    ):
        fake.shown = fake.shown or fake.url
        yield fake


class _Media(FaultyHandler):
    """The host of the files, which gets no key."""

    fake: Fal

    def _answer(self) -> tuple[int, Any]:
        is_taken = self.command == "PUT" and self.fake.takes_keyed_uploads
        if "authorization" in self.seen.headers and not is_taken:
            raise Refused(400, "InvalidArgument: only one auth mechanism allowed")
        if self.command == "PUT":
            return self._store()
        name = self.seen.path.removeprefix("/files/")
        if name.endswith(".png"):
            return 200, png_of(8, 8)
        return 200, self.fake.files.get(f"{self.fake.media}{self.seen.path}", self.fake.mesh)

    def _store(self) -> tuple[int, Any]:
        name = self.seen.path.removeprefix("/upload/")
        kind = "image/" + name.rpartition(".")[2]
        if self.seen.query.get("signature") != "valid":
            raise Refused(403, "SignatureDoesNotMatch")
        if self.seen.headers.get("content-type") != kind or not self.seen.body:
            raise Refused(403, "SignatureDoesNotMatch: Content-Type")
        self.fake.files[f"{self.fake.media}/files/{name}"] = self.seen.body
        return 200, ""


class _Api(FaultyHandler):
    """All hosts of fal's own."""

    fake: Fal

    def _answer(self) -> tuple[int, Any]:
        path = self.seen.path
        if path == "/api/openapi/queue/openapi.json":
            return self._openapi()
        if self.seen.headers.get("authorization") != f"Key {KEY}":
            raise Refused(401, {"detail": "Cannot access application. Authentication is required"})
        if path.startswith("/v1/"):
            return self._platform(path)
        if self.fake.locked and self.command != "GET":
            raise Refused(403, {"detail": f"User is locked. Reason: {self.fake.locked}"})
        if path == "/storage/upload/initiate" and self.command == "POST":
            return self._initiate()
        found = re.fullmatch(r"/(.+?)/requests/([^/]+)(/status|/cancel)?", path)
        if found:
            return self._request(*found.groups())
        return self._order(path.strip("/"))

    def _openapi(self) -> tuple[int, Any]:
        if "authorization" in self.seen.headers:
            raise Refused(400, {"detail": "a key was given away"})
        document = self.fake.openapi.get(self.seen.query.get("endpoint_id", ""))
        return (200, document) if document else (404, {"detail": "Not found"})

    def _initiate(self) -> tuple[int, Any]:
        wanted = self.seen.json
        if set(wanted) != {"file_name", "content_type"} or "/" in wanted["file_name"]:
            raise Refused(422, {"detail": [{"loc": ["body"], "msg": "bad", "type": "missing"}]})
        if self.seen.query != {"storage_type": "gcs"}:
            raise Refused(400, {"detail": "unknown storage_type"})
        life = json.loads(self.seen.headers.get("x-fal-object-lifecycle-preference", "{}"))
        if not isinstance(life.get("expiration_duration_seconds", 1), int):
            raise Refused(422, {"detail": "expiration_duration_seconds"})
        name = f"{len(self.fake.files)}_{wanted['file_name']}"
        target = f"{self.fake.media}/upload/{name}?signature=valid"
        return 200, {"upload_url": target, "file_url": f"{self.fake.media}/files/{name}"}

    def _order(self, model: str) -> tuple[int, Any]:
        if self.command != "POST":
            raise Refused(405, {"detail": "Method Not Allowed"})
        if model not in inputs() and model not in self.fake.openapi:
            raise Refused(404, {"detail": f"Application '{model.split('/')[-1]}' not found"})
        self._check_headers()
        body = self.seen.json
        wrong = objection(model, body, self.fake.files) if model in inputs() else None
        if wrong:
            raise Refused(422, {"detail": [wrong]})
        order = Order(str(uuid.uuid4()), model, body, self.seen.headers, self._now())
        self.fake.orders[order.id] = order
        base = f"{self.fake.shown}/{order.app}/requests/{order.id}"
        return 200, {
            "request_id": order.id,
            "status": "IN_QUEUE",
            "queue_position": self.fake.position,
            "response_url": base,
            "status_url": f"{base}/status",
            "cancel_url": f"{base}/cancel",
        }

    def _check_headers(self) -> None:
        headers = self.seen.headers
        if headers.get("x-fal-queue-priority", "normal") not in ("normal", "low"):
            raise Refused(400, {"detail": "Invalid priority", "error_type": "bad_request"})
        if float(headers.get("x-fal-request-timeout", "9")) <= 1:
            raise Refused(400, {"detail": "Invalid timeout", "error_type": "bad_request"})

    @staticmethod
    def _now() -> str:
        return (datetime.now(UTC) + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")

    def _request(self, app: str, id_: str, part: str | None) -> tuple[int, Any]:
        order = self.fake.orders.get(id_)
        if order is None or app != order.app:
            raise Refused(404, {"detail": "Request not found"})
        if part == "/cancel":
            return self._cancel(order)
        if self.command != "GET":
            raise Refused(405, {"detail": "Method Not Allowed"})
        return self._status(order) if part else self._result(order)

    def _state(self, order: Order) -> str:
        return self.fake.script[min(order.polls, len(self.fake.script) - 1)]

    def _status(self, order: Order) -> tuple[int, Any]:
        state = self._state(order)
        order.polls += 1
        base = f"{self.fake.shown}/{order.app}/requests/{order.id}"
        answer: dict[str, Any] = {"status": state, "request_id": order.id, "response_url": base}
        if state == "IN_QUEUE":
            answer["queue_position"] = self.fake.position
        if state == "IN_PROGRESS":
            answer["logs"] = None
        if state == DONE:
            answer |= {"logs": None, "metrics": {"inference_time": 3.1}}
            answer |= {"error": self.fake.error} if self.fake.error else {}
            answer |= {"error_type": self.fake.error_type} if self.fake.error_type else {}
        return 200 if state == DONE else 202, answer

    def _result(self, order: Order) -> tuple[int, Any]:
        if self._state(order) != DONE and self.fake.script[-1] != DONE:
            raise Refused(400, {"detail": "Request is still in progress"})
        if self.fake.refusal:
            raise Refused(*self.fake.refusal)
        return 200, self.fake.output or result_of(order.model, self.fake.media)

    def _cancel(self, order: Order) -> tuple[int, Any]:
        if self.command != "PUT":
            raise Refused(405, {"detail": "Method Not Allowed"})
        if self._state(order) == DONE:
            raise Refused(400, {"status": "ALREADY_COMPLETED"})
        self.fake.cancelled.append(order.id)
        return 202, {"status": "CANCELLATION_REQUESTED"}

    def _platform(self, path: str) -> tuple[int, Any]:
        query = self.seen.query
        if path == "/v1/account/billing":
            if not self.fake.may_read_billing:
                raise Refused(403, {"error": {"type": "authorization_error", "message": "no"}})
            credits_ = {"current_balance": self.fake.balance, "currency": "USD"}
            return 200, {"username": "me", **({"credits": credits_} if "expand" in query else {})}
        if path == "/v1/models/pricing" and query.get("endpoint_id") in inputs():
            price = {"endpoint_id": query["endpoint_id"], "unit_price": 0.02, "unit": "generations"}
            return 200, {"prices": [{**price, "currency": "USD"}], "has_more": False}
        if path == "/v1/models/requests/by-endpoint" and query.get("endpoint_id"):
            return self._list(query)
        raise Refused(404, {"error": {"type": "not_found", "message": "Not found"}})

    def _list(self, query: dict[str, str]) -> tuple[int, Any]:
        """List the requests that have ended, one a page, from new to old."""
        if not self.fake.lists:
            raise Refused(403, {"error": {"type": "authorization_error", "message": "no"}})
        orders = [item for item in self.fake.orders.values()
                  if item.model == query["endpoint_id"] and self._state(item) == DONE]  # fmt: skip
        at = int(query.get("cursor", "0"))
        rows = [self._row(item, query) for item in reversed(orders)][at : at + 1]
        more = at + 1 < len(orders)
        return 200, {"items": rows, "has_more": more, "next_cursor": str(at + 1) if more else None}

    @staticmethod
    def _row(order: Order, query: dict[str, str]) -> dict[str, Any]:
        payloads = {"json_input": order.inputs} if query.get("expand") == "payloads" else {}
        return {"request_id": order.id, "endpoint_id": order.model, "sent_at": order.sent_at,
                "status_code": 200, **payloads}  # fmt: skip


@contextlib.contextmanager
def place_at(size: int) -> Iterator[Place]:
    """Serve the fake; its meshes have `size` bytes."""
    with serving(Fal(mesh=big_glb(size), script=(DONE,))) as fake:
        yield Place(
            {"provider": "fal", "url": fake.url, "keys": {"fal_api_key": KEY}},
            "/fal-ai/trellis-2",
            lambda: len(fake.orders),
            lambda: len(fake.calls("GET", "/files/.*")),
            fake.mesh,
            fake.orders.clear,
            lists=True,
            # Not an address of its own if the storage did not take it: then orders look alike.
            lists_images=False,
        )


PLACES = {"fal": place_at}
