# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's own service, called by API v3.

Sources: the migration guide, tryAGI's reference, tripo3d 1.0.0; as of November 2026.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from . import _tripo as calls
from ._shared.errors import BadReply, Expired, Failed
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
from ._shared.settings import Choice, Option, Settings, values_of
from ._tripo import errors, models

if TYPE_CHECKING:
    from ._shared.http.client import Http

API = errors.Api(
    name="Tripo",
    meshes=("model_url", "pbr_model_url", "model", "pbr_model", "model_urls", "base_model_url"),
    late=Expired,
    nobody="Check the connection, and Tripo Address in the add-on preferences or the environment "
    "variable TRIPO_BASE_URL.",
)
IN_ONE_FORM = 10_000_000
"""Maximum bytes of an image that is uploaded to `/files`; a larger one needs a presigned URL."""

MODELS: Mapping[str, models.ModelCapabilities] = {
    "v3.1-20260211": models.V3_1,
    "v3.0-20250812": models.V3_0,
    "v2.5-20250123": models.V2_5,
    "P1-20260311": models.P1,
}
NEW_TEXTURES = "v3.5-20260815"


class TripoSettings(Settings):
    """The fields of `image-to-model` and `multiview-to-model`, except for the images."""

    model: Annotated[
        Literal["v3.1-20260211", "v3.0-20250812", "v2.5-20250123", "P1-20260311"],
        Option(
            "Model",
            "Tripo model that generates the mesh",
            (
                Choice("v3.1-20260211", "3.1", "Best quality"),
                Choice("v3.0-20250812", "3.0", "Predecessor of 3.1"),
                Choice("v2.5-20250123", "2.5", "Older, without HD geometry"),
                Choice("P1-20260311", "P1", "Clean low-poly meshes of at most 20,000 faces"),
            ),
            basic=True,
        ),
    ] = "v3.1-20260211"
    texture: models.Texture = True
    pbr: models.Pbr = True
    texture_quality: Annotated[
        Literal["standard", "detailed", "extreme", "fast"],
        Option(
            "Texture Detail",
            "Level of detail of the textures",
            (
                models.STANDARD_TEXTURE,
                models.HD_TEXTURE,
                models.FINEST_TEXTURE,
                Choice("fast", "Fast", "Faster; requires Texture Model 3.5"),
            ),
            basic=True,
            group="surface",
        ),
    ] = "standard"
    geometry_quality: models.GeometryQuality = "standard"
    face_limit: models.FaceLimit = None
    quad: models.Quad = False
    texture_alignment: models.TextureAlignment = "original_image"
    texture_version: Annotated[
        Literal["v3.5-20260815", "v3.0-20250812", "v2.5-20250123"] | None,
        Option(
            "Texture Model",
            "Tripo model that generates the textures",
            (
                Choice(NEW_TEXTURES, "3.5", "Latest version"),
                Choice("v3.0-20250812", "3.0", "Predecessor of 3.5"),
                Choice("v2.5-20250123", "2.5", "Oldest version"),
            ),
            group="surface",
        ),
    ] = None
    delight: Annotated[
        bool,
        Option("Remove Lighting", "Remove the image's lighting from the textures", group="surface"),
    ] = True
    smart_low_poly: models.SmartLowPoly = False
    generate_parts: models.GenerateParts = False
    auto_size: models.AutoSize = False
    orientation: models.Orientation = "default"
    export_orientation: Annotated[
        Literal["+x", "-x", "+y", "-y"] | None,
        Option(
            "Front Axis",
            "Axis that the front of the mesh faces",
            (Choice("+x", "+X"), Choice("-x", "−X"), Choice("+y", "+Y"), Choice("-y", "−Y")),
            group="placement",
        ),
    ] = None
    export_uv: models.ExportUv = True
    compress: models.Compress = ""
    enable_image_autofix: models.ImageAutofix = False
    orthographic_projection: Annotated[
        bool,
        Option("Orthographic", "Treat the views as orthographic; multiple images only"),
    ] = False
    model_seed: models.ModelSeed = None
    texture_seed: models.TextureSeed = None

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield (field, sentence) for each combination that Tripo rejects or ignores."""
        yield from models.broken_rules(self, MODELS[self.model])
        if self.texture_version == NEW_TEXTURES:
            return
        if self.texture_quality == "fast":
            yield "texture_quality", "Fast textures require Texture Model 3.5."
        if not self.delight:
            yield "delight", "Turning off Remove Lighting requires Texture Model 3.5."

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for fields that have no effect with the model or other settings."""
        yield from models.idle_settings(self, MODELS[self.model])
        if self.texture_version != NEW_TEXTURES and self.texture:
            yield "delight", "Requires Texture Model 3.5."


