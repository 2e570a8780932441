# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the models of AI/ML API: the synchronous call, its answers, the balance.

Facts: docs.aimlapi.com, pages as of 2026-08-21 (image generation, errors, request tracing,
account balance). The documentation shows several shapes of the same answer; all are read.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from .._shared.adapters import parse_reply, to_json
from .._shared.errors import BadReply, InvalidSettings, Uncertain
from .._shared.http.addresses import BadAddress, ending_of, read_address
from .._shared.messages import Message
from .._shared.provider import (
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
    S,
    Ticket,
    Uploaded,
    require_http,
)
from .._shared.settings import changed_values
from .base64_text import decode_base64
from .errors import (
    BILLING_PAGE_URL,
    KEY_PAGE_URL,
    Order,
    message_of,
    refusal,
    request_id,
    uncertain_error,
)

if TYPE_CHECKING:
    from .._shared.http.client import Http
    from .._shared.http.reply import Reply

log = logging.getLogger(__name__)

GENERATIONS = "/v1/images/generations"
TRACE = "X-Client-Request-Id"
MAX_ANSWER = 256 * 1024 * 1024
"""Maximum bytes of an answer. It may contain the mesh in base64, a third larger than the file."""

DISK_SPACE = MAX_ANSWER + MAX_ANSWER * 3 // 4
"""Bytes for the recorded answer, and for the mesh file decoded from it."""

MESH_ENDINGS = frozenset({"glb", "obj", "fbx"})


@dataclass(frozen=True)
class FileObject:
    """A file in an answer: its URL, or the file itself in base64."""

    url: str | None = None
    b64_json: str | None = None
    file_name: Any = None
    content_type: Any = None

    @property
    def format(self) -> str | None:
        """The file extension of the name or URL if it is a mesh format, else None."""
        for name in (str(self.file_name or ""), self.url or ""):
            if (ending := ending_of(name)) in MESH_ENDINGS:
                return ending
        return None

    @property
    def is_mesh(self) -> bool:
        """Whether its name or content type is that of a mesh."""
        return self.format is not None or str(self.content_type).startswith("model/")


@dataclass(frozen=True)
class Usage:
    """The cost of a request."""

    credits_used: float | None = None
    usd_spent: float | None = None


@dataclass(frozen=True)
class Money:
    """The response of `/v2/billing`."""

    current_balance: float
    currency: str = "USD"


@dataclass(frozen=True)
class Credits:
    """The response of the older `/v1/billing/balance`."""

    balance: float


@dataclass(frozen=True)
class AimlTicket:
    """The data of a ticket: where the mesh is, and the facts that the answer contained."""

    url: str = ""
    format: str | None = None
    file: str | None = None
    credits: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class AimlProvider(Provider[S], Generic[S]):
    """A model of AI/ML API.

    The call is synchronous: the answer to the submit contains the result, so there is nothing to
    poll or cancel. `fields` maps views to fields of the request, `answer_timeout` is the seconds to
    wait for the answer.
    """

    docs_url = "https://docs.aimlapi.com/api-references/3d-generating-models"
    key_url = KEY_PAGE_URL
    keys = (KeyField("aiml_api_key", "AIML_API_KEY", "AI/ML API Key"),)
    address = Address("aiml_base_url", "AIML_BASE_URL", "https://api.aimlapi.com")
    formats = frozenset({"png", "jpeg", "webp"})
    takes_urls = True
    lookup_name = "Mesh Address"
    max_answer_bytes = DISK_SPACE
    model: ClassVar[str]
    fields: ClassVar[Mapping[str, str]]
    answer_timeout: ClassVar[float]

    def upload(self, pictures: tuple[Picture, ...], http: Http | None) -> Uploaded:
        """Create a request id. The images themselves are sent with the submit.

        Uploads are saved before the submit: if its answer is lost, the service's support can find
        the request by this id.
        """
        return Uploaded({TRACE: _new_trace()})

    def submit(self, request: Request[S], uploaded: Uploaded, http: Http | None) -> Ticket:
        """Submit the request and wait for its result."""
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
        return read_answer(reply, order)

    def poll(self, ticket: Ticket, http: Http | None) -> Progress | Result:
        """Return the result from the ticket."""
        outcome = parse_reply(AimlTicket, ticket.data, "The job's ticket")
        mesh = RemoteFile(outcome.url, "mesh", outcome.format, outcome.file)
        return Result((mesh,), credits=outcome.credits, facts=outcome.facts, notes=outcome.notes)

    def cancel(self, ticket: Ticket, http: Http | None) -> CancelOutcome:
        """Return CHARGED: a ticket exists only once the mesh is finished."""
        return CancelOutcome.CHARGED

    def attach(self, task: str, settings: S) -> Ticket:
        """Return the ticket of a mesh URL, which the service's support can look up."""
        address = task.strip()
        try:
            url = read_address(address)
        except BadAddress:
            url = None
        if url is None or not (url.scheme == "https" or url.is_loopback):
            raise InvalidSettings(
                Message("“{address}” is not an https address.", address=address[:60]),
                "Copy the complete address.",
            )
        return Ticket({**to_json(AimlTicket(format=FileObject(address).format)), "url": address})

    def balance(self, http: Http | None) -> Balance | None:
        """Return the balance in money, or in credits if the account has none in money."""
        reply = require_http(http).get("/v2/billing")
        # The newer endpoint is missing, or refused, for some accounts.
        if reply.status not in (403, 404, 405, 410):
            money = parse_reply(Money, check_reply(reply), "The balance")
            return Balance(money.current_balance, money.currency)
        reply = require_http(http).get("/v1/billing/balance")
        return Balance(parse_reply(Credits, check_reply(reply), "The balance").balance)


