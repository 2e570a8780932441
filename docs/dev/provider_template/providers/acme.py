# SPDX-License-Identifier: GPL-3.0-or-later
"""Acme: a mesh from one image.

Facts: https://docs.acme.example/api, as of 2026-11-28.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from ._shared.adapters import parse_reply
from ._shared.bounds import Interval
from ._shared.errors import (
    BadImage,
    BadKey,
    Expired,
    Failed,
    InvalidSettings,
    NoCredits,
    RateLimited,
    Uncertain,
    Unreachable,
)
from ._shared.http.addresses import segment
from ._shared.images import PictureLimits
from ._shared.messages import Message
from ._shared.provider import (
    Address,
    Balance,
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
from ._shared.settings import Option, Settings, changed_values

if TYPE_CHECKING:
    from ._shared.http.client import Http
    from ._shared.http.reply import Reply


class AcmeSettings(Settings):
    """The service's options, under its own names. None leaves the choice to the service."""

    texture: Annotated[
        bool, Option("Texture", "Texture the mesh with the image's colors", basic=True)
    ] = True
    face_limit: Annotated[
        int | None,
        Interval(ge=100, le=200_000),
        Option(
            "Face Limit",
            "Maximum number of faces; if off, it depends on the shape",
            basic=True,
            group="mesh",
        ),
    ] = None


@dataclass(frozen=True)
class AcmeToken:
    """The answer to an upload."""

    token: str


@dataclass(frozen=True)
class AcmeOrder:
    """The answer to an order."""

    task: str


@dataclass(frozen=True)
class AcmeTask:
    """A task as the service describes it.

    `url` and `credits` are set once the task has succeeded, and `reason` if it has failed.
    `progress` is from 0 to 1.
    """

    status: str
    progress: float = 0.0
    url: str = ""
    credits: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class AcmeBalance:
    """The credits of the account."""

    credits: float


class Acme(Provider[AcmeSettings]):
    """Acme's service, which makes a textured mesh from one image."""

    id = "acme"
    label = "Acme"
    description = "Textured mesh from one image"
    docs_url = "https://docs.acme.example/api"
    key_url = "https://acme.example/account/keys"
    keys = (KeyField("acme_api_key", "ACME_API_KEY"),)
    address = Address("acme_base_url", "ACME_BASE_URL", "https://api.acme.example/v1")
    formats = frozenset({"png", "jpeg"})
    limits = PictureLimits(max_side=4096, max_bytes=10_000_000)
    settings = AcmeSettings

    def upload(self, pictures: tuple[Picture, ...], http: "Http | None") -> Uploaded:
        """Upload the images, and return their tokens by view."""
        return Uploaded(
            {picture.view: _upload(picture, require_http(http)) for picture in pictures}
        )

    def submit(
        self, request: Request[AcmeSettings], uploaded: Uploaded, http: "Http | None"
    ) -> Ticket:
        """Order the mesh with the settings that the user changed, and return the task's ticket.

        Raises Uncertain if the service may have accepted the order without confirming it.
        """
        body = {"image": uploaded.data["front"], **changed_values(request.settings)}
        reply = require_http(http).submit("/tasks", json=body)
        # Behind a server error the order may have been taken: only a refusal says that it was not.
        if not reply.ok and not reply.refused:
            raise Uncertain(_message_of(reply), "Check the service for the task.", self.docs_url)
        task = parse_reply(AcmeOrder, _check(reply), "order").task
        segment(task)  # Raises BadReply for an ID that could never be polled.
        return Ticket({"task": task})

    def poll(self, ticket: Ticket, http: "Http | None") -> Progress | Result:
        """Return the progress of the task or, once it has succeeded, its mesh file.

        Raises Failed if the task failed, Expired if the service no longer has it.
        """
        reply = require_http(http).get(f"/tasks/{segment(ticket.data['task'])}")
        if reply.status == 404:
            raise Expired("Acme no longer has this task.", "Generate the mesh again.")
        task = parse_reply(AcmeTask, _check(reply), "task")
        if task.status == "failed":
            raise Failed(
                task.reason or "Acme could not generate the mesh.",
                "Try another image or other settings.",
            )
        if task.status == "succeeded":
            return Result((RemoteFile(task.url),), credits=task.credits)
        return Progress("Generating", task.progress)

    def balance(self, http: "Http | None") -> Balance | None:
        """Return the remaining credits."""
        reply = _check(require_http(http).get("/balance"))
        return Balance(parse_reply(AcmeBalance, reply, "balance").credits)


def _upload(picture: Picture, http: "Http") -> str:
    kind = picture.info.format if picture.info else "png"
    files = {"file": (picture.name, picture.data(), f"image/{kind}")}
    reply = http.post("/images", files=files)
    if reply.status in (400, 413, 415):
        raise BadImage(_message_of(reply), "Use another image.")
    return parse_reply(AcmeToken, _check(reply), "upload").token


def _check(reply: "Reply") -> Any:
    """Return the decoded body of a response; raise an error if its status is not 2xx."""
    message = _message_of(reply)
    if reply.status == 401:
        raise BadKey(
            message, "Create a new key and set it in the add-on preferences.", Acme.key_url
        )
    if reply.status == 402:
        raise NoCredits(message, "Add credits to your account.")
    if reply.status == 429:
        raise RateLimited(message, "Wait a minute, then resume the job.")
    if reply.status >= 500:
        raise Unreachable(message, "Try again later.")
    if not reply.ok:
        raise InvalidSettings(message, "Change the setting named above.")
    return reply.json


def _message_of(reply: "Reply") -> str:
    """Return the service's error message, or one with the status if it sent none."""
    error = reply.json.get("error") if isinstance(reply.json, dict) else None
    return str(error or Message("Acme returned status {status}.", status=reply.status))
