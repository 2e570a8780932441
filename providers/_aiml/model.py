# SPDX-License-Identifier: GPL-3.0-or-later
"""The base class of AI/ML API's models: the synchronous call, its answer, the balance.

Facts: docs.aimlapi.com, pages as of 2026-08-21 (image generation, errors, request tracing,
account balance). The documentation shows several shapes of the same answer; all are read.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Generic

from .. import _aiml as calls
from .._shared.errors import InvalidSettings, Uncertain
from .._shared.http.addresses import BadAddress, read_address
from .._shared.messages import Message
from .._shared.provider import (
    Address,
    Balance,
    CancelOutcome,
    KeyField,
    Picture,
    Progress,
    Provider,
    Request,
    Result,
    S,
    Ticket,
    Uploaded,
    require_http,
)
from .._shared.settings import changed_values
from .errors import KEY_PAGE_URL, Order, uncertain_error

if TYPE_CHECKING:
    from .._shared.http.client import Http

GENERATIONS = "/v1/images/generations"
TRACE = "X-Client-Request-Id"
MAX_ANSWER = 256 * 1024 * 1024
"""Maximum bytes of an answer. A mesh inside it is in base64, a third larger than its file."""

DISK_SPACE = MAX_ANSWER + MAX_ANSWER * 3 // 4
"""Bytes of disk space for the recorded answer, and for the mesh file decoded from it."""


class AimlProvider(Provider[S], Generic[S]):
    """A model of AI/ML API.

    The call is synchronous: the answer to the order contains the result, so there is nothing to
    poll or cancel. `model` is the service's name for the model, and `fields` maps views to fields
    of the request. `answer_timeout` is the maximum number of seconds to wait for the answer.
    """

    page = "aiml"
    docs_url = "https://docs.aimlapi.com/api-references/3d-generating-models"
    key_url = KEY_PAGE_URL
    keys = (KeyField("aiml_api_key", "AIML_API_KEY", "AI/ML API Key"),)
    address = Address("aiml_base_url", "AIML_BASE_URL", "https://api.aimlapi.com")
    formats = frozenset({"png", "jpeg", "webp"})
    takes_urls = True
    rank = 3
    lookup_name = "Mesh URL"
    task_field = "url"
    max_answer_bytes = DISK_SPACE
    model: ClassVar[str]
    fields: ClassVar[Mapping[str, str]]
    answer_timeout: ClassVar[float]

    def upload(self, pictures: tuple[Picture, ...], http: Http | None) -> Uploaded:
        """Return a new request id; nothing is uploaded, since the order itself contains the images.

        The id is saved before the order is sent: if the answer is lost, the service's support can
        find the request by its id.
        """
        return Uploaded({TRACE: _new_trace()})

    def submit(self, request: Request[S], uploaded: Uploaded, http: Http | None) -> Ticket:
        """Submit the request, wait for its answer, and return a ticket that contains the result.

        Raises Uncertain, with the request id, if the service may have received the request but no
        answer arrives.
        """
        pictures = {self.fields[picture.view]: data_url(picture) for picture in request.pictures}
        body = {"model": self.model, **pictures, **changed_values(request.settings)}
        inline = any(picture.url is None for picture in request.pictures)
        order = Order(self.model, inline, str(uploaded.data.get(TRACE) or _new_trace()))
        try:
            reply = require_http(http).submit(
                GENERATIONS,
                json=body,
                timeout=self.answer_timeout,
                headers={TRACE: order.trace},
                limit=MAX_ANSWER,
            )
        except Uncertain as error:
            raise uncertain_error(error.message, order) from error
        return calls.read_answer(reply, order)

    def poll(self, ticket: Ticket, http: Http | None) -> Progress | Result:
        """Return the result that the ticket contains, without a call."""
        return calls.result_of(ticket)

    def cancel(self, ticket: Ticket, http: Http | None) -> CancelOutcome:
        """Return CHARGED, because a ticket exists only once the mesh is finished."""
        return CancelOutcome.CHARGED

    def attach(self, task: str, settings: S) -> Ticket:
        """Return the ticket for the URL of a mesh, which the service's support can look up.

        Raises InvalidSettings if `task` is not an https URL; http is accepted for this computer.
        """
        address = task.strip()
        try:
            url = read_address(address)
        except BadAddress:
            url = None
        if url is None or not (url.scheme == "https" or url.is_loopback):
            raise InvalidSettings(
                Message("“{address}” is not an https URL.", address=address[:60]),
                "Copy the complete URL.",
            )
        return calls.ticket_of(address)

    def balance(self, http: Http | None) -> Balance | None:
        """Return the balance in currency, or in credits if the newer endpoint is not available."""
        reply = require_http(http).get("/v2/billing")
        # For some accounts the newer endpoint does not exist, or refuses the call.
        if reply.status not in (403, 404, 405, 410):
            return calls.read_money(reply)
        return calls.read_credits(require_http(http).get("/v1/billing/balance"))


def _new_trace() -> str:
    import uuid

    return f"image-to-mesh-{uuid.uuid4()}"


def data_url(picture: Picture) -> str:
    """Return the URL of an image, or its file as a data URL if it has no URL."""
    if picture.url is not None:
        return picture.url
    kind = picture.info.format if picture.info else "png"
    return f"data:image/{kind};base64,{base64.b64encode(picture.data()).decode('ascii')}"
