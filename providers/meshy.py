# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy: meshes from one to four views, by `image-to-3d` and `multi-image-to-3d` of its API v1.

Sources: docs.meshy.ai and the vendor's MCP server 0.5.2 to 0.6.7; as of November 2026.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from . import _meshy as calls
from ._shared.bounds import Interval
from ._shared.images import PictureLimits
from ._shared.provider import (
    Address,
    Balance,
    CancelOutcome,
    KeyField,
    Price,
    Progress,
    Provider,
    Request,
    Result,
    Ticket,
    Uploaded,
    require_http,
)
from ._shared.reconcile import validate_task_id
from ._shared.settings import Choice, FileLimits, Option, Settings

if TYPE_CHECKING:
    from ._shared.http.client import Http

VIEWS = ("front", "left", "back", "right")
LARGE = ("meshy-7.1", "latest", "meshy-7", "meshy-6")
SMART = ("meshy-t2.5", "meshy-t2")


class MeshySettings(Settings):
    """The fields of both requests, except for those that follow from others.

    These are the images, `model_type`, and `target_formats`. Left out are `symmetry_mode` and
    `seed`, which have no effect since May 2026, the deprecated `hd_texture` and `ultra_mode`,
    `input_task_id`, and what stores further files.
    """

    ai_model: Annotated[
        Literal[
            "meshy-7.1", "latest", "meshy-7", "meshy-6", "meshy-6-lite", "meshy-t2.5", "meshy-t2"
        ],
        Option(
            "Model",
            "Meshy model that generates the mesh",
            (
                Choice("meshy-7.1", "7.1", "Best quality"),
                Choice("latest", "Latest", "Newest model of the service; its price may differ"),
                Choice("meshy-7", "7", "Predecessor of 7.1"),
                Choice("meshy-6", "6", "Older, with Remove Lighting"),
                Choice("meshy-6-lite", "6 Lite", "Cheap, with 2K textures"),
                Choice("meshy-t2.5", "T2.5", "Clean low-poly meshes of at most 30,000 faces"),
                Choice("meshy-t2", "T2", "Clean low-poly meshes of at most 15,000 faces"),
            ),
            basic=True,
        ),
    ] = "meshy-7.1"
    geometry_resolution: Annotated[
        Literal["standard", "2k", "4k"],
        Option(
            "Mesh Detail",
            "Level of detail of the shape",
            (
                Choice("standard", "Standard", "Sufficient for most uses"),
                Choice("2k", "2K", "Finer shapes, at extra cost"),
                Choice("4k", "4K", "Finest shapes, at extra cost; single image only"),
            ),
            basic=True,
        ),
    ] = "standard"
    should_texture: Annotated[
        bool,
        Option("Texture", "Texture the mesh with the image's colors", basic=True, group="surface"),
    ] = True
    enable_pbr: Annotated[
        bool,
        Option(
            "PBR",
            "Metallic, roughness, and normal maps; requires Texture",
            basic=True,
            group="surface",
        ),
    ] = False
    texture_resolution: Annotated[
        Literal["2k", "4k", "8k"],
        Option(
            "Texture Resolution",
            "Size of the color texture; the other maps are always 2K",
            (
                Choice("2k", "2K", "2048 × 2048 pixels"),
                Choice("4k", "4K", "4096 × 4096 pixels"),
                Choice("8k", "8K", "8192 × 8192 pixels, at extra cost"),
            ),
            basic=True,
            group="surface",
        ),
    ] = "2k"
    texture_prompt: Annotated[
        str,
        Option(
            "Texture Prompt",
            "Description of the textures, of at most 800 characters",
            group="surface",
        ),
    ] = ""
    texture_image: Annotated[
        str,
        Option(
            "Texture Image",
            "PNG or JPEG image that guides the textures",
            file=FileLimits((".png", ".jpg", ".jpeg"), 20_000_000),
            group="surface",
        ),
    ] = ""
    remove_lighting: Annotated[
        bool,
        Option("Remove Lighting", "Remove the image's lighting from the textures", group="surface"),
    ] = True
    should_remesh: Annotated[
        bool,
        Option(
            "Remesh",
            "Rebuild the mesh with the topology and number of faces below; if off, it keeps all "
            "details",
            basic=True,
            group="mesh",
        ),
    ] = False
    topology: Annotated[
        Literal["triangle", "quad"],
        Option(
            "Topology",
            "Kind of faces after Remesh",
            (
                Choice("triangle", "Triangles", "Delivered as GLB"),
                Choice("quad", "Quads", "Mostly quads; delivered as FBX"),
            ),
            group="mesh",
        ),
    ] = "triangle"
    target_polycount: Annotated[
        int | None,
        Interval(ge=100, le=300_000),
        Option(
            "Target Faces",
            "Approximate number of faces; if off, the service uses 30,000, or fewer with T2 and "
            "T2.5",
            basic=True,
            group="mesh",
        ),
    ] = None
    decimation_mode: Annotated[
        Literal[1, 2, 3, 4] | None,
        Option(
            "Adaptive Faces",
            "Number of faces that suits the shape, in place of Target Faces",
            (
                Choice(1, "Ultra", "Most faces"),
                Choice(2, "High", "Many faces"),
                Choice(3, "Medium", "Fewer faces"),
                Choice(4, "Low", "Fewest faces"),
            ),
            group="mesh",
        ),
    ] = None
    pose_mode: Annotated[
        Literal["", "a-pose", "t-pose"],
        Option(
            "Pose",
            "Pose of a character",
            (
                Choice("", "As in Image", "Keep the pose of the image"),
                Choice("a-pose", "A-Pose", "Arms lowered to the sides"),
                Choice("t-pose", "T-Pose", "Arms stretched out to the sides"),
            ),
        ),
    ] = ""
    image_enhancement: Annotated[
        bool,
        Option(
            "Enhance Image",
            "Improve the image before generating; if off, its exact look is kept",
        ),
    ] = True
    moderation: Annotated[
        bool, Option("Moderation", "Let the service check the input for harmful content")
    ] = False
    auto_size: Annotated[
        bool,
        Option(
            "Auto Size",
            "Scale the mesh to its estimated real-world size, in meters",
            group="placement",
        ),
    ] = False
    origin_at: Annotated[
        Literal["bottom", "center"],
        Option(
            "Origin",
            "Position of the origin with Auto Size",
            (
                Choice("bottom", "Bottom", "Below the mesh"),
                Choice("center", "Center", "In the middle of the mesh"),
            ),
            group="placement",
        ),
    ] = "bottom"

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield (field, sentence) for each combination that Meshy rejects or ignores."""
        return calls.broken_rules(self)

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for fields that have no effect with the model or other settings."""
        return calls.idle_settings(self)


