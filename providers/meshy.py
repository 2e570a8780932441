# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy: meshes from one to four views, by `image-to-3d` and `multi-image-to-3d` of its API v1.

Sources: docs.meshy.ai and the vendor's MCP server 0.5.2 to 0.6.7; as of November 2026.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from . import _meshy as calls
from ._meshy import models
from ._shared.images import PictureLimits
from ._shared.provider import (
    Address,
    Balance,
    CancelOutcome,
    KeyField,
    Progress,
    Provider,
    Request,
    Result,
    Ticket,
    Uploaded,
    require_http,
)
from ._shared.reconcile import validate_task_id
from ._shared.settings import Settings

if TYPE_CHECKING:
    from ._shared.http.client import Http

VIEWS = ("front", "left", "back", "right")


class MeshySettings(Settings):
    """The fields of both requests, except for those that follow from others.

    These are the images, `model_type`, and `target_formats`. Left out are `symmetry_mode` and
    `seed`, which have no effect since May 2026, the deprecated `hd_texture` and `ultra_mode`,
    `input_task_id`, and what stores further files.
    """

    ai_model: models.Model = "meshy-7.1"
    geometry_resolution: models.Geometry = "standard"
    should_texture: models.Texture = True
    enable_pbr: models.Pbr = False
    texture_resolution: models.TextureResolution = "2k"
    texture_prompt: models.TexturePrompt = ""
    texture_image: models.TextureImage = ""
    remove_lighting: models.RemoveLighting = True
    should_remesh: models.Remesh = False
    topology: models.Topology = "triangle"
    target_polycount: models.TargetFaces = None
    decimation_mode: models.AdaptiveFaces = None
    pose_mode: models.Pose = ""
    image_enhancement: models.EnhanceImage = True
    moderation: models.Moderation = False
    auto_size: models.AutoSize = False
    origin_at: models.OriginPosition = "bottom"

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield (field, sentence) for each combination that Meshy rejects or ignores."""
        return calls.broken_rules(self)

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for fields that have no effect with the model or other settings."""
        return calls.idle_settings(self)


class Meshy(Provider[MeshySettings]):
    """Meshy's service. Images are part of the order; results are kept for three days."""

    id = "meshy"
    label = "Meshy"
    description = "Textured meshes, quads, or low poly from one to four views"
    docs_url = "https://docs.meshy.ai/en/api/image-to-3d"
    key_url = calls.KEY_PAGE_URL
    keys = (KeyField("meshy_api_key", "MESHY_API_KEY", "API Key"),)
    address = Address("meshy_base_url", "MESHY_BASE_URL", "https://api.meshy.ai/openapi/v1")
    views = VIEWS
    formats = frozenset({"png", "jpeg"})
    # No side is documented: 4096 pixels are more than a model sees. 20 MB are what the vendor's own
    # client takes.
    limits = PictureLimits(max_side=4096, max_bytes=20_000_000)
    takes_urls = True
    lookup_name = "Task ID"
    rank = 4
    late_hint = "Resume the job to wait longer. Meshy keeps results for three days."
    prices = models.PRICES
    settings = MeshySettings

    def views_for(self, settings: MeshySettings) -> tuple[str, ...]:
        """Return the front view for the T models and for 4K geometry, else all four views."""
        is_single = settings.ai_model in models.SMART or settings.geometry_resolution == "4k"
        return VIEWS[:1] if is_single else VIEWS

    def submit(
        self, request: Request[MeshySettings], uploaded: Uploaded, http: "Http | None"
    ) -> Ticket:
        """Submit `image-to-3d`, or `multi-image-to-3d` for several views; return the ticket."""
        return calls.submit(request, require_http(http))

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return the progress or the result of a task."""
        return calls.poll(ticket, require_http(http))

    def cancel(self, ticket: Ticket, http: "Http | None") -> CancelOutcome:
        """Delete a task that is still waiting, for which Meshy gives the credits back."""
        return calls.cancel(ticket, require_http(http))

    def find_order(
        self,
        request: Request[MeshySettings],
        uploaded: Uploaded,
        since: datetime,
        http: "Http | None",
    ) -> tuple[Ticket, ...]:
        """Return the tickets of the account's tasks of this kind from around `since`."""
        return calls.find_tasks(request, since, require_http(http))

    def attach(self, task: str, settings: MeshySettings) -> Ticket:
        """Return the ticket of the task with this id. Raises InvalidSettings for an invalid id."""
        return Ticket({"task": validate_task_id(task, self.label)})

    def balance(self, http: "Http | None") -> Balance | None:
        """Return the remaining credits."""
        return calls.get_balance(require_http(http))
