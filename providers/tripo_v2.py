# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's API v2, for gateways: Tripo itself shut it down on 2026-10-31.

Sources: Tripo's documentation, tripo3d 0.4.2.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from . import _tripo as calls
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
from ._tripo import errors, models

if TYPE_CHECKING:
    from ._shared.http.client import Http

API = errors.Api(
    name="Tripo v2",
    meshes=("pbr_model", "model", "base_model", "pbr_model_url", "model_url", "base_model_url"),
    late=Failed,
    nobody="Tripo has shut down API v2. Set Tripo v2 (Gateways) Address in the add-on preferences "
    "to that of a gateway, or use Tripo.",
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
GONE = "Retired by Tripo; gateways may still offer it"


class TripoV2Settings(Settings):
    """The fields of `image_to_model` and `multiview_to_model`, except for the images."""

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
            "Tripo model that generates the mesh",
            (
                Choice("v3.1-20260211", "3.1", "Best quality"),
                Choice("v3.0-20250812", "3.0", "Predecessor of 3.1"),
                Choice("v2.5-20250123", "2.5", "Older, without HD geometry"),
                Choice("P1-20260311", "P1", "Clean low-poly meshes of at most 20,000 faces"),
                Choice("Turbo-v1.0-20250506", "Turbo 1.0 (Retired)", GONE),
                Choice("v2.0-20240919", "2.0 (Retired)", GONE),
                Choice("v1.4-20240625", "1.4 (Retired)", GONE),
                Choice("v1.3-20240522", "1.3 (Retired)", GONE),
            ),
            basic=True,
        ),
    ] = "v2.5-20250123"
    texture: models.Texture = True
    pbr: models.Pbr = True
    texture_quality: Annotated[
        Literal["standard", "detailed", "extreme"],
        Option(
            "Texture Detail",
            "Level of detail of the textures",
            (models.STANDARD_TEXTURE, models.HD_TEXTURE, models.FINEST_TEXTURE),
            basic=True,
            group="surface",
        ),
    ] = "standard"
    geometry_quality: models.GeometryQuality = "standard"
    face_limit: models.FaceLimit = None
    quad: models.Quad = False
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
            "Style that the subject is converted to",
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
        """Yield (field, sentence) for each combination that Tripo rejects or ignores."""
        yield from models.broken_rules(self, MODELS[self.model_version])

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for fields that have no effect with the model or other settings."""
        yield from models.idle_settings(self, MODELS[self.model_version])


class TripoV2(Provider[TripoV2Settings]):
    """A gateway that offers version 2 of Tripo's API."""

    id = "tripo_v2"
    label = "Tripo v2 (Gateways)"
    page = "tripo"
    front_rotation = 90  # As in Tripo's own Blender add-on.
    description = "Tripo's previous API, for gateways that still offer it; shut down by Tripo"
    docs_url = "https://platform.tripo3d.ai/docs/generation"
    key_url = errors.KEY_PAGE_URL
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
        """Return all views, or the front alone for Turbo and the oldest models."""
        return self.views[:1] if settings.model_version in ONE_VIEW else self.views

    def upload(self, pictures: tuple[Picture, ...], http: "Http | None") -> Uploaded:
        """Upload images that are files, and return their tokens by view. URLs need no upload."""
        files = models.files_of(pictures)
        return Uploaded({file.view: _token(file, require_http(http)) for file in files})

    def submit(
        self, request: Request[TripoV2Settings], uploaded: Uploaded, http: "Http | None"
    ) -> Ticket:
        """Submit `image_to_model`, or `multiview_to_model` for several views; return the ticket."""
        files = {picture.view: _file(picture, uploaded) for picture in request.pictures}
        options = models.sent_settings(request.settings)
        if len(files) == 1:
            body = {"type": "image_to_model", "file": files["front"], **options}
        else:
            # Only image_to_model has this field.
            options.pop("enable_image_autofix", None)
            # It takes exactly four views; missing ones are empty objects.
            views = [files.get(view, {}) for view in self.views]
            body = {"type": "multiview_to_model", "files": views, **options}
        return calls.parse_submit(require_http(http).submit("/task", json=body), API)

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return the progress or the result of a task."""
        reply = require_http(http).get(f"/task/{calls.task_path(ticket)}")
        return calls.task_state(reply, ticket, API)

    def cancel(self, ticket: Ticket, http: "Http | None") -> CancelOutcome:
        """Return FREE if the task has failed, else CHARGED, since Tripo cannot cancel tasks."""
        # Tripo does not charge for failed tasks; all others run to their end.
        try:
            self.poll(ticket, http)
        except Failed:
            return CancelOutcome.FREE
        return CancelOutcome.CHARGED

    def attach(self, task: str, settings: TripoV2Settings) -> Ticket:
        """Return the ticket of the task with this id. Raises InvalidSettings for an invalid id."""
        return Ticket({"task": validate_task_id(task, self.label)})

    def balance(self, http: "Http | None") -> Balance | None:
        """Return the remaining credits."""
        return calls.balance_of(require_http(http).get("/user/balance"), API)


def _token(picture: Picture, http: "Http") -> str:
    """Upload an image, and return its token.

    Some gateways have only the older endpoint, which is used after a 404.
    """
    files = {"file": models.form_part(picture)}
    reply = http.post("/upload/sts", files=files)
    if reply.status == 404:
        reply = http.post("/upload", files=files)
    return calls.read_image_token(reply, API)


def _file(picture: Picture, uploaded: Uploaded) -> dict[str, Any]:
    kind = models.format_of(picture).replace("jpeg", "jpg")
    if picture.url is not None:
        return {"type": kind, "url": picture.url}
    return {"type": kind, "file_token": uploaded.data[picture.view]}
