# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's API v2 on loopback, as strict as its own page and tripo3d 0.4.2 say (2025, 2026)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

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

NEWER = ("v3.1-20260211", "v3.0-20250812")
MIDDLE = ("v2.5-20250123", "v2.0-20240919", "Turbo-v1.0-20250506")
OLD = ("v1.4-20240625", "v1.3-20240522")
P1 = "P1-20260311"
MULTIVIEW = (P1, *NEWER, "v2.5-20250123", "v2.0-20240919")
STYLES = (
    "person:person2cartoon",
    "animal:venom",
    "object:clay",
    "object:steampunk",
    "object:christmas",
    "object:barbie",
    "gold",
    "ancient_bronze",
)
FIELDS: Mapping[str, Judge] = {
    **SHARED,
    "model_version": one_of(P1, *NEWER, *MIDDLE, *OLD),
    "style": one_of(*STYLES),
}
ANY_MODEL = frozenset({"model_version", "model_seed", "enable_image_autofix"})
PICTURES = frozenset({"png", "jpeg", "webp"})


class TripoV2(FakeTripo):
    """Tripo v2, or a gateway that speaks it; `knows_sts`: whether it has the newer upload."""

    prefix = "/v2/openapi"
    no_key = 1002

    def __init__(self) -> None:
        super().__init__()
        self.knows_sts = True

    def routes(self) -> Mapping[str, Any]:
        """Return the handlers of v2's requests."""
        known = {
            r"POST /v2/openapi/upload": self._upload,
            r"POST /v2/openapi/task": self._task,
            r"GET /v2/openapi/task/([^/]+)": lambda seen, found: self.task_state(found[1]),
            r"GET /v2/openapi/user/balance": self._balance,
        }
        newer = {r"POST /v2/openapi/upload/sts": self._upload} if self.knows_sts else {}
        return {**known, **newer}

    def task_state(self, identity: str) -> dict[str, Any]:
        """Return the state of a task, with all the fields that v2 always has."""
        unknown = {"create_time": 1763600000, "running_left_time": -1, "queuing_num": -1}
        return {**unknown, **super().task_state(identity)}

    def result_fields(self, task: FakeTask) -> dict[str, Any]:
        """Return v2's links: with material maps, the plain model is missing."""
        ending = "fbx" if task.body.get("quad") else "glb"
        textured = task.body.get("pbr", True)
        output = {"rendered_image": self.link(task, "rendered.webp")}
        output["base_model"] = self.link(task, f"base.{ending}")
        output["pbr_model" if textured else "model"] = self.link(task, f"whole.{ending}")
        return {"output": output, "consumed_credit": 30, "running_left_time": 0}

    def _upload(self, seen: Seen, _: re.Match[str]) -> Any:
        return {"image_token": self.keep_upload(seen, str(uuid.uuid4()), PICTURES)}

    def _task(self, seen: Seen, _: re.Match[str]) -> Any:
        body = body_of(seen)
        kind = body.pop("type", None)
        if kind == "image_to_model":
            self._check_file(body.pop("file", None))
            self._check_options(body, {**FIELDS, "enable_image_autofix": boolean})
        elif kind == "multiview_to_model":
            self._check_files(body.pop("files", None))
            self._check_options(body, FIELDS)
            if body.get("model_version", "v2.5-20250123") not in MULTIVIEW:
                raise Refused(400, 2017, "the version is not supported for multiview")
        else:
            raise Refused(400, 2002, "the task type is not supported")
        return {"task_id": self.make_task(kind, body_of(seen)).id}

    def _check_files(self, files: Any) -> None:
        if not isinstance(files, list) or len(files) != 4 or not files[0]:
            raise Refused(400, 1004, "files must be exactly four, the front one first")
        given = [file for file in files if file]
        if len(given) < 2:
            raise Refused(400, 1004, "two views are required")
        for item in given:
            self._check_file(item)

    def _check_file(self, file: Any) -> None:
        if not isinstance(file, dict) or not isinstance(file.get("type"), str):
            raise Refused(400, 1004, "file is missing")
        named = {name: file[name] for name in ("file_token", "url", "object") if name in file}
        if len(named) != 1 or set(file) - {"type", *named}:
            raise Refused(400, 1004, "file_token, url and object are mutually exclusive")
        if not named.get("url", "https://").startswith("https://"):
            raise Refused(400, 1004, "the url is not valid")
        if named.get("file_token", "") not in {"", *self.uploads}:
            raise Refused(404, 2019, "the file is not found")

    def _check_options(self, body: dict[str, Any], known: Mapping[str, Judge]) -> None:
        check_fields(body, known)
        version = body.get("model_version", "v2.5-20250123")
        if version == P1:
            check_p1(body)
        if version in OLD and set(body) - ANY_MODEL:
            raise Refused(400, 1004, f"{version} has no such options")
        if "geometry_quality" in body and version not in NEWER:
            raise Refused(400, 1004, f"{version} has no geometry_quality")
        check_together(body, (1000, 16_000), (500, 8000))

    def _balance(self, seen: Seen, _: re.Match[str]) -> Any:
        return {"balance": self.balance, "frozen": 0}


PLACES = {"tripo_v2": lambda size: place_at(TripoV2(), "tripo_v2", "/task", size, lists=False)}