def _new_trace() -> str:
    import uuid

    return f"image-to-mesh-{uuid.uuid4()}"


def data_url(picture: Picture) -> str:
    """Return the https URL of an image, or its bytes as a data URL."""
    if picture.url is not None:
        return picture.url
    kind = picture.info.format if picture.info else "png"
    return f"data:image/{kind};base64,{base64.b64encode(picture.data()).decode('ascii')}"


# -- answers -------------------------------------------------------------------------------------


def read_answer(reply: Reply, order: Order) -> Ticket:
    """Return the ticket for an answer in any documented shape. Raises BadReply without a mesh."""
    answer = check_reply(reply, order)
    extra = next(_objects(answer.get("remeshing_dir")), FileObject())
    found = next(_meshes(answer), extra if extra.url else None)
    request = request_id(reply) or order.trace
    if found is None:
        # It may be paid, and support may find the mesh in it.
        log.warning("an answer without a mesh: %s", reply.text[:4000])
        raise BadReply(
            Message("AI/ML API returned no mesh (request ID {request}).", request=request),
            "The request may have been charged: contact help@aimlapi.com with the request ID.",
            BILLING_PAGE_URL,
        )
    usage = _usage(answer, reply)
    facts = {
        "request_id": request,
        "client_request_id": order.trace,
        "usd_spent": usage.usd_spent,
        "remeshing_dir": extra.url,
    }
    beside = extra.url and extra is not found
    notes = ("The service also created a bundle with material and texture.",) if beside else ()
    ticket = AimlTicket(
        format=found.format,
        credits=usage.credits_used,
        facts={name: value for name, value in facts.items() if value is not None},
        notes=notes,
    )
    return _ticket(ticket, found, request)


def _ticket(ticket: AimlTicket, found: FileObject, request: str) -> Ticket:
    """Return a ticket with the URL of the mesh, or with the decoded mesh as a file."""
    if found.url and not found.url.startswith("data:"):
        return Ticket({**to_json(ticket), "url": found.url})
    try:
        data = decode_base64(found.url or found.b64_json or "")
    except ValueError as error:
        raise BadReply(
            Message(
                "The mesh in the response is not valid base64 (request ID {request}).",
                request=request,
            )
        ) from error
    format_ = _mesh_format(data)
    name = f"mesh.{format_}"
    return Ticket({**to_json(ticket), "file": name, "format": format_}, {name: data})


def _mesh_format(data: bytearray) -> str:
    if data.startswith(b"glTF"):
        return "glb"
    return "fbx" if data.startswith(b"Kaydara FBX") else "obj"


def _meshes(answer: Mapping[str, Any]) -> Iterator[FileObject]:
    """Yield the answer's files, meshes first.

    Samples in the documentation have them in `model_mesh`, its schema in `data`. Any other field is
    searched for files with the name or type of a mesh.
    """
    yield from _objects(answer.get("model_mesh"))
    yield from sorted(_objects(answer.get("data")), key=lambda file: not file.is_mesh)
    output = answer.get("output")
    inner = output.values() if isinstance(output, dict) else ()
    for value in (output, *inner, *answer.values()):
        yield from (file for file in _objects(value) if file.is_mesh)


def _objects(value: object) -> Iterator[FileObject]:
    """Yield the file objects in a value, which may be an object, a URL, or a list of them."""
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)
        return
    named = {"url": value} if isinstance(value, str) else value
    if isinstance(named, dict):
        with contextlib.suppress(BadReply):
            found = parse_reply(FileObject, named, "A file in the answer")
            if found.b64_json or re.match(r"https?://|data:", found.url or ""):
                yield found


def _usage(answer: Mapping[str, Any], reply: Reply) -> Usage:
    """Return the cost from the answer or its headers. An invalid value must not lose the mesh."""
    meta = answer.get("meta")
    usage = meta.get("usage") if isinstance(meta, dict) else None
    value = usage if isinstance(usage, dict) else {}
    in_headers = {
        "credits_used": reply.headers.get("x-aimlapi-credits-used"),
        "usd_spent": reply.headers.get("x-aimlapi-usd-spent"),
    }
    known = {name: value for name, value in in_headers.items() if value}
    message = {name: value for name, value in value.items() if value is not None}
    for source in ({**known, **message}, known):
        with contextlib.suppress(BadReply):
            return parse_reply(Usage, source, "The cost")
    return Usage()


def check_reply(reply: Reply, order: Order | None = None) -> Mapping[str, Any]:
    """Return the JSON object of a response. Raises the error that its status or body means.

    `order` is given for a submit, where a response without JSON may mean that it was charged.
    """
    body = reply.json if isinstance(reply.json, dict) else None
    if not reply.ok:
        raise refusal(reply.status, reply, order)
    if body is None:
        raise BadReply(
            Message(
                "AI/ML API returned something other than JSON: {reply}", reply=message_of(reply)
            ),
            "A proxy may be interfering; check the address in the preferences.",
        )
    status = _status_within(body)
    if status >= 400 or (status == 0 and body.get("error") and not any(_meshes(body))):
        raise refusal(status, reply, order)
    return body


def _status_within(body: Mapping[str, Any]) -> int:
    """Return the status in an error body, a number or a string; 0 without one."""
    value = str(body.get("statusCode") or body.get("status") or "")
    return int(value) if re.fullmatch(r"[0-9]{1,3}", value) else 0
