# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's API v2, ended at Tripo itself on 2026-10-31 (its own page, tripo3d 0.4.2, 2026)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ._shared.errors import Failed
from ._shared.provider import (
    Address,
    Balance,
    CancelOutcome,
    Picture,
    Progress,
    Provider,
    Request,
    Result,
    Ticket,
    Uploaded,
    require_http,
)
from ._shared.reconcile import validate_task_id
from ._shared.settings import Choice, Option, Settings
from ._tripo import models
from ._tripo import replies as answers

if TYPE_CHECKING:
    from ._shared.http.client import Http

API = answers.Api(
    name="Tripo v2",
    meshes=("pbr_model", "model", "base_model", "pbr_model_url", "model_url", "base_model_url"),
    late=Failed,
    nobody="Tripo's own v2 has ended: set a gateway's address (TRIPO_V2_BASE_URL), or use Tripo.",
)

SINCE_2_0 = (
    "face_limit",
    "texture",
    "pbr",
    "texture_seed",
    "texture_alignment",
    "texture_quality",
    "auto_size",
    "style",
    "orientation",
    "quad",
    "compress",
    "smart_low_poly",
    "generate_parts",
    "geometry_quality",
    "export_uv",
)
SINCE_3_0 = ("geometry_quality",)
MODELS: Mapping[str, models.ModelCapabilities] = {
    "v3.1-20260211": models.V3_1,
    "v3.0-20250812": models.V3_0,
    "v2.5-20250123": models.V2_5,
    "P1-20260311": models.P1,
    "Turbo-v1.0-20250506": models.ModelCapabilities("Turbo 1.0", SINCE_3_0),
    "v2.0-20240919": models.ModelCapabilities("2.0", SINCE_3_0),
    "v1.4-20240625": models.ModelCapabilities("1.4", SINCE_2_0),
    "v1.3-20240522": models.ModelCapabilities("1.3", SINCE_2_0),
}
ONE_VIEW = frozenset({"Turbo-v1.0-20250506", "v1.4-20240625", "v1.3-20240522"})
GONE = "Tripo has retired it; a gateway may still have it"


@dataclass(frozen=True)
class TripoV2Settings(Settings):
    """Every field of image_to_model and multiview_to_model that shapes the mesh."""

    model_version: Annotated[
        Literal[
            "v3.1-20260211",
            "v3.0-20250812",
            "v2.5-20250123",
            "P1-20260311",
            "Turbo-v1.0-20250506",
            "v2.0-20240919",
            "v1.4-20240625",
            "v1.3-20240522",
        ],
        Option(
            "Model",
            "Which of Tripo's models makes the mesh",
            (
                Choice("v3.1-20260211", "3.1", "The best quality"),
                Choice("v3.0-20250812", "3.0", "The one before 3.1"),
                Choice("v2.5-20250123", "2.5", "Older, without HD geometry"),
                Choice("P1-20260311", "P1", "Clean low-poly meshes of at most 20000 faces"),
                Choice("Turbo-v1.0-20250506", "Turbo 1.0 (Retired)", GONE),
                Choice("v2.0-20240919", "2.0 (Retired)", GONE),
                Choice("v1.4-20240625", "1.4 (Retired)", GONE),
                Choice("v1.3-20240522", "1.3 (Retired)", GONE),
            ),
            basic=True,
        ),
    ] = "v2.5-20250123"
    texture: models.Texture = True
    texture_quality: Annotated[
        Literal["standard", "detailed", "extreme"],
        Option(
            "Texture Quality",
            "How fine the textures are",
            (models.STANDARD_TEXTURE, models.HD_TEXTURE, models.FINEST_TEXTURE),
            basic=True,
            group="surface",
        ),
    ] = "standard"
    geometry_quality: models.GeometryQuality = "standard"
    face_limit: models.FaceLimit = None
    quad: models.Quad = False
    pbr: models.Pbr = True
    texture_alignment: models.TextureAlignment = "original_image"
    style: Annotated[
        Literal[
            "person:person2cartoon",
            "animal:venom",
            "object:clay",
            "object:steampunk",
            "object:christmas",
            "object:barbie",
            "gold",
            "ancient_bronze",
        ]
        | None,
        Option(
            "Style",
            "Turn the subject into another style",
            (
                Choice("person:person2cartoon", "Cartoon", "For people"),
                Choice("animal:venom", "Venom", "For animals"),
                Choice("object:clay", "Clay", "For objects"),
                Choice("object:steampunk", "Steampunk", "For objects"),
                Choice("object:christmas", "Christmas", "For objects"),
                Choice("object:barbie", "Barbie", "For objects"),
                Choice("gold", "Gold", "For anything"),
                Choice("ancient_bronze", "Ancient Bronze", "For anything"),
            ),
            group="surface",
        ),
    ] = None
    smart_low_poly: models.SmartLowPoly = False
    generate_parts: models.GenerateParts = False
    auto_size: models.AutoSize = False
    orientation: models.Orientation = "default"
    export_uv: models.ExportUv = True
    compress: models.Compress = ""
    enable_image_autofix: models.ImageAutofix = False
    model_seed: models.ModelSeed = None
    texture_seed: models.TextureSeed = None

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield what the service would refuse, or would make otherwise than was asked."""
        yield from models.broken_rules(self, MODELS[self.model_version])

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield the fields without effect."""
        yield from models.idle_settings(self, MODELS[self.model_version])


