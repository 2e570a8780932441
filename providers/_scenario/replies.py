# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario's responses as dataclasses.

Source: API v1 as of scenario-sdk 2.4.0, November 2026.
"""

# ruff: noqa: N815 - the fields are named as Scenario names them

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from .._shared.adapters import parse_reply
from .._shared.errors import BadReply, Failed, ImageToMeshError
from .._shared.http.addresses import ending_of, segment
from .errors import message_of, refusal

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

T = TypeVar("T")

IMPLAUSIBLE_COST = 1e9
"""Compute Units; a price of at least this many is not plausible."""

ENDS = {
    **dict.fromkeys(("success", "succeeded", "completed"), "done"),
    **dict.fromkeys(("failure", "failed", "error"), "failed"),
    **dict.fromkeys(("canceled", "cancelled"), "cancelled"),
}
"""The final states by Scenario's status.

Only success, failure and canceled are documented; the others occur in Scenario's plug-in.
"""
PHASES = {
    "queued": "Waiting in queue",
    "pending": "Waiting in queue",
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
    """The cost of a job, in Compute Units.

    `cuCost` is for the model, `cuCostDetails` for the team's extras, by name. `cuDiscount` is
    subtracted. If `disableRefund` is set, even a failed or canceled job is charged.
    """

    cuCost: float
    cuDiscount: float = 0.0
    cuCostDetails: dict[str, float] = field(default_factory=dict)
    disableRefund: bool = False

    @property
    def total(self) -> float:
        """The Compute Units that were charged, after the discount."""
        return self.cuCost - self.cuDiscount + sum(self.cuCostDetails.values())


@dataclass(frozen=True, slots=True)
class JobMetadata:
    """The inputs, outputs and error of a job. `hint` is Scenario's advice on the error."""

    assetIds: tuple[str, ...] = ()
    error: str = ""
    hint: str = ""
    input: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A job, which is Scenario's name for a task. `progress` is from 0 to 1, None if unknown."""

    jobId: str
    status: str = "queued"
    progress: float | None = None
    metadata: JobMetadata = JobMetadata()
    billing: Billing | None = None

    @property
    def end(self) -> str:
        """The final state: done, failed or cancelled; empty while the job is running."""
        return ENDS.get(self.status, "")

    @property
    def phase(self) -> str:
        """The status as shown to the user; an unknown status has Scenario's own name."""
        return PHASES.get(self.status) or self.status.replace("-", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to another asset, by its URL; empty if it is missing."""

    url: str = ""


@dataclass(frozen=True, slots=True)
class AssetMetadata:
    """How an asset was created: the type of process, the position in its output, and the seed."""

    type: str = ""
    outputIndex: float = 0.0
    seed: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in Scenario's library. Its URLs are signed, and expire soon."""

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
    def is_texture(self) -> bool:
        """Whether the asset is a texture of a mesh."""
        return "texture" in f"{self.metadata.type} {self.source}"

    @property
    def is_mesh(self) -> bool:
        """Whether the asset is a mesh, and not a texture of a mesh."""
        return (self.kind == "3d" or self.mimeType in FORMATS) and not self.is_texture

    @property
    def made_from_picture(self) -> bool:
        """Whether the asset is the output of image-to-3D, not an input or a conversion."""
        return "img23d" in (self.metadata.type, self.source)

    def downloads(self) -> Iterator[tuple[str, str]]:
        """Yield (URL, format) of the original file, then of the asset's own file.

        A file without a URL is skipped, and an unknown format is "".
        """
        if self.originalFileUrl:
            yield self.originalFileUrl, FORMATS.get(self.originalMimeType, "")
        if self.url:
            ending = ending_of(self.url)
            named = str(self.properties.get("format", "")).lower()
            guess = next((name for name in (named, ending) if name in FORMATS.values()), "")
            yield self.url, FORMATS.get(self.mimeType, guess)


@dataclass(frozen=True, slots=True)
class UploadChunk:
    """A chunk of an upload: its number, counted from 1, and the URL that accepts its bytes."""

    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload, which becomes an asset once Scenario has imported it.

    `entityId` is the id of the asset, and `jobId` that of the import job; both may be empty.
    """

    id: str
    status: str = "pending"
    parts: tuple[UploadChunk, ...] = ()
    entityId: str = ""
    jobId: str = ""
    errorMessage: str = ""


@dataclass(frozen=True, slots=True)
class OneShot:
    """Compute Units bought in addition to the plan."""

    remaining: float = 0.0
    expiration: str = ""

    @property
    def is_expired(self) -> bool:
        """Whether the units have expired; False without a date of expiration.

        Scenario's dates are ISO 8601 in UTC, so they can be compared as strings.
        """
        return bool(self.expiration) and self.expiration < datetime.now(UTC).isoformat()


@dataclass(frozen=True, slots=True)
class Units:
    """An amount of Compute Units."""

    creativeUnits: float


@dataclass(frozen=True, slots=True)
class TeamLimits:
    """The Compute Units of a team: the plan's limit, those used so far, and purchased ones."""

    limits: Units
    values: Units
    oneShotCreativeUnits: tuple[OneShot, ...] = ()

    @property
    def remaining(self) -> float:
        """The Compute Units that can still be spent, from the plan and from purchases."""
        bought = sum(
            purchase.remaining for purchase in self.oneShotCreativeUnits if not purchase.is_expired
        )
        return max(self.limits.creativeUnits - self.values.creativeUnits, 0.0) + bought


@dataclass(frozen=True, slots=True)
class Price:
    """The response to a dry run: the Compute Units to be charged, after the discount."""

    creativeUnitsCost: float


def parse_field(reply: Reply, name: str, model: type[T]) -> T:
    """Parse the field `name` of a response as `model`.

    Raises Scenario's error if the response contains an error instead of the field. Raises BadReply
    if the field is invalid, or if both are missing.
    """
    body = reply.json
    if name not in body and message_of(reply):
        raise refusal(reply, otherwise=Failed)
    return parse_reply(model, _without_nulls(body.get(name)), name)


def parse_body(reply: Reply, model: type[T], name: str) -> T:
    """Parse the whole body of a response as `model`.

    Raises BadReply for an invalid body; the message calls it `name`.
    """
    return parse_reply(model, _without_nulls(reply.json), name)


def job_of(reply: Reply) -> Job:
    """Parse a job, which may be the body itself or its field `job`.

    Raises Scenario's error if the response contains an error instead. Raises BadReply if the job is
    invalid, or if both are missing.
    """
    job_id = parse_job_id(reply, Failed)
    job = reply.json.get("job") or reply.json
    return parse_reply(Job, _without_nulls({**job, "jobId": job_id}), "job")


def parse_job_id(reply: Reply, otherwise: type[ImageToMeshError]) -> str:
    """Return the id of the job in a response.

    Other fields are not parsed: an invalid one must not lose the answer to an order. Raises
    Scenario's error if the response contains an error instead; its class is `otherwise` unless a
    more specific one fits. Raises BadReply if the id is invalid, or if both are missing.
    """
    body = reply.json if isinstance(reply.json, dict) else {}
    job = body.get("job") or body
    job_id = job.get("jobId") or job.get("id") if isinstance(job, dict) else None
    if job_id and isinstance(job_id, str | int) and not isinstance(job_id, bool):
        segment(str(job_id))  # guard: job-can-be-asked-for
        return str(job_id)
    if body and message_of(reply):
        raise refusal(reply, otherwise=otherwise)
    raise BadReply("Scenario's response contains no job ID.", "Check app.scenario.com for the job.")


def quoted_cost(reply: Reply) -> float | None:
    """Return the Compute Units in the answer to an order; None without a plausible number."""
    cost = reply.json.get("creativeUnitsCost")
    # `true` in JSON would count as 1: bool is a subclass of int.
    is_number = isinstance(cost, int | float) and not isinstance(cost, bool)
    return cost if is_number and abs(cost) < IMPLAUSIBLE_COST else None


# Scenario sends null for a missing value; if that is left out, the dataclass's default applies.
def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return value
