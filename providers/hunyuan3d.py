# SPDX-License-Identifier: GPL-3.0-or-later
"""Hunyuan3D on the user's own graphics card, by its `api_server.py`, version 2.0 or 2.1.

Sources: Tencent's repositories Hunyuan3D-2 and Hunyuan3D-2.1 and their issues, as of 2026.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from . import _hunyuan3d as calls
from ._shared.bounds import Interval
from ._shared.images import PictureLimits
from ._shared.messages import Message
from ._shared.provider import (
    Address,
    Balance,
    CancelOutcome,
    KeyField,
    Picture,
    Progress,
    Provider,
    Request,
    Result,
    Ticket,
    Uploaded,
    require_http,
)
from ._shared.settings import Option, Settings

if TYPE_CHECKING:
    from ._shared.http.client import Http
    from ._shared.servers.probe import Answering

SERVER = "server"
"""The name under which the version of the server is kept with the order."""


class Hunyuan3dSettings(Settings):
    """The fields of both servers' requests, except for the images."""

    texture: Annotated[
        bool,
        Option(
            "Texture",
            "Paint the mesh, which takes several times as long and 16 to 21 GB of graphics "
            "memory; a 2.0 server must be started with --enable_tex",
            basic=True,
            group="surface",
        ),
    ] = False
    remove_background: Annotated[
        bool,
        Option(
            "Remove Background",
            "Cut out the subject before generating: the 2.0 server does it, and for the 2.1 server "
            "this add-on does",
            basic=True,
        ),
    ] = True
    octree_resolution: Annotated[
        int | None,
        Interval(ge=64, le=512),
        Option(
            "Octree Resolution",
            "Grid cells along each axis; higher values create finer meshes and need more memory",
            basic=True,
            group="mesh",
        ),
    ] = None
    num_inference_steps: Annotated[
        int,
        Interval(ge=1, le=100),
        Option("Steps", "Number of sampling steps; 5 for turbo models, 30 to 50 for others"),
    ] = 5
    guidance_scale: Annotated[
        float,
        Interval(ge=0.1, le=20.0),
        Option("Guidance Scale", "How closely the mesh follows the image"),
    ] = 5.0
    face_count: Annotated[
        int,
        Interval(ge=1000, le=100_000),
        Option("Face Limit", "Maximum number of faces of a textured mesh", group="mesh"),
    ] = 40_000
    num_chunks: Annotated[
        int,
        Interval(ge=1000, le=20_000),
        Option(
            "Chunks",
            "Grid points that are computed at the same time; lower values need less memory",
        ),
    ] = 8000
    seed: Annotated[
        int,
        Interval(ge=0, le=2**31 - 1),
        Option("Seed", "Seed for the random numbers; the same seed repeats a mesh"),
    ] = 1234

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for `face_count` if no texture is made."""
        if not self.texture:
            yield "face_count", "Requires Texture."


class Hunyuan3d(Provider[Hunyuan3dSettings]):
    """The user's own server, which makes one mesh at a time."""

    id = "hunyuan3d"
    label = "Hunyuan3D"
    description = "Meshes from your own Hunyuan3D server on this computer or in your network; free"
    docs_url = "https://github.com/Tencent-Hunyuan/Hunyuan3D-2.1"
    keys = (
        KeyField(
            "hunyuan3d_header", "HUNYUAN3D_HEADER", "HTTP Header", optional=True, kind="header"
        ),
    )
    address = Address("hunyuan3d_base_url", "HUNYUAN3D_BASE_URL", "http://127.0.0.1:8081")
    self_hosted = True
    public_pages = ("/health", "/openapi.json")
    notice = "Tencent's license does not cover the EU, the UK, and South Korea"
    views = ("front", "left", "back", "right")
    # The models work on about 1000 pixels, so that larger images only take longer to send.
    limits = PictureLimits(max_side=2048, max_bytes=20_000_000)
    # The recorded answer, and the mesh file that is taken out of it.
    max_answer_bytes = 2 * 256 * 1024 * 1024
    late_hint = (
        "Resume the job to wait longer. If the texture never ends, cancel the job, and generate "
        "again with Texture turned off."
    )
    rank = 10
    settings = Hunyuan3dSettings

    def cuts_out(self, settings: Hunyuan3dSettings, http: "Http | None") -> bool:
        """Return whether the server is one that never removes the background, although asked to."""
        if not settings.remove_background:
            return False
        return calls.identify(require_http(http), patient=True) == "2.1"

    def upload(self, pictures: tuple[Picture, ...], http: "Http | None") -> Uploaded:
        """Return the version of the server. The images are part of the order itself."""
        return Uploaded({SERVER: calls.identify(require_http(http), patient=True)})

    def submit(
        self, request: Request[Hunyuan3dSettings], uploaded: Uploaded, http: "Http | None"
    ) -> Ticket:
        """Order the mesh, and wait for it unless it gets a texture from a 2.1 server."""
        return calls.order(request, str(uploaded.data.get(SERVER)), require_http(http))

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return the mesh that came with the answer, or how far the server is."""
        if "uid" not in ticket.data:
            return calls.result_of(ticket)
        return calls.task_state(ticket, require_http(http))

    def cancel(self, ticket: Ticket, http: "Http | None") -> CancelOutcome:
        """Return FREE: the server cannot be stopped, but costs nothing."""
        return CancelOutcome.FREE

    def max_concurrent(self, settings: Hunyuan3dSettings) -> int:
        """Return 1, because the server makes one mesh at a time and does not answer meanwhile."""
        return 1

    def license_note(self) -> str:
        """Return a note on Tencent's license, which excludes some countries."""
        return f"{self.notice} {self.docs_url}"

    def balance(self, http: "Http | None") -> Balance | None:
        """Return None if the server answers. Raises Unreachable or BadKey otherwise."""
        calls.identify(require_http(http))
        return None

    def recognize(self, path: str, page: Mapping[str, Any]) -> "Answering | None":
        """Return the server with its version: only 2.1 has the page /health."""
        from ._shared.servers.probe import Answering

        is_healthy = page.get("status") == "healthy" and "worker_id" in page
        routes = page.get("paths")
        names = set(routes) if isinstance(routes, dict) else set()
        if not is_healthy and not {"/generate", "/send", "/status/{uid}"} <= names:
            return None
        version = "2.1" if is_healthy or "/health" in names else "2.0"
        return Answering(self.id, version, Message("Hunyuan3D {version}", version=version))
