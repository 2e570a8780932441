# SPDX-License-Identifier: GPL-3.0-or-later
"""A provider for rehearsals: speaks to the fake service, declares every kind of setting.

Dropped beside the real providers, it is found like any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from ._shared.bounds import Interval
from ._shared.errors import BadKey, Failed, NoCredits, RateLimited
from ._shared.provider import (
    Address,
    Balance,
    CancelOutcome,
    KeyField,
    Picture,
    Progress,
    Provider,
    RemoteFile,
    Request,
    Result,
    Ticket,
    Uploaded,
    require_http,
)
from ._shared.settings import Choice, Option, Settings, changed_values

if TYPE_CHECKING:
    from ._shared.http.client import Http
    from ._shared.http.reply import Reply


class Finish(StrEnum):
    """The finish of the surface."""

    MATT = "matt"
    GLOSS = "gloss"


class RehearsalSettings(Settings):
    """One setting of every kind."""

    style: Annotated[
        Literal["plain", "brick"],
        Option("Style", "How it looks", (Choice("plain", "Plain"), Choice("brick", "Brick"))),
    ] = "plain"
    finish: Annotated[Finish, Option("Finish", "How shiny it is")] = Finish.MATT
    texture: Annotated[bool, Option("Texture", "Whether it is painted", basic=True)] = True
    pbr: Annotated[bool, Option("PBR", "Whether it has material maps")] = False
    face_limit: Annotated[
        int | None,
        Interval(ge=10, le=5000),
        Option("Face Limit", "Maximum number of faces; if off, it depends on the shape"),
    ] = None
    ratio: Annotated[float, Interval(ge=0.5, le=1.0), Option("Ratio", "Share of the frame")] = 0.9
    seed: Annotated[int, Interval(ge=0), Option("Seed", "Same seed, same mesh")] = 0
    note: Annotated[str, Option("Note", "A text for the service")] = ""

    def rules(self) -> Iterator[tuple[str, str]]:
        """PBR maps require a texture."""
        if self.pbr and not self.texture:
            yield "pbr", "PBR needs Texture: turn Texture on, or PBR off."


class Rehearsal(Provider[RehearsalSettings]):
    """Orders from the fake service."""

    id = "rehearsal"
    label = "Rehearsal"
    description = "The fake service on this machine"
    key_url = "https://example.com/keys"
    docs_url = "https://example.com/docs"
    keys = (KeyField("rehearsal_api_key", "REHEARSAL_API_KEY"),)
    address = Address("rehearsal_base_url", "REHEARSAL_BASE_URL", "https://example.com/v1")
    views = ("front", "left")
    settings = RehearsalSettings

    def upload(self, pictures: tuple[Picture, ...], http: Http | None) -> Uploaded:
        """Upload every picture."""
        tokens = {}
        for picture in pictures:
            files = {"file": (picture.name, picture.data(), "image/png")}
            reply = _check_reply(require_http(http).post("/files", files=files))
            tokens[picture.view] = reply.json["token"]
        return Uploaded(tokens)

    def submit(
        self, request: Request[RehearsalSettings], uploaded: Uploaded, http: Http | None
    ) -> Ticket:
        """Submit an order."""
        body = {"pictures": dict(uploaded.data), **changed_values(request.settings)}
        reply = _check_reply(require_http(http).submit("/tasks", json=body, timeout=5.0))
        return Ticket({"task": reply.json["task"]})

    def poll(self, ticket: Ticket, http: Http | None) -> Progress | Result:
        """Poll the task."""
        task = _check_reply(require_http(http).get(f"/tasks/{ticket.data['task']}")).json
        if task["status"] == "failed":
            raise Failed("The service could not make it.", "Try another picture.")
        if task["status"] != "success":
            return Progress("Generating", task["progress"] / 100)
        return Result((RemoteFile(task["url"]),), credits=task["credits"])

    def cancel(self, ticket: Ticket, http: Http | None) -> CancelOutcome:
        """Cancel the task."""
        _check_reply(require_http(http).post(f"/tasks/{ticket.data['task']}/cancel"))
        return CancelOutcome.FREE

    def balance(self, http: Http | None) -> Balance | None:
        """Ask for the balance."""
        return Balance(_check_reply(require_http(http).get("/balance")).json["balance"])


def _check_reply(reply: Reply) -> Reply:
    if reply.status == 401:
        raise BadKey("The key was refused.", "Make a new one.", Rehearsal.key_url)
    if reply.status == 402:
        raise NoCredits("No credits are left.", "Add credits to your Tripo account.")
    if reply.status == 429:
        raise RateLimited("Too many at once.", "Wait.")
    if not reply.ok or not isinstance(reply.json, dict):
        raise Failed(f"The service answered {reply.status}.")
    return reply
