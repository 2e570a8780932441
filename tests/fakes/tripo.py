# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's API v3 on loopback, as strict as its migration guide and tripo3d 1.0.0 say (2026-11)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .tripo_fields import (
    SHARED,
    Judge,
    boolean,
    check_fields,
    check_p1,
    check_together,
    one_of,
)
from .tripo_server import FakeTask, FakeTripo, Refused, Seen, body_of, place_at

MODELS = (
    "v3.1-20260211",
    "v3.0-20250812",
    "v2.5-20250123",
    "P1-20260311",
    "P2-20260801",
)
NEW_TEXTURES = "v3.5-20260815"
FIELDS: Mapping[str, Judge] = {
    **SHARED,
    "model": lambda value: isinstance(value, str),
    "texture_quality": one_of("standard", "detailed", "extreme", "fast"),
    "texture_version": one_of(NEW_TEXTURES, "v3.0-20250812", "v2.5-20250123"),
    "delight": boolean,
    "export_orientation": one_of("+x", "-x", "+y", "-y"),
    "enable_image_autofix": boolean,
}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PICTURES = frozenset({"png", "jpeg", "webp", "bmp", "tiff"})
VIEWS = ("front", "left", "back", "right")


class TripoV3(FakeTripo):
    """The fake of Tripo's API v3."""

    prefix = "/v3"

    def __init__(self) -> None:
        super().__init__()
        self.promised: set[str] = set()
        self.upload_name = "presigned_url"

    def routes(self) -> Mapping[str, Any]:
        """Return the handlers of v3's requests."""
        return {
            r"POST /v3/files": self._upload,
            r"POST /v3/files/presign": self._presign,
            r"POST /v3/generation/image-to-model": self._image_to_model,
            r"POST /v3/generation/multiview-to-model": self._multiview_to_model,
            r"GET /v3/tasks/([^/]+)": lambda seen, found: self.task_state(found[1]),
            r"POST /v3/tasks/list": self._list,
            r"GET /v3/account/balance": self._balance,
            r"GET /v3/account/usage": self._usage,
        }

    def result_fields(self, task: FakeTask) -> dict[str, Any]:
        """Return the one link of v3, a rendered picture and the price."""
        quads = task.body.get("quad")
        return {
            "output": {
                "model_url": self.link(task, "quads.fbx" if quads else "tripo_pbr_model.glb"),
                "rendered_image_url": self.link(task, "rendered.webp"),
            },
            "created_at": "2026-11-20T00:00:00Z",
            "completed_at": "2026-11-20T00:01:30Z",
            "credits_consumed": 30,
            "error_code": None,
            "error_message": None,
        }

    def take_put(self, seen: Seen) -> tuple[int, bytes]:
        """Accept an upload at a presigned address, once."""
        token = seen.path.partition("?")[0].rpartition("/")[2]
        kind = seen.headers.get("content-type", "")
        if token not in self.promised or not kind.startswith("image/"):
            return super().take_put(seen)
        self.promised.discard(token)
        self.uploads[token] = seen.body
        return 200, b""

    def _upload(self, seen: Seen, _: re.Match[str]) -> Any:
        return {"file_token": self.keep_upload(seen, f"file_{uuid.uuid4()}", PICTURES)}

    def _presign(self, seen: Seen, _: re.Match[str]) -> Any:
        body = body_of(seen)
        if set(body) != {"format"} or body["format"] not in (*PICTURES, "jpg"):
            raise Refused(400, 1004, "invalid format")
        token = f"file_{uuid.uuid4()}"
        self.promised.add(token)
        url = f"{self.files_url}/upload/{token}?X-Amz-Signature=1"
        return {self.upload_name: url, "file_token": token, "expires_in": 3600}

    def _image_to_model(self, seen: Seen, _: re.Match[str]) -> Any:
        body = body_of(seen)
        given = {name: body.pop(name) for name in ("input", "file") if name in body}
        if len(given) != 1:
            raise Refused(400, 1004, "one of input and file is required")
        self._check_input(next(iter(given.values())))
        self._check_options(body, FIELDS)
        return self._create_task("image_to_model", seen)

    def _multiview_to_model(self, seen: Seen, _: re.Match[str]) -> Any:
        body = body_of(seen)
        given = {name: body.pop(name) for name in ("inputs", "files") if name in body}
        if len(given) != 1:
            raise Refused(400, 1004, "inputs is required")
        views = _views(**given)
        if "front" not in views or len(views) < 2:
            raise Refused(400, 1004, "the front view and one more are required")
        for value in views.values():
            self._check_input(value)
        self._check_options(body, {**FIELDS, "orthographic_projection": boolean})
        return self._create_task("multiview_to_model", seen)

    def _create_task(self, kind: str, seen: Seen) -> Any:
        task = self.make_task(kind, body_of(seen))
        return {"task_id": task.id, "type": kind, "status": "queued"}

    def _check_input(self, value: Any) -> None:
        if isinstance(value, dict):
            found = [value[name] for name in ("url", "file_token") if name in value]
            value = found[0] if len(found) == 1 else None
        if not isinstance(value, str):
            raise Refused(400, 1004, "file must specify url, object, or file_token")
        if value.startswith("https://") or value in self.uploads:
            return
        if UUID.fullmatch(value):
            raise Refused(404, 2001, "task not found")
        raise Refused(400, 1004, "invalid input: no https URL and no living file token")

    def _check_options(self, body: dict[str, Any], known: Mapping[str, Judge]) -> None:
        model = body.get("model")
        if model not in MODELS:
            allowed = ", ".join(MODELS)
            raise Refused(400, 1004, f"invalid model '{model}', allowed values: {allowed}")
        check_fields(body, known)
        if model.startswith("P"):
            check_p1(body)
        if "geometry_quality" in body and not model.startswith("v3"):
            raise Refused(400, 1004, f"geometry_quality is not supported by {model}")
        if body.get("texture_version") != NEW_TEXTURES and (
            body.get("texture_quality") == "fast" or "delight" in body
        ):
            raise Refused(400, 1004, "only v3.5 textures take that")
        check_together(body, (500, 20_000), (500, 10_000))

    def _list(self, seen: Seen, _: re.Match[str]) -> Any:
        asked = body_of(seen)["task_ids"]
        known = {request: self.task_state(request) for request in asked if request in self.tasks}
        return {"tasks": known, "missed": [request for request in asked if request not in known]}

    def _balance(self, seen: Seen, _: re.Match[str]) -> Any:
        return {"balance": self.balance, "frozen": 6.78}

    def _usage(self, seen: Seen, _: re.Match[str]) -> Any:
        rows = [
            {
                "task_id": create.id,
                "type": create.kind,
                "status": "success",
                "created_at": create.created,
                "credits_consumed": 30,
            }
            for create in reversed(self.creates)
        ]
        query = parse_qs(urlsplit(seen.path).query)
        limit, offset = (int(query.get(name, [usual])[0])
                         for name, usual in (("limit", "50"), ("offset", "0")))  # fmt: skip
        if not 1 <= limit <= 200 or offset < 0:
            raise Refused(400, 1004, "limit is at most 200")
        return {"items": rows[offset : offset + limit]}


def _views(inputs: Any = None, files: Any = None) -> dict[str, Any]:
    """Read views in every form in which they may be sent: positions, names, v2's four slots."""
    given = files if inputs is None else inputs
    if not isinstance(given, list) or len(given) > 4:
        raise Refused(400, 1004, "inputs must be a list of at most four")
    if files is not None and len(files) != 4:
        raise Refused(400, 1004, "files must have exactly four slots")
    named: dict[str, Any] = {}
    for item in given:
        if isinstance(item, dict) and set(item) <= set(VIEWS):
            named |= item
    if named:
        if list(named) != [view for view in VIEWS if view in named] or len(named) != len(given):
            raise Refused(400, 1004, "views must be named once, in order")
        return named
    return {view: item for view, item in zip(VIEWS, given, strict=False) if item}


PLACES = {
    "tripo": lambda size: place_at(
        TripoV3(), "tripo", "/generation/image-to-model", size, lists=True
    ),
}
