# SPDX-License-Identifier: GPL-3.0-or-later
"""What Scenario answers (its API v1 as of scenario-sdk 2.4.0, November 2026)."""

# ruff: noqa: N815 - the fields are named as Scenario names them

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from .._shared.adapters import parse_reply
from .._shared.errors import BadReply, Failed, ImageToMeshError
from .._shared.http.addresses import ending_of, segment
from .errors import refusal, said

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

T = TypeVar("T")

DEAREST = 1e9
"""Compute Units that nothing costs: a number that is none."""

ENDS = {
    **dict.fromkeys(("success", "succeeded", "completed"), "done"),
    **dict.fromkeys(("failure", "failed", "error"), "failed"),
    **dict.fromkeys(("canceled", "cancelled"), "cancelled"),
}
"""Documented are success, failure and canceled; Scenario's own plug-in knows the others, too."""
PHASES = {
    "queued": "Waiting in the queue",
    "pending": "Waiting in the queue",
    "warming-up": "Warming up",
    "in-progress": "In progress",
    "finalizing": "Finalizing",
}
FORMATS = {
    "model/gltf-binary": "glb",
    "model/glb": "glb",
    "model/x-fbx": "fbx",
    "application/vnd.autodesk.fbx": "fbx",
    "application/x.autodesk.fbx": "fbx",
    "model/obj": "obj",
    "model/stl": "stl",
    "model/ply": "ply",
    "model/vnd.usdz+zip": "usdz",
}


@dataclass(frozen=True, slots=True)
class Billing:
    """What a job cost: `cuCost` is the model alone, `cuCostDetails` the team's add-ons."""

    cuCost: float
    cuDiscount: float = 0.0
    cuCostDetails: dict[str, float] = field(default_factory=dict)
    disableRefund: bool = False

    @property
    def total(self) -> float:
        """The Compute Units that were charged."""
        return self.cuCost - self.cuDiscount + sum(self.cuCostDetails.values())


@dataclass(frozen=True, slots=True)
class JobMetadata:
    """What came of a job."""

    assetIds: tuple[str, ...] = ()
    error: str = ""
    hint: str = ""
    input: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A task of Scenario."""

    jobId: str
    status: str = "queued"
    progress: float | None = None
    metadata: JobMetadata = JobMetadata()
    billing: Billing | None = None

    @property
    def end(self) -> str:
        """How it ended: done, failed or cancelled; empty while it goes on."""
        return ENDS.get(self.status, "")

    @property
    def phase(self) -> str:
        """What it does, for people; a status that nobody documents is shown as it is."""
        return PHASES.get(self.status) or self.status.replace("-", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Link:
    """Another asset's address."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class AssetMetadata:
    """How an asset came about."""

    type: str = ""
    outputIndex: float = 0.0
    seed: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in Scenario's library. Its addresses are signed and soon expire."""

    id: str
    url: str = ""
    kind: str = ""
    mimeType: str = ""
    status: str = "success"
    source: str = ""
    metadata: AssetMetadata = AssetMetadata()
    properties: dict[str, Any] = field(default_factory=dict)
    preview: Link = Link()
    thumbnail: Link = Link()
    originalFileUrl: str = ""
    originalMimeType: str = ""

    @property
    def textures(self) -> bool:
        """Whether it is only a part of a mesh's material."""
        return "texture" in f"{self.metadata.type} {self.source}"

    @property
    def is_mesh(self) -> bool:
        """Whether it is a mesh."""
        return (self.kind == "3d" or self.mimeType in FORMATS) and not self.textures

    @property
    def made_from_picture(self) -> bool:
        """Whether it is what the model was asked for."""
        return "img23d" in (self.metadata.type, self.source)

    def places(self) -> Iterator[tuple[str, str]]:
        """Yield (address, format) of the file, and of the one that it was converted from."""
        if self.originalFileUrl:
            yield self.originalFileUrl, FORMATS.get(self.originalMimeType, "")
        if self.url:
            ending = ending_of(self.url)
            named = str(self.properties.get("format", "")).lower()
            guess = next((one for one in (named, ending) if one in FORMATS.values()), "")
            yield self.url, FORMATS.get(self.mimeType, guess)


@dataclass(frozen=True, slots=True)
class Part:
    """Where the piece of an upload with this number goes."""

    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A large file on its way to becoming an asset."""

    id: str
    status: str = "pending"
    parts: tuple[Part, ...] = ()
    entityId: str = ""
    jobId: str = ""
    errorMessage: str = ""


@dataclass(frozen=True, slots=True)
class OneShot:
    """Compute Units that were bought besides the plan's."""

    remaining: float = 0.0
    expiration: str = ""

    @property
    def expired(self) -> bool:
        """Whether they can no longer be used; both dates are UTC, so they sort as text."""
        return bool(self.expiration) and self.expiration < datetime.now(UTC).isoformat()


@dataclass(frozen=True, slots=True)
class Units:
    """One figure of a plan."""

    creativeUnits: float


@dataclass(frozen=True, slots=True)
class TeamLimits:
    """What a team's plan gives for the period, and what it has used."""

    limits: Units
    values: Units
    oneShotCreativeUnits: tuple[OneShot, ...] = ()

    @property
    def left(self) -> float:
        """The Compute Units that can still be spent: of the plan, and bought besides."""
        bought = sum(one.remaining for one in self.oneShotCreativeUnits if not one.expired)
        return max(self.limits.creativeUnits - self.values.creativeUnits, 0.0) + bought


@dataclass(frozen=True, slots=True)
class Price:
    """What a dry run says; `creativeUnitsCost` is what would be billed, after the discount."""

    creativeUnitsCost: float


def part_of(reply: Reply, name: str, model: type[T]) -> T:
    """Read the one part of a reply that answers; an error in its place is raised as what it is."""
    body = reply.json
    if name not in body and said(reply):
        raise refusal(reply, otherwise=Failed)
    return parse_reply(model, _without_nulls(body.get(name)), f"Scenario's {name}")


def parse_body(reply: Reply, model: type[T], what: str) -> T:
    """Read a reply that is itself what was asked for."""
    return parse_reply(model, _without_nulls(reply.json), f"Scenario's {what}")


def job_of(reply: Reply) -> Job:
    """Read a job."""
    found = parse_job_id(reply, Failed)
    job = reply.json.get("job") or reply.json
    return parse_reply(Job, _without_nulls({**job, "jobId": found}), "Scenario's job")


def parse_job_id(reply: Reply, otherwise: type[ImageToMeshError]) -> str:
    """Return a job's id, which has three places where it may stand, and nothing else of it."""
    body = reply.json if isinstance(reply.json, dict) else {}
    job = body.get("job") or body
    found = job.get("jobId") or job.get("id") if isinstance(job, dict) else None
    if found and isinstance(found, str | int) and not isinstance(found, bool):
        segment(str(found))  # guard: job-can-be-asked-for
        return str(found)
    if body and said(reply):
        raise refusal(reply, otherwise=otherwise)
    raise BadReply("Scenario's answer names no job.", "Look for it at app.scenario.com.")


def quoted_cost(reply: Reply) -> float | None:
    """Return the price that the answer to an order names, if it does."""
    told = reply.json.get("creativeUnitsCost")
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    return told if is_number and abs(told) < DEAREST else None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return value
