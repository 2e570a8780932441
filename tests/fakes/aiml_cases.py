# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of both AI/ML API models: refusals and their errors, calls, jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image_to_mesh.jobs import JobSpec, PictureSource
from image_to_mesh.providers import Picture, Provider, Request, Secret, Ticket, Uploaded
from image_to_mesh.providers import read_picture_info as read_info
from image_to_mesh.providers._shared.http.client import Http

from . import WORKER
from .aiml import KEY, NO_CREDITS, NO_KEY, Aiml, Fault, classic
from .running import end_of as end_of
from .running import wait_until as wait_until

KEYS = "https://aimlapi.com/app/keys"
BILLING = "https://aimlapi.com/app/billing/"
VERIFICATION = "https://aimlapi.com/app/billing/verification"
MODELS = "https://aimlapi.com/models"
VERIFY = "Please complete verification to use the API: https://aimlapi.com/app/billing/verification"
FREE = "Free-tier limit: You've reached your free limit for the hour. Get AI/ML Subscription"
MAINTENANCE = "The model is under maintenance, please contact us. Your Request ID is “x”"
PARTNER = "Something wrong with the server. Please, try again later."
GATEWAY = "<!DOCTYPE html><html><head><title>502 Bad\n Gateway</title></head><body>…</body></html>"


@dataclass(frozen=True)
class Row:
    """A refusal, and the error that it must become."""

    name: str
    fault: Fault
    kind: str
    says: str
    link: str = ""
    hint: str = ""


def _row(name: str, status: int, body: Any, kind: str, *rest: str, **headers: str) -> Row:
    return Row(name, Fault(status, body, headers), kind, *rest)


def _issue(field: str, message: str) -> dict[str, Any]:
    issues = [{"path": [field], "message": message}]
    return classic(400, "Body validation error!", data={"kind": "ERR", "issues": issues})


_ENUM = "Invalid enum value. Expected 'a' | 'b', received 'c'"
_NO_MODEL = "Invalid enum value. Expected 'triposr', received '{model}'"
_FUNDS = "You've run out of funds. Please top up https://aimlapi.com/app/billing"