class TripoV2(Provider[TripoV2Settings]):
    """Orders from a gateway that speaks Tripo's former API."""

    id = "tripo_v2"
    label = "Tripo v2 (Gateways)"
    front_rotation = 90  # as its maker's own add-on does
    description = "Tripo's former API, for gateways that still speak it; at Tripo it has ended"
    docs_url = "https://platform.tripo3d.ai/docs/generation"
    key_url = answers.KEYS
    keys = (models.KEY,)
    address = Address("tripo_v2_base_url", "TRIPO_V2_BASE_URL", "https://api.tripo3d.ai/v2/openapi")
    views = models.VIEWS
    formats = frozenset({"png", "jpeg", "webp"})
    limits = models.LIMITS
    takes_urls = True
    token_life = models.TOKEN_LIFE
    max_concurrent = models.max_concurrent
    lookup_name = "Task ID"
    settings = TripoV2Settings

    def views_for(self, settings: TripoV2Settings) -> tuple[str, ...]:
        """Return the views; the oldest models and Turbo take a single one."""
        return self.views[:1] if settings.model_version in ONE_VIEW else self.views

    def upload(self, pictures: tuple[Picture, ...], http: Http | None) -> Uploaded:
        """Upload the pictures that are files."""
        return Uploaded(
            {one.view: _token(one, require_http(http)) for one in models.files_of(pictures)}
        )

    def submit(
        self, request: Request[TripoV2Settings], uploaded: Uploaded, http: Http | None
    ) -> Ticket:
        """Order the mesh: of one picture, or of exactly four views of which some are empty."""
        files = {one.view: _file(one, uploaded) for one in request.pictures}
        options = models.sent_settings(request.settings)
        if len(files) == 1:
            body = {"type": "image_to_model", "file": files["front"], **options}
        else:
            options.pop("enable_image_autofix", None)
            views = [files.get(view, {}) for view in self.views]
            body = {"type": "multiview_to_model", "files": views, **options}
        return answers.ordered(require_http(http).submit("/task", json=body), API)

    def poll(self, ticket: Ticket, http: Http | None) -> Progress | Result:
        """Look at the task."""
        reply = require_http(http).get(f"/task/{answers.task_path(ticket)}")
        return answers.task_state(reply, ticket, API)

    def cancel(self, ticket: Ticket, http: Http | None) -> CancelOutcome:
        """Say what the task will cost: Tripo cannot be told to stop."""
        try:
            self.poll(ticket, http)
        except Failed:
            return CancelOutcome.FREE
        return CancelOutcome.CHARGED

    def attach(self, task: str, settings: TripoV2Settings) -> Ticket:
        """Take the id of a task."""
        return Ticket({"task": validate_task_id(task, self.label)})

    def balance(self, http: Http | None) -> Balance | None:
        """Ask for the account's credits."""
        return answers.balance_of(require_http(http).get("/user/balance"), API)


@dataclass(frozen=True)
class _File:
    image_token: str


def _token(picture: Picture, http: Http) -> str:
    """Upload one picture, where a gateway does not know the newer address to the older one."""
    files = {"file": models.part_of(picture)}
    reply = http.post("/upload/sts", files=files)
    if reply.status == 404:
        reply = http.post("/upload", files=files)
    return answers.read(reply, _File, "upload", API).image_token


def _file(picture: Picture, uploaded: Uploaded) -> dict[str, Any]:
    kind = models.format_of(picture).replace("jpeg", "jpg")
    if picture.url is not None:
        return {"type": kind, "url": picture.url}
    return {"type": kind, "file_token": uploaded.data[picture.view]}