_PAGE, _READ = "https://docs.meshy.ai/en/api/pricing", "2026-10-09"
# The price list is older than this model; its release note has the price.
_T2_5, _RELEASED = (
    "https://github.com/meshy-dev/meshy-mcp-server/releases/tag/v0.6.4",
    "2026-10-13",
)


def _rows(bare: float, page: str, day: str, *models: str) -> tuple[Price, ...]:
    """Return the rows of models that cost `bare` credits without textures."""
    fine = {"texture_resolution": ("2k", "4k")}
    return (
        Price(bare, page, day, {"ai_model": models, "should_texture": False}),
        Price(bare + 10, page, day, {"ai_model": models, **fine}),
        Price(bare + 15, page, day, {"ai_model": models, "texture_resolution": "8k"}),
    )


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
    prices = (
        *_rows(20, _PAGE, _READ, *LARGE),
        *_rows(5, _PAGE, _READ, "meshy-6-lite", "meshy-t2"),
        *_rows(5, _T2_5, _RELEASED, "meshy-t2.5"),
        Price(5, _PAGE, _READ, {"geometry_resolution": ("2k", "4k")}, adds=True),
    )
    settings = MeshySettings

    def views_for(self, settings: MeshySettings) -> tuple[str, ...]:
        """Return the front view for the T models and for 4K geometry, else all four views."""
        is_single = settings.ai_model in SMART or settings.geometry_resolution == "4k"
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