class Tripo(Provider[TripoSettings]):
    """Tripo's own service, called by version 3 of its API."""

    id = "tripo"
    label = "Tripo"
    front_rotation = 90  # As in Tripo's own Blender add-on.
    description = "Textured meshes, quads, low poly, or separate parts from one to four views"
    docs_url = "https://developers.tripo3d.ai/en/docs"
    key_url = errors.KEY_PAGE_URL
    keys = (models.KEY,)
    address = Address("tripo_base_url", "TRIPO_BASE_URL", "https://openapi.tripo3d.ai/v3")
    views = models.VIEWS
    formats = frozenset({"png", "jpeg", "webp", "bmp", "tiff"})
    limits = models.LIMITS
    takes_urls = True
    token_life = models.TOKEN_LIFE
    max_concurrent = models.max_concurrent
    lookup_name = "Task ID"
    rank = 1
    prices = models.PRICES
    settings = TripoSettings

    def upload(self, pictures: tuple[Picture, ...], http: "Http | None") -> Uploaded:
        """Upload images that are files, and return their tokens by view. URLs need no upload."""
        files = models.files_of(pictures)
        return Uploaded({file.view: _token(file, require_http(http)) for file in files})

    def submit(
        self, request: Request[TripoSettings], uploaded: Uploaded, http: "Http | None"
    ) -> Ticket:
        """Submit `image-to-model`, or `multiview-to-model` for several views; return the ticket."""
        kind, body = _order(request, uploaded)
        path = f"/generation/{kind.replace('_', '-')}"
        return calls.parse_submit(require_http(http).submit(path, json=body), API)

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return the progress or the result of a task."""
        reply = require_http(http).get(f"/tasks/{calls.task_path(ticket)}")
        return calls.task_state(reply, ticket, API)

    def cancel(self, ticket: Ticket, http: "Http | None") -> CancelOutcome:
        """Return FREE if the task has failed, else CHARGED, since Tripo cannot cancel tasks."""
        # Tripo does not charge for failed tasks; all others run to their end.
        try:
            self.poll(ticket, http)
        except Failed:
            return CancelOutcome.FREE
        return CancelOutcome.CHARGED

    def find_order(
        self,
        request: Request[TripoSettings],
        uploaded: Uploaded,
        since: datetime,
        http: "Http | None",
    ) -> tuple[Ticket, ...]:
        """Return the tickets of the account's tasks with the same inputs from around `since`."""
        kind, body = _order(request, uploaded)
        defaults = values_of(TripoSettings())
        return calls.find_tasks(kind, body, defaults, since, require_http(http), API)

    def attach(self, task: str, settings: TripoSettings) -> Ticket:
        """Return the ticket of the task with this id. Raises InvalidSettings for an invalid id."""
        return Ticket({"task": validate_task_id(task, self.label)})

    def balance(self, http: "Http | None") -> Balance | None:
        """Return the remaining credits."""
        return calls.balance_of(require_http(http).get("/account/balance"), API)


def _order(request: Request[TripoSettings], uploaded: Uploaded) -> tuple[str, dict[str, Any]]:
    """Return the type of the task, and the body of the request for it."""
    inputs = {
        picture.view: picture.url or uploaded.data[picture.view] for picture in request.pictures
    }
    options = {"model": request.settings.model, **models.sent_settings(request.settings)}
    if len(inputs) == 1:
        # Only multiview-to-model has this field.
        options.pop("orthographic_projection", None)
        return "image_to_model", {"input": inputs["front"], **options}
    views = [{view: inputs[view]} for view in models.VIEWS if view in inputs]
    return "multiview_to_model", {"inputs": views, **options}


def _token(picture: Picture, http: "Http") -> str:
    """Upload an image, and return its token.

    An image of more than `IN_ONE_FORM` bytes is uploaded directly to Tripo's storage.
    """
    name, data, kind = models.form_part(picture)
    if len(data) <= IN_ONE_FORM:
        reply = http.post("/files", files={"file": (name, data, kind)})
        return calls.read_file_token(reply, API)
    reply = http.post("/files/presign", json={"format": models.format_of(picture)})
    upload = calls.read_presigned_upload(reply, API)
    url = upload.presigned_url or upload.upload_url
    if not url:
        raise BadReply("Tripo returned no upload URL for the image.", "Try again later.")
    calls.check_storage(http.put(url, data, kind), API)
    return upload.file_token
