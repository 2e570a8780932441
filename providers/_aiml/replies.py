# SPDX-License-Identifier: GPL-3.0-or-later
"""AI/ML API's answers in all their documented shapes: the mesh, its cost, refusals, the balance.

This module is loaded when a job first needs it. Facts: docs.aimlapi.com, as of 2026-08-21.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._shared.adapters import convert, parse_reply, to_json
from .._shared.errors import BadReply
from .._shared.http.addresses import ending_of
from .._shared.messages import Message
from .._shared.provider import Balance, RemoteFile, Result, Ticket
from .._shared.results.base64_text import decode_base64
from .errors import BILLING_PAGE_URL, Order, message_of, refusal, request_id

if TYPE_CHECKING:
    from .._shared.http.reply import Reply

log = logging.getLogger(__name__)

SUPPORT = "You may have been charged for the request: contact help@aimlapi.com with its request ID."
MESH_ENDINGS = frozenset({"glb", "obj", "fbx"})


@dataclass(frozen=True)
class FileObject:
    """A file in an answer: its URL, which may be a data URL, or the file itself in base64."""

    url: str | None = None
    b64_json: str | None = None
    file_name: Any = None
    content_type: Any = None

    @property
    def format(self) -> str | None:
        """The mesh extension of the file's name or URL, without its dot; None without one."""
        for name in (str(self.file_name or ""), self.url or ""):
            if (ending := ending_of(name)) in MESH_ENDINGS:
                return ending
        return None

    @property
    def is_mesh(self) -> bool:
        """Whether the file is a mesh, by its name or content type."""
        return self.format is not None or str(self.content_type).startswith("model/")


@dataclass(frozen=True)
class Usage:
    """The cost of a request, in credits and in US dollars; None if unknown."""

    credits_used: float | None = None
    usd_spent: float | None = None


@dataclass(frozen=True)
class Money:
    """The response of `/v2/billing`: the balance, and its currency's code."""

    current_balance: float
    currency: str = "USD"


@dataclass(frozen=True)
class Credits:
    """The response of the older `/v1/billing/balance`: the balance in credits."""

    balance: float


@dataclass(frozen=True)
class AimlTicket:
    """The data of a ticket: the mesh's URL or its file's name, its format, and its cost in credits.

    The format and the cost are None if unknown. `facts` from the answer are recorded with the job,
    and `notes` are shown to the user.
    """

    url: str = ""
    format: str | None = None
    file: str | None = None
    credits: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def result_of(ticket: Ticket) -> Result:
    """Return the result that a ticket contains. Raises BadReply for invalid data in the ticket."""
    outcome = _ticket_data(ticket)
    mesh = RemoteFile(outcome.url, "mesh", outcome.format, outcome.file)
    return Result((mesh,), credits=outcome.credits, facts=outcome.facts, notes=outcome.notes)


def _ticket_data(ticket: Ticket) -> AimlTicket:
    try:
        return convert(AimlTicket, ticket.data)
    except ValueError as error:
        raise BadReply(
            Message("The ticket in the job's record is not valid: {reason}.", reason=error),
            "Restore the job's record (job.json) from a backup, or generate again.",
        ) from error


def ticket_of(address: str) -> Ticket:
    """Return a ticket for the mesh at this URL."""
    return Ticket({**to_json(AimlTicket(format=FileObject(address).format)), "url": address})


def read_money(reply: Reply) -> Balance:
    """Return the balance in a response of `/v2/billing`.

    Raises the error for a refusal, and BadReply for an invalid response.
    """
    money = parse_reply(Money, check_reply(reply), "balance")
    return Balance(money.current_balance, money.currency)


def read_credits(reply: Reply) -> Balance:
    """Return the balance in a response of `/v1/billing/balance`; errors are as in `read_money`."""
    return Balance(parse_reply(Credits, check_reply(reply), "balance").balance)