ERRORS = (
    # The documented table.
    _row("400", 400, classic(400, "Body validation error!"), "invalid_settings", "Body valid"),
    _row("400 enum", 400, _issue("output_format", _ENUM), "invalid_settings", "output_format: Inv"),
    _row("400 url", 400, _issue("image_url", "Invalid url"), "bad_image", "Invalid url", "",
         "public https URL"),
    _row("400 front", 400, _issue("front_image_url", "Invalid"), "bad_image", "front_image_url"),
    _row("400 words", 400, classic(400, f"Body validation error\n{_ENUM}"), "invalid_settings",
         "received 'c'"),
    _row("400 model", 400, _issue("model", _NO_MODEL), "failed", "received", MODELS,
         "no longer be available"),
    _row("400 quoted", 400, _issue("image_url", "Invalid url 'data:image/png;base64,iVBO+/='"),
         "bad_image", "image_url: Invalid url 'data:…'"),
    _row("401 quoted", 401, classic(401, "Key {key} is unknown"), "bad_key", "Key … is", KEYS),
    _row("401", 401, classic(401, NO_KEY), "bad_key", "valid API key", KEYS, "new key"),
    _row("403 credits", 403, classic(403, NO_CREDITS), "no_credits", "run out of credits", BILLING,
         "Add credits"),
    _row("403 verify", 403, classic(403, VERIFY), "bad_key", "verification", VERIFICATION,
         "Verify your account"),
    _row("403 region", 403, classic(403, "Not available in your region"), "bad_key", "region",
         VERIFICATION),
    _row("404", 404, classic(404, "Cannot POST /x"), "failed", "Cannot POST", MODELS,
         "no longer be available"),
    _row("422", 422, classic(422, "Unprocessable"), "invalid_settings", "Unprocessable"),
    _row("429", 429, classic(429, "Too Many Requests"), "rate_limited", "Too Many", "",
         "Resume the job later"),
    _row("429 free", 429, classic(429, FREE), "rate_limited", "free limit", BILLING),
    _row("429 long", 429, classic(429, "Too Many Requests"), "rate_limited", "Too Many", "",
         "Wait 900 s", **{"Retry-After": "900"}),
    _row("500", 500, classic(500, "Internal server error"), "failed", "Internal", "",
         "not charge"),
    _row("500 partner", 500, classic(500, PARTNER), "failed", "Something wrong"),
    _row("500 down", 500, classic(500, MAINTENANCE), "unreachable", "maintenance"),
    _row("502", 502, classic(502, "Bad Gateway"), "uncertain", "Bad Gateway", BILLING),
    _row("503", 503, classic(503, "Service unavailable"), "uncertain", "unavailable", BILLING),
    _row("504", 504, classic(504, "Generation timeout"), "failed", "Generation timeout", "",
         "not charge"),
    # Other forms of the same refusals.
    _row("new shape", 403, {"title": "Forbidden", "status": 403, "message": _FUNDS},
         "no_credits", "run out of funds", BILLING),
    _row("title alone", 401, {"title": "Unauthorized", "status": 401}, "bad_key", "Unauthorized",
         KEYS),
    _row("like OpenAI", 400, {"error": {"message": "nope", "type": "x"}}, "invalid_settings",
         "nope"),
    _row("error text", 401, {"error": "bad token"}, "bad_key", "bad token", KEYS),
    _row("list", 400, {"message": ["mc_resolution must be a number", "b"], "statusCode": 400},
         "invalid_settings", "mc_resolution must be a number; b"),
    _row("number", 429, {**classic(429, FREE), "statusCode": 429}, "rate_limited", "free limit",
         BILLING),
    _row("text", 404, "no such thing", "failed", "no such thing", MODELS),
    _row("empty", 404, "", "failed", "returned status 404", MODELS),
    _row("null", 401, None, "bad_key", "null", KEYS),
    _row("array", 401, [1], "bad_key", "[1]", KEYS),
    _row("402", 402, classic(402, "Pay"), "no_credits", "Pay", BILLING),
    _row("413", 413, "<html><title>413 Request Entity Too Large</title></html>", "bad_image",
         "413 Request Entity", "", "smaller"),
    _row("418", 418, classic(418, "teapot"), "failed", "teapot"),
    _row("policy", 400, classic(400, "Image flagged by the content policy"), "rejected",
         "flagged", "", "another image"),
    _row("policy 403", 403, classic(403, "NSFW content is prohibited"), "rejected", "NSFW"),
    # Refusals with the status of a success.
    _row("200 text status", 200, classic(401, NO_KEY), "bad_key", "valid API key", KEYS),
    _row("200 429", 200, classic(429, FREE), "rate_limited", "free limit", BILLING),
    _row("200 error", 200, {"error": {"message": "worker died"}}, "failed", "worker died"),
    _row("200 number", 200, {"status": 403, "message": _FUNDS}, "no_credits", "funds", BILLING),
    # Answers that leave open whether the order was taken.
    _row("200 page", 200, "<html><title>Sign in</title></html>", "bad_reply", "Sign in"),
    _row("200 list", 200, [], "bad_reply", "JSON"),
    _row("200 nothing", 200, {}, "bad_reply", "no mesh", BILLING, "request ID"),
    _row("200 null", 200, {"data": None, "meta": None}, "bad_reply", "no mesh", BILLING),
    _row("200 no url", 200, {"model_mesh": {"url": None}, "data": []}, "bad_reply", "no mesh",
         BILLING),
    _row("200 odd url", 200, {"model_mesh": {"url": 5}}, "bad_reply", "no mesh",
         BILLING),
    _row("200 key", 200, classic(401, "Key {key} is unknown"), "bad_key", "Key … is", KEYS),
    _row("200 odd base64", 200, {"data": [{"b64_json": "*~*"}]}, "bad_reply", "not valid base64",
         BILLING, "may have been charged"),
    _row("502 page", 502, GATEWAY, "uncertain", "502 Bad Gateway", BILLING, "image-to-mesh-"),
    _row("524 page", 524, "<html></html>", "uncertain", "524", BILLING, "not be resubmitted"),
    _row("503 empty", 503, "", "uncertain", "503", BILLING),
    _row("redirect", 307, "", "bad_reply", "redirects", Location="https://example.com/"),
    Row("silence", Fault(0), "uncertain", "no response was received", BILLING, "image-to-mesh-"),
    Row("silence after", Fault(0, taken=True), "uncertain", "no response", BILLING,
        "not be resubmitted"),
)  # fmt: skip

AGAIN = ("rate_limited",)
"""Temporary refusals: the request is retried a few times, and again by the next resume."""


@contextmanager
def connection(service: Aiml, pauses: list[float], key: str = KEY) -> Iterator[Http]:
    """Open a connection that records its pauses instead of waiting."""
    headers = {"Authorization": f"Bearer {key}"}
    http = Http(service.url, headers, pause=pauses.append)
    try:
        yield http
    finally:
        http.close()


def picture_at(folder: Path, data: bytes, view: str = "front") -> Picture:
    """Return a picture in a folder, as the runner gives it."""
    path = folder / f"{view}-{len(data)}.picture"
    path.write_bytes(data)
    return Picture(view, "cup", path, info=read_info(data, "cup"))


def order(
    provider: Provider[Any],
    service: Aiml,
    *pictures: Picture,
    pauses: list[float] | None = None,
    **settings: Any,
) -> Ticket:
    """Submit once."""
    request = Request(provider.settings(**settings), pictures)
    with connection(service, [] if pauses is None else pauses) as http:
        return provider.submit(request, Uploaded(), http)


def job_for(
    provider: Provider[Any], service: Aiml, library: Path, *pictures: PictureSource, **how: Any
) -> JobSpec:
    """Return a job that is prepared by the fake worker."""
    return JobSpec(
        provider=provider.id,
        settings=how.pop("settings", None) or provider.settings(),
        pictures=pictures,
        library=library,
        keys={"aiml_api_key": Secret(how.pop("key", KEY))},
        base_url=service.url,
        blender=how.pop("blender", WORKER),
        repeated=how.pop("repeated", True),
        **how,
    )


def source(data: bytes, view: str = "front") -> PictureSource:
    """Return the source of a job's picture."""
    return PictureSource("cup", view, lambda: data)
