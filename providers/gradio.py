# SPDX-License-Identifier: GPL-3.0-or-later
"""Any Gradio app that turns an image into a mesh: on the user's own computer, or a Space.

Sources: Gradio 4.44.1, 5.33.0, 6.0.1 and 6.31.0, run in November 2026; the code of the apps that
`_gradio/apps` describes.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from . import _gradio as calls
from ._shared.http.addresses import BadAddress, read_address
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
    Secret,
    Ticket,
    Uploaded,
    require_http,
)
from ._shared.settings import Choice, Option, Setting, Settings

if TYPE_CHECKING:
    from datetime import datetime

    from ._shared.http.client import Http
    from ._shared.servers.probe import Answering

SPACES = ".hf.space"
"""End of the hosts of all Spaces. Only they get the token."""
TOKEN = "gradio_token"
_SPACE = r"(?:https://(?:huggingface\.co|hf\.co)/spaces/)?([A-Za-z0-9_-]+)/([A-Za-z0-9._-]+)"


class GradioSettings(Settings):
    """The choice of the functions to call, and of their usual values. The app knows the others."""

    purpose: Annotated[
        Literal["app", "draft", "game_asset", "hero", "print"],
        Option(
            "Purpose",
            "Values for the settings of a well-known app; click Get Settings to see them",
            (
                Choice("app", "App's Own", "The values that the app has on its page"),
                Choice("draft", "Draft", "Few steps and small textures"),
                Choice("game_asset", "Game Asset", "Few faces and small textures"),
                Choice("hero", "Hero", "Many steps and faces, and large textures"),
                Choice("print", "Print", "Many faces"),
            ),
            basic=True,
        ),
    ] = "app"
    texture: Annotated[
        bool,
        Option(
            "Texture",
            "Call the function that also paints the mesh, if the app has one; the shape alone is "
            "faster and needs less memory",
            basic=True,
            group="surface",
        ),
    ] = True
    api_name: Annotated[
        str,
        Option(
            "Function",
            "Name of the app's function that makes the mesh, as on its page “Use via API”; if "
            "empty, it is found by itself",
        ),
    ] = ""


class Gradio(Provider[GradioSettings]):
    """An app by its queue, whose results can be read once."""

    id = "gradio"
    label = "Gradio"
    description = "Meshes from a Gradio app on your computer, or from a Hugging Face Space; free"
    docs_url = "https://huggingface.co/spaces"
    key_url = "https://huggingface.co/settings/tokens"
    keys = (KeyField(TOKEN, "HF_TOKEN", "Hugging Face Token", optional=True),)
    address = Address("gradio_base_url", "GRADIO_BASE_URL", "http://127.0.0.1:7860")
    self_hosted = True
    public_pages = ("/config",)
    more_ports = (8080,)  # of Hunyuan3D's app
    may_be_public = True
    notice = "A Space is somebody else's server: its owner can see your images and your token"
    views = ("front", "left", "back", "right")
    # The models work on about 1000 pixels, so that larger images only take longer to send.
    limits = PictureLimits(max_side=2048, max_bytes=20_000_000)
    formats = frozenset({"png", "jpeg", "webp"})
    rank = 12
    settings = GradioSettings

    def full_address(self, text: str) -> str:
        """Return the address of a Space that was given as `owner/name`, or by its page."""
        found = re.fullmatch(_SPACE, text.strip().rstrip("/"))
        if found is None:
            return text
        name = re.sub(r"[^a-z0-9]+", "-", f"{found[1]}-{found[2]}".lower())
        host = f"{name.strip('-')}{SPACES}"
        calls.space_names[host] = f"{found[1]}/{found[2]}"
        return f"https://{host}"

    def sends_keys_to(self, base_url: str) -> bool:
        """Return whether a base URL is that of a Space: no other server gets the token."""
        try:
            address = read_address(base_url)
        except BadAddress:
            return False
        return address.scheme == "https" and address.host.endswith(SPACES)

    def headers(self, keys: Mapping[str, Secret]) -> dict[str, str]:
        """Return the header that makes a Space count the quota of the token's account."""
        if TOKEN not in keys:
            return {}
        return {"x-hf-authorization": f"Bearer {keys[TOKEN].reveal()}"}

    def read_server_settings(
        self, request: Request[GradioSettings], http: "Http | None"
    ) -> Iterable[Setting]:
        """Return the inputs of the functions that make a mesh."""
        return calls.settings_of_app(request.settings, require_http(http))

    def server_settings_key(self, settings: GradioSettings) -> str:
        """Return what decides which functions are called."""
        return f"{settings.api_name} {settings.texture} {settings.purpose}"

    def upload(self, pictures: tuple[Picture, ...], http: "Http | None") -> Uploaded:
        """Upload the images, and return their places together with what the app can do."""
        return calls.upload(pictures, require_http(http))

    def submit(
        self, request: Request[GradioSettings], uploaded: Uploaded, http: "Http | None"
    ) -> Ticket:
        """Order the first of the calls that make a mesh."""
        return calls.order(request, uploaded, require_http(http))

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return how far the calls are, and order the next one once its predecessor is done."""
        return calls.task_state(ticket, require_http(http))

    def cancel(self, ticket: Ticket, http: "Http | None") -> CancelOutcome:
        """Leave the queue. The app may finish what it has begun, but nothing is charged."""
        calls.leave_queue(ticket, require_http(http))
        return CancelOutcome.FREE

    def find_order(
        self,
        request: Request[GradioSettings],
        uploaded: Uploaded,
        since: "datetime",
        http: "Http | None",
    ) -> tuple[Ticket, ...]:
        """Return the order of this job's session, if the app has queued it."""
        return calls.find_order(request, uploaded, require_http(http))

    def max_concurrent(self, settings: GradioSettings) -> int:
        """Return 2: most apps make one mesh at a time, and refuse orders once many wait."""
        return 2

    def license_note(self) -> str:
        """Return a sentence about the rights in meshes of any model."""
        return "See the license of the app's model, and the rights in the image"

    def balance(self, http: "Http | None") -> Balance | None:
        """Return None if an app answers that can make a mesh. Raises Unreachable otherwise."""
        calls.check_app(require_http(http))
        return None

    def recognize(self, path: str, page: Mapping[str, Any]) -> "Answering | None":
        """Return the app by its title, as Gradio 4.44 to 6.31 state it."""
        from ._shared.servers.probe import Answering, text_in

        if "version" not in page or "dependencies" not in page:
            return None
        title = text_in(page, "title")
        is_named = title not in ("", "Gradio")  # the title of an app whose author gave it none
        name = Message("The Gradio app “{title}”", title=title) if is_named else "A Gradio app"
        return Answering(self.id, text_in(page, "version"), name)