def read_answer(reply: Reply, order: Order) -> Ticket:
    """Return the ticket for an answer in any documented shape.

    Raises BadReply if the answer contains no mesh or one that cannot be decoded, and the error for
    a refusal.
    """
    answer = check_reply(reply, order)
    extra = next(_objects(answer.get("remeshing_dir")), FileObject())
    found = next(_meshes(answer), extra if extra.url else None)
    request = request_id(reply) or order.trace
    if found is None:
        # The request may have been charged, and the service's support may find the mesh.
        log.warning("an answer without a mesh: %s", reply.text[:4000])
        raise BadReply(
            Message("AI/ML API returned no mesh (request ID {request}).", request=request),
            SUPPORT,
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
    notes = ("The service also created a bundle with materials and textures.",) if beside else ()
    ticket = AimlTicket(
        format=found.format,
        credits=usage.credits_used,
        facts={name: value for name, value in facts.items() if value is not None},
        notes=notes,
    )
    return _ticket(ticket, found, request)


def _ticket(ticket: AimlTicket, found: FileObject, request: str) -> Ticket:
    """Return a ticket with the URL of the mesh, or with the mesh as a file, decoded from base64.

    Raises BadReply, with the request id, for invalid base64.
    """
    if found.url and not found.url.startswith("data:"):
        return Ticket({**to_json(ticket), "url": found.url})
    try:
        data = decode_base64(found.url or found.b64_json or "")
    except ValueError as error:
        raise BadReply(
            Message(
                "The mesh in the response is not valid base64 (request ID {request}).",
                request=request,
            ),
            SUPPORT,
            BILLING_PAGE_URL,
        ) from error
    format_ = _mesh_format(data)
    name = f"mesh.{format_}"
    return Ticket({**to_json(ticket), "file": name, "format": format_}, {name: data})


def _mesh_format(data: bytearray) -> str:
    if data.startswith(b"glTF"):
        return "glb"
    # OBJ has no signature. The check of the finished file refuses anything else.
    return "fbx" if data.startswith(b"Kaydara FBX") else "obj"


def _meshes(answer: Mapping[str, Any]) -> Iterator[FileObject]:
    """Yield the files that may be the mesh, the most likely one first, and some repeatedly.

    The samples in the documentation have the mesh in `model_mesh`, but its schema in `data`. All
    other fields are searched for files with the name or type of a mesh.
    """
    yield from _objects(answer.get("model_mesh"))
    yield from sorted(_objects(answer.get("data")), key=lambda file: not file.is_mesh)
    output = answer.get("output")
    inner = output.values() if isinstance(output, dict) else ()
    for value in (output, *inner, *answer.values()):
        yield from (file for file in _objects(value) if file.is_mesh)


def _objects(value: object) -> Iterator[FileObject]:
    """Yield the files in a value, which may be an object, a URL, or a list of them.

    Anything else, and an object without a URL or content, is skipped.
    """
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)
        return
    named = {"url": value} if isinstance(value, str) else value
    if isinstance(named, dict):
        with contextlib.suppress(BadReply):
            found = parse_reply(FileObject, named, "file")
            if found.b64_json or re.match(r"https?://|data:", found.url or ""):
                yield found


def _usage(answer: Mapping[str, Any], reply: Reply) -> Usage:
    """Return the cost from the answer's body, with missing values from its headers.

    If that is invalid, return the cost from the headers alone, or an unknown cost.
    """
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
            return parse_reply(Usage, source, "cost")
    return Usage()


def check_reply(reply: Reply, order: Order | None = None) -> Mapping[str, Any]:
    """Return the JSON object of a response. Raises the error that its status or body reports.

    `order` is the order that was answered, or None for a free call. Raises BadReply if the response
    is not a JSON object.
    """
    body = reply.json if isinstance(reply.json, dict) else None
    if not reply.ok:
        raise refusal(reply.status, reply, order)
    if body is None:
        raise BadReply(
            Message(
                "AI/ML API returned something other than JSON: {reply}", reply=message_of(reply)
            ),
            "A proxy may be interfering. Check the service's address in the add-on preferences.",
        )
    status = _status_within(body)
    # Some errors have status 200. A mesh beside an `error` field is paid for, so it is accepted.
    if status >= 400 or (status == 0 and body.get("error") and not any(_meshes(body))):
        raise refusal(status, reply, order)
    return body


def _status_within(body: Mapping[str, Any]) -> int:
    """Return the HTTP status that a body contains as a number or a string, or 0 without one."""
    value = str(body.get("statusCode") or body.get("status") or "")
    return int(value) if re.fullmatch(r"[0-9]{1,3}", value) else 0
