# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the fake Scenario: its answers, its faults and the requests it received."""

from __future__ import annotations

import base64
import itertools
import json
import re
from dataclasses import dataclass, field
from typing import Any

from .glb import triangle_glb
from .png import png_of

KEY = "api_MarkedKey77Quetzal"
SECRET = "MarkedSecret88Axolotl"
BASIC = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
FBX = b"Kaydara FBX Binary  \0\x1a\0" + bytes(200)


@dataclass
class Seen:
    """A received request."""

    host: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass
class Fault:
    """An answer in place of the real one. `drop` cuts the connection before or after the work."""

    method: str
    path: str
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    drop: str = ""


@dataclass
class Outcome:
    """The course of jobs: the status of each poll, and the contents of the last one."""

    script: tuple[str, ...] = ("queued", "success")
    metadata: dict[str, Any] = field(default_factory=dict)
    billing: dict[str, Any] | None = field(
        default_factory=lambda: {"cuCost": 45, "cuDiscount": 5}  # as Scenario bills
    )


@dataclass
class ScenarioFake:
    """The state of the fake: its answers, its faults and the requests it received."""

    outcome: Outcome = field(default_factory=Outcome)
    faults: list[Fault] = field(default_factory=list)
    cancel_refused: bool = False
    cancel_late: bool = False
    dry_run_wants_assets: bool = False
    conversion_refused: bool = False
    upload_script: tuple[str, ...] = ("validating", "validated", "complete", "imported")
    upload_names_job: bool = False
    submit_takes: float = 0.0
    url: str = ""
    storage: str = ""
    requests: list[Seen] = field(default_factory=list)
    submits: list[dict[str, Any]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    assets: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    conversions: list[tuple[str, str]] = field(default_factory=list)
    limits: dict[str, Any] = field(default_factory=dict)
    stale: int = 0
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    asset_numbers: itertools.count[int] = field(default_factory=itertools.count)
    """Numbers for jobs and assets; parallel requests get different ones."""

    def calls(self, method: str, path: str) -> list[Seen]:
        """Return the requests of a method whose path matches."""
        seen = list(self.requests)
        return [item for item in seen if item.method == method and re.fullmatch(path, item.path)]

    def signed_address(self, path: str) -> str:
        """Return an address of the storage; the next `stale` ones have expired already."""
        signature = "expired" if self.stale else "valid"
        self.stale = max(self.stale - 1, 0)
        return f"{self.storage}{path}?Policy=eyJ&Signature={signature}&Key-Pair-Id=K1"

    def add_asset(self, name: str, data: bytes, mime: str, kind: str, **more: Any) -> str:
        """Put a file into the library."""
        asset = f"asset_{name}{next(self.asset_numbers):018d}"
        self.files[asset] = data
        self.assets[asset] = {"id": asset, "kind": kind, "mimeType": mime, "status": "success"}
        self.assets[asset] |= {"source": "uploaded", "metadata": {"kind": kind}, **more}
        return asset

    def add_result(self, data: bytes, mime: str, kind: str = "3d", **more: Any) -> str:
        """Add an asset that jobs return as a result."""
        metadata = {"kind": kind, "type": "img23d" if kind == "3d" else "unknown"}
        more = {"source": metadata["type"], "metadata": metadata, **more}
        asset = self.add_asset("result", data, mime, kind, **more)
        self.outcome.metadata.setdefault("assetIds", []).append(asset)
        return asset


def usual_results(fake: ScenarioFake) -> None:
    """Give jobs the results of Tripo 3.1: a GLB and a picture of it."""
    fake.add_result(png_of(8, 8), "image/png", "image")
    fake.add_result(triangle_glb(5), "model/gltf-binary")
