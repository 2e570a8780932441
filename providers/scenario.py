# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario with its model Tripo 3.1.

Sources: the model's reference page and schema, scenario-sdk 2.4.0; as of November 2026.
"""

# ruff: noqa: N815 - settings are named as Scenario names them

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from . import _scenario as calls
from ._scenario.errors import KEY_PAGE_URL, submit_refusal
from ._shared.bounds import Interval
from ._shared.errors import InvalidSettings, RateLimited
from ._shared.images import PictureLimits
from ._shared.provider import (
    Address,
    Balance,
    CancelOutcome,
    Cost,
    KeyField,
    Picture,
    Progress,
    Provider,
    Request,
    Result,
    Secret,
    Ticket,
    Uploaded,
    require_http,
)
from ._shared.reconcile import validate_task_id
from ._shared.settings import Choice, Option, Settings, changed_values, check_rules, values_of
from ._tripo import models

if TYPE_CHECKING:
    from ._shared.http.client import Http

MODEL = "model_tripo-v3-1-image-to-3d"
RUN = f"/generate/custom/{MODEL}"
PLACEHOLDER_ASSET = "asset_0000000000000000000000"
"""Placeholder for the image in a dry run, since the price does not depend on the image."""

Seed = Annotated[int | None, Interval(ge=0, le=2**31 - 1)]


class ScenarioSettings(Settings):
    """The inputs of the model, except for the image."""

    texture: Annotated[
        bool,
        Option("Texture", "Texture the mesh with the image's colors", basic=True, group="surface"),
    ] = True
    pbr: Annotated[
        bool,
        Option(
            "PBR",
            "Metallic, roughness, and normal maps; requires textures",
            basic=True,
            group="surface",
        ),
    ] = True
    textureQuality: Annotated[
        Literal["standard", "detailed", "extreme"],
        Option(
            "Texture Detail",
            "Level of detail of the textures; finer textures cost more",
            (
                Choice("standard", "Standard", "Sufficient for most uses"),
                Choice("detailed", "HD", "Finer textures"),
                Choice("extreme", "8K", "Finest textures and largest files"),
            ),
            basic=True,
            group="surface",
        ),
    ] = "standard"
    textureAlignment: models.TextureAlignment = "original_image"
    geometryQuality: Annotated[
        Literal["standard", "detailed"],
        Option(
            "Mesh Detail",
            "Level of detail of the shape; finer shapes cost more",
            (
                Choice("standard", "Standard", "Sufficient for most uses"),
                Choice("detailed", "HD", "Finer shapes of up to two million faces"),
            ),
            basic=True,
        ),
    ] = "standard"
    textureSeed: Annotated[
        Seed, Option("Texture Seed", "Same seed, same textures", group="surface")
    ] = None
    orientation: models.Orientation = "default"
    faceLimit: Annotated[
        int | None,
        Interval(ge=1, le=2_000_000),
        Option(
            "Face Limit",
            "Maximum number of faces; if off, it depends on the shape",
            basic=True,
            group="mesh",
        ),
    ] = None
    autoSize: models.AutoSize = False
    quad: Annotated[
        bool,
        Option(
            "Quads",
            "Create quads, at extra cost; delivered as FBX, with 10,000 faces if Face Limit is off",
            group="mesh",
        ),
    ] = False
    smartLowPoly: Annotated[
        bool,
        Option(
            "Smart Low Poly",
            "Create few faces with clean topology; best for simple subjects",
            group="mesh",
        ),
    ] = False
    generateParts: Annotated[
        bool, Option("Separate Parts", "Split the mesh into parts, without textures", group="mesh")
    ] = False
    seed: Annotated[Seed, Option("Seed", "Same seed, same shape")] = None

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield (field, sentence) for combinations that the model's page calls incompatible."""
        if self.generateParts and (self.texture or self.pbr or self.quad):
            yield "generateParts", "Separate Parts requires Texture, PBR, and Quads to be off."
        elif self.pbr and not self.texture:
            yield "texture", "PBR requires Texture: turn Texture on, or PBR off."
        low, high = self._face_window()
        if self.faceLimit is not None and not low <= self.faceLimit <= high:
            switches = {"Smart Low Poly": self.smartLowPoly, "Quads": self.quad}
            beside = [name for name, on in switches.items() if on]
            geometry = " and ".join(beside) or "standard geometry"
            yield "faceLimit", models.beyond_face_limit(geometry, low, high)

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for each texture setting if the mesh gets no textures."""
        if not (self.texture or self.pbr):
            for name in ("textureQuality", "textureAlignment", "textureSeed"):
                yield name, "Has no effect without textures."

    def _face_window(self) -> tuple[int, int]:
        if self.smartLowPoly:
            return (500, 10_000) if self.quad else (1000, 20_000)
        if self.quad:
            return 1, 150_000
        return 1, 2_000_000 if self.geometryQuality == "detailed" else 1_500_000


Order = Request[ScenarioSettings]


class ScenarioTripo(Provider[ScenarioSettings]):
    """Scenario's hosted Tripo 3.1. Uploaded images stay in the project until they are deleted."""

    id = "scenario"
    label = "Scenario"
    description = "Tripo 3.1 on Scenario: textured meshes, quads, low poly, or separate parts"
    front_rotation = 90  # As in Tripo's own Blender add-on.
    docs_url = "https://docs.scenario.com"
    key_url = KEY_PAGE_URL
    keys = (
        KeyField("scenario_api_key", "SCENARIO_SDK_API_KEY", "API Key"),
        KeyField("scenario_api_secret", "SCENARIO_SDK_API_SECRET", "API Secret"),
    )
    address = Address("scenario_base_url", "SCENARIO_BASE_URL", "https://api.cloud.scenario.com/v1")
    formats = frozenset({"png", "jpeg", "webp", "tiff"})
    limits = PictureLimits(max_side=16_384, max_bytes=20_000_000)
    takes_urls = True
    token_life = 30 * 24 * 3600.0
    lookup_name = "Job ID"
    task_field = "job"
    unit = "Compute Units"
    rank = 2
    settings = ScenarioSettings

    def headers(self, keys: Mapping[str, Secret]) -> dict[str, str]:
        """Return the Basic authentication header, which contains the API key and the API secret."""
        pair = ":".join(keys[field.preference].reveal() for field in self.keys)
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def upload(self, pictures: tuple[Picture, ...], http: "Http | None") -> Uploaded:
        """Create an asset for each image, and return the assets' ids by view."""
        return Uploaded(
            {picture.view: calls.create_asset(picture, require_http(http)) for picture in pictures}
        )

    def submit(self, request: Order, uploaded: Uploaded, http: "Http | None") -> Ticket:
        """Run the model, and return the ticket of its job."""
        reply = require_http(http).submit(RUN, json=_body(request, uploaded))
        if not reply.ok:
            raise submit_refusal(reply, InvalidSettings)
        job = calls.parse_job_id(reply, InvalidSettings)
        return Ticket({"job": job, "quad": request.settings.quad, "cost": calls.quoted_cost(reply)})

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return the progress or the result of a job. A rate limit counts as progress."""
        try:
            return calls.poll(ticket.data, require_http(http))
        except RateLimited as error:
            import logging  # not needed when Blender starts

            logging.getLogger(__name__).info("waiting: %s", error)
            return Progress("Waiting for rate limit to reset", wait=60.0)

    def cancel(self, ticket: Ticket, http: "Http | None") -> CancelOutcome:
        """Cancel the job, and return whether it is charged for, which it usually is not."""
        return calls.cancel(ticket.data["job"], require_http(http))

    def find_order(
        self, request: Order, uploaded: Uploaded, since: datetime, http: "Http | None"
    ) -> tuple[Ticket, ...]:
        """Return the tickets of the project's jobs with the same inputs, created around `since`."""
        body = _body(request, uploaded)
        jobs = calls.find_jobs(body, values_of(ScenarioSettings()), since, require_http(http))
        return tuple(self.attach(job, request.settings) for job in jobs)

    def attach(self, task: str, settings: ScenarioSettings) -> Ticket:
        """Return the ticket of the job with this id. Raises InvalidSettings for an invalid id."""
        return Ticket({"job": validate_task_id(task, self.label), "quad": settings.quad})

    def quote(self, request: Order, http: "Http | None") -> Cost | None:
        """Return the price from a dry run, or None if Scenario requires the real image for that.

        Raises InvalidSettings if the settings conflict. `dryRun` must be in the query: in the body
        it is ignored, and the run is charged.
        """
        check_rules(request.settings)
        body = {"image": PLACEHOLDER_ASSET, **_inputs(request.settings)}
        return calls.get_price(f"{RUN}?dryRun=true", body, require_http(http))

    def balance(self, http: "Http | None") -> Balance | None:
        """Return the remaining Compute Units, or None if unlimited or hidden from the key."""
        return calls.get_balance(MODEL, require_http(http))


def _body(request: Order, uploaded: Uploaded) -> dict[str, Any]:
    return {"image": uploaded.data["front"], **_inputs(request.settings)}


def _inputs(settings: ScenarioSettings) -> dict[str, Any]:
    """Return the changed inputs that have an effect; the others could still raise the price."""
    inactive = dict(settings.inactive_fields())
    return {name: value for name, value in changed_values(settings).items() if name not in inactive}
