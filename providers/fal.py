# SPDX-License-Identifier: GPL-3.0-or-later
"""fal.ai: many models for one key, by its queue.

Sources: fal-client 1.0.3, npm @fal-ai/client 1.10.1, fal's documentation; as of November 2026.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from . import _fal as calls
from ._fal.models import known_models, price_list
from ._shared.bounds import Interval
from ._shared.images import PictureLimits
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
from ._shared.reconcile import validate_task_id
from ._shared.settings import Choice, Option, Setting, Settings

if TYPE_CHECKING:
    from ._shared.http.client import Http

KEY = "fal_api_key"
OTHER = "other"
"""The value of `model` for one that is not in the table."""
UNIT = "USD"
_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]*[A-Za-z0-9][\w.-]*)+", re.ASCII)

if TYPE_CHECKING:
    ModelId = str
else:  # the models are data, which a type checker does not read
    ModelId = Literal[(*known_models(), OTHER)]


class FalSettings(Settings):
    """The choice of a model, and the options of the queue. Each model has inputs of its own."""

    model: Annotated[
        ModelId,
        Option(
            "Model",
            "Model that generates the mesh; Get Settings shows its settings",
            (
                *(Choice(item.id, item.name, item.description) for item in known_models().values()),
                Choice(OTHER, "Other Model", "Any other model at fal that takes an image"),
            ),
            basic=True,
        ),
    ] = next(iter(known_models()))
    model_id: Annotated[
        str,
        Option(
            "Model ID",
            "ID of the model, or the address of its page at fal.ai/models; only for Other Model",
            basic=True,
        ),
    ] = ""
    purpose: Annotated[
        Literal["model", "draft", "game_asset", "hero", "print"],
        Option(
            "Purpose",
            "Values for the settings of the model; click Get Settings to see them",
            (
                Choice("model", "Model's Own", "The values that the model has at fal"),
                Choice("draft", "Draft", "Few steps and small textures"),
                Choice("game_asset", "Game Asset", "Few faces and small textures"),
                Choice("hero", "Hero", "Many steps and faces, and large textures"),
                Choice("print", "Print", "Many faces"),
            ),
            basic=True,
        ),
    ] = "model"
    priority: Annotated[
        Literal["normal", "low"],
        Option(
            "Priority",
            "Place in the queue of your account",
            (
                Choice("normal", "Normal", "In the order of the requests"),
                Choice("low", "Low", "After your other requests"),
            ),
            group="server",
        ),
    ] = "normal"
    start_timeout: Annotated[
        int | None,
        Interval(ge=2, le=86_400),
        Option(
            "Longest Wait",
            "Seconds after which fal gives up an order that has not begun; off waits on",
            group="server",
        ),
    ] = None
    expiration_duration_seconds: Annotated[
        int | None,
        Interval(ge=3600, le=31_536_000),
        Option(
            "Keep Files",
            "Seconds for which fal keeps the files of the result; off keeps them as your account "
            "does",
            group="server",
        ),
    ] = None

    def rules(self) -> Iterator[tuple[str, str]]:
        """Yield (field, sentence) for a missing model, and for inputs that the model refuses."""
        if self.model == OTHER and not _ID.fullmatch(calls.endpoint_of(self)):
            yield "model_id", "Enter the ID of a model, such as fal-ai/trellis."
        yield from calls.refused_inputs(self)

    def inactive_fields(self) -> Iterator[tuple[str, str]]:
        """Yield (field, reason) for fields that have no effect with the model or other settings."""
        if self.model != OTHER:
            yield "model_id", "Only used by Other Model."
        else:
            yield "purpose", "Only used by the models in the menu."
        yield from calls.idle_inputs(self)


class Fal(Provider[FalSettings]):
    """fal's queue. Results are kept for an hour, so a job is best finished the same day."""

    id = "fal"
    label = "fal"
    description = "Many models for one key: TRELLIS, Hunyuan3D, Rodin, Meshy, Tripo, and others"
    docs_url = "https://fal.ai/docs"
    key_url = "https://fal.ai/dashboard/keys"
    keys = (KeyField(KEY, "FAL_KEY"),)
    address = Address(
        "fal_base_url",
        "FAL_BASE_URL",
        "https://queue.fal.run",
        # Storage, account, and the descriptions of models, which are called without the key.
        ("https://rest.fal.ai", "https://api.fal.ai", "https://fal.ai"),
    )
    views = ("front", "left", "back", "right")
    formats = frozenset({"png", "jpeg", "webp"})
    # Those of the strictest model, Hunyuan3D 3.1. It alone refuses sides of less than 128 pixels.
    limits = PictureLimits(max_side=5000, max_bytes=8_000_000)
    takes_urls = True
    # No `token_life`: the address of an upload, which no other order has, tells a lost order apart.
    lookup_name = "Request ID"
    late_hint = "Resume the job to wait longer. fal keeps a finished mesh for an hour."
    unit = UNIT
    rank = 4
    prices = tuple(price_list(UNIT))
    settings = FalSettings

    def headers(self, keys: Mapping[str, Secret]) -> dict[str, str]:
        """Return the header with the API key, which fal calls “Key” instead of “Bearer”."""
        return {"Authorization": " ".join(("Key", keys[KEY].reveal()))}

    def views_for(self, settings: FalSettings) -> tuple[str, ...]:
        """Return the views that the model takes."""
        return calls.views_of(settings, self.views)

    def upload(self, pictures: tuple[Picture, ...], http: "Http | None") -> Uploaded:
        """Upload the images that are files to fal's storage, and return their addresses by view."""
        return calls.upload(pictures, require_http(http))

    def submit(
        self, request: Request[FalSettings], uploaded: Uploaded, http: "Http | None"
    ) -> Ticket:
        """Put the request into the model's queue, and return its ticket."""
        return calls.order(request, uploaded, require_http(http))

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return the request's place in the queue, or its mesh."""
        return calls.task_state(ticket, require_http(http))

    def cancel(self, ticket: Ticket, http: "Http | None") -> CancelOutcome:
        """Cancel the request, and return whether it is charged for."""
        return calls.cancel(ticket, require_http(http))

    def find_order(
        self,
        request: Request[FalSettings],
        uploaded: Uploaded,
        since: datetime,
        http: "Http | None",
    ) -> tuple[Ticket, ...]:
        """Return the tickets of the account's requests with the same inputs from around `since`."""
        return calls.find_orders(request, uploaded, since, require_http(http))

    def attach(self, task: str, settings: FalSettings) -> Ticket:
        """Return the ticket of the request with this id. Raises InvalidSettings for a bad id."""
        return calls.ticket_of(validate_task_id(task, self.label), calls.endpoint_of(settings))

    def read_server_settings(
        self, request: Request[FalSettings], http: "Http | None"
    ) -> Iterable[Setting]:
        """Return the inputs of the model. fal is asked only if it is not one of the menu."""
        return calls.read_rows(request.settings, require_http(http))

    def server_settings_key(self, settings: FalSettings) -> str:
        """Return the model, and the purpose that decides its values."""
        return f"{calls.endpoint_of(settings)} {settings.purpose}"

    def license_note(self) -> str:
        """Return a sentence about the rights in meshes of any model."""
        return (
            "See the license on the model's page (fal.ai/models), fal's terms, and the rights in "
            "the image"
        )

    def balance(self, http: "Http | None") -> Balance | None:
        """Return the remaining credits; None if the key is right, but may not read them."""
        return calls.read_balance(require_http(http))
