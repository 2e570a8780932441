# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders at fal: images in its storage, and the body of a request.

Sources: fal-client 1.0.3, and fal's pages on the queue; as of November 2026.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadImage, BadReply, InvalidSettings, Unreachable
from .._shared.http.addresses import ending_of
from .._shared.messages import Message
from .._shared.provider import Picture, Request, Ticket, Uploaded
from .errors import refusal, submit_refusal
from .inputs import endpoint_of, sent_inputs, shape_for
from .models import LIST, Shape
from .tasks import ticket_of

if TYPE_CHECKING:
    from .._shared.http.client import Http

log = logging.getLogger(__name__)

REST = "https://rest.fal.ai"
INITIATE = f"{REST}/storage/upload/initiate?storage_type=gcs"
LIFETIME = 24 * 3600
"""Seconds for which fal keeps an uploaded image: long enough for the longest queue."""
LIFECYCLE = "X-Fal-Object-Lifecycle-Preference"
STOPPING = (401, 402, 403, 413)
"""Statuses of the storage that an order would get as well."""
VIEWS = ("front", "left", "back", "right")
"""The order of the images in a list, which Tripo's models expect."""


def upload(pictures: tuple[Picture, ...], http: Http) -> Uploaded:
    """Upload the images that are files, and return their addresses by view.

    The address is empty for an image that the storage does not take now: it becomes part of the
    order. Raises the error of a refusal that the order would get as well, such as NoCredits.
    """
    for picture in pictures:
        if picture.path is None and not (picture.url or "").startswith("https://"):
            raise BadImage(
                Message("fal accepts only https URLs for images, but {name} has a different one.",
                        name=picture.name),
                "Download the image and use the file.",
            )  # fmt: skip
    return Uploaded({item.view: _store(item, http) for item in pictures if item.path is not None})


def _store(picture: Picture, http: Http) -> str:
    format_ = _format_of(picture)
    wanted = {"file_name": f"{picture.view}.{format_}", "content_type": f"image/{format_}"}
    headers = {LIFECYCLE: json.dumps({"expiration_duration_seconds": LIFETIME})}
    try:
        reply = http.post(INITIATE, json=wanted, headers=headers)
        if reply.status in STOPPING:
            raise refusal(reply)
        places = reply.json if reply.ok and isinstance(reply.json, dict) else {}
        target, address = places.get("upload_url"), places.get("file_url")
        if isinstance(target, str) and isinstance(address, str) and address.startswith("http"):
            stored = http.put(target, picture.data(), wanted["content_type"])
            if stored.ok:
                return address
    except (BadReply, Unreachable) as error:
        log.info("fal's storage does not take the image: %s", error.message)
    return ""


def _format_of(picture: Picture) -> str:
    if picture.info is not None:
        return picture.info.format
    ending = ending_of(str(picture.path or ""))
    return ending if ending in ("png", "webp") else "jpeg"


def order(request: Request[Any], uploaded: Uploaded, http: Http) -> Ticket:
    """Put a request into the queue of the chosen model, and return its ticket.

    Raises InvalidSettings if the model needs other images or values, before anything is sent.
    """
    endpoint = endpoint_of(request.settings)
    body = body_of(request, uploaded)
    reply = http.submit(f"/{endpoint}", json=body, headers=_queue_headers(request.settings))
    answer = reply.json if reply.ok and isinstance(reply.json, dict) else {}
    request_id = answer.get("request_id")
    if not isinstance(request_id, str) or not request_id:
        raise submit_refusal(reply)
    return ticket_of(request_id, endpoint, str(answer.get("status_url") or ""))


def body_of(request: Request[Any], uploaded: Uploaded) -> dict[str, Any]:
    """Return the inputs of an order: its images and its settings."""
    shape = shape_for(request.settings)
    addresses = {item.view: _address(item, uploaded) for item in request.pictures}
    _check_views(addresses, shape)
    inputs = sent_inputs(request.settings, shape)
    if LIST in shape.pictures:
        images = [addresses[view] for view in VIEWS if view in addresses]
        return {shape.pictures[LIST]: images, **inputs}
    images_by_field = {shape.pictures[view]: address for view, address in addresses.items()}
    return {**images_by_field, **inputs}


def _address(picture: Picture, uploaded: Uploaded) -> str:
    address = picture.url or uploaded.data.get(picture.view)
    if address:
        return str(address)
    data = base64.b64encode(picture.data()).decode()
    return f"data:image/{_format_of(picture)};base64,{data}"


def _check_views(views: Mapping[str, str], shape: Shape) -> None:
    if LIST not in shape.pictures and not views.keys() <= shape.pictures.keys():
        raise InvalidSettings("The model takes a single image.", "Clear the side views.")
    if not set(shape.needs) <= views.keys() or len(views) < shape.least:
        missing = [view for view in shape.needs if view not in views]
        message: str = Message("The model requires {count} images.", count=shape.least)
        if missing:
            message = "The model requires front, left, and back images."
        raise InvalidSettings(message, "Add the other views, or choose another model.")


def _queue_headers(settings: Any) -> dict[str, str]:
    headers: dict[str, str] = {}
    if settings.priority != "normal":
        headers["X-Fal-Queue-Priority"] = settings.priority
    if settings.start_timeout is not None:
        headers["X-Fal-Request-Timeout"] = str(float(settings.start_timeout))
    if settings.expiration_duration_seconds is not None:
        seconds = settings.expiration_duration_seconds
        headers[LIFECYCLE] = json.dumps({"expiration_duration_seconds": seconds})
    return headers
