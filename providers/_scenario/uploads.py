# SPDX-License-Identifier: GPL-3.0-or-later
"""Uploads of images to Scenario's library.

Sources: Scenario's documentation and scenario-sdk 2.4.0; as of November 2026.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadImage, BadReply, TimedOut, Unreachable
from .._shared.http.addresses import segment
from .._shared.images import read_picture_info
from .._shared.messages import Message
from .._shared.provider import Picture
from .errors import check_reply
from .replies import Asset, Upload, job_of, parse_field

if TYPE_CHECKING:
    from .._shared.http.client import Http

INLINE = 3_500_000
"""Maximum bytes of an image that is sent as base64 in JSON: Scenario's gateway accepts 6 MB."""
CHUNK = 8 * 1024 * 1024
"""Size of a chunk of a multipart upload, in bytes."""
POLL_INTERVAL = 1.5
"""Seconds between two polls of an upload."""
POLLS = 200
"""Maximum number of polls before an import counts as timed out: five minutes in all."""


def create_asset(picture: Picture, http: Http) -> str:
    """Create an asset for an image, from its file or its https URL, and return the asset's id.

    Raises BadImage if Scenario rejects the image, TimedOut if it does not import it in time.
    """
    if picture.path is None:
        # Scenario downloads the image itself.
        order = {"url": picture.url, "kind": "image"}
        return _await_import(_begin_upload(order, http), http)
    data = picture.data()
    info = picture.info or read_picture_info(data, picture.name)
    name = f"{picture.name}.{info.format}"
    if len(data) > INLINE:
        return _upload_chunks(name, f"image/{info.format}", data, http)
    text = base64.b64encode(data).decode()
    body = {"name": name, "image": f"data:image/{info.format};base64,{text}"}
    reply = check_reply(http.post("/assets", json=body), otherwise=BadImage)
    return parse_field(reply, "asset", Asset).id


def _upload_chunks(name: str, mime: str, data: bytes, http: Http) -> str:
    count = -(-len(data) // CHUNK)
    order = {
        "fileName": name,
        "fileSize": len(data),
        "contentType": mime,
        "kind": "image",
        "parts": count,
    }
    upload = _begin_upload(order, http)
    if sorted(part.number for part in upload.parts) != list(range(1, count + 1)):
        raise BadReply("Scenario did not return all upload URLs for the image.", "Try again later.")
    for part in upload.parts:
        piece = data[(part.number - 1) * CHUNK : part.number * CHUNK]
        stored = http.put(part.url, piece, mime)
        if not stored.ok:
            raise Unreachable(
                Message(
                    "Uploading the image failed: Scenario's storage returned status {status}.",
                    status=stored.status,
                ),
                "Try again.",
            )
    return _complete(upload.id, http)


def _begin_upload(order: Mapping[str, Any], http: Http) -> Upload:
    reply = check_reply(http.post("/uploads", json=order), otherwise=BadImage)
    return parse_field(reply, "upload", Upload)


def _complete(upload: str, http: Http) -> str:
    """Complete a multipart upload, wait for its import, and return the asset's id.

    A refused call is an error only if the upload is still pending afterward, since Scenario also
    refuses to complete an upload twice.
    """
    reply = http.post(f"/uploads/{segment(upload)}/action", json={"action": "complete"})
    state = _poll(upload, http)
    if state.status == "pending":
        check_reply(reply, otherwise=BadImage)
    return _await_import(state, http)


def _await_import(upload: Upload, http: Http) -> str:
    for _ in range(POLLS):
        if upload.status == "failed":
            message = upload.errorMessage or "Scenario could not process the image."
            raise BadImage(message, "Save the image again as PNG or JPEG.")
        if upload.status == "imported":
            return upload.entityId or _asset_from_job(upload.jobId, http)
        http.wait(POLL_INTERVAL)
        upload = _poll(upload.id, http)
    raise TimedOut("Scenario did not process the image in time.", "Resume the job.")


def _poll(upload: str, http: Http) -> Upload:
    reply = check_reply(http.get(f"/uploads/{segment(upload)}"))
    return parse_field(reply, "upload", Upload)


def _asset_from_job(job: str, http: Http) -> str:
    """Return the asset id from an upload's import job, for an upload that does not contain it.

    Raises BadReply if there is no asset id, or no job.
    """
    asset = ""
    if job:
        finished = job_of(check_reply(http.get(f"/jobs/{segment(job)}")))
        asset = finished.metadata.output.get("entityId", "")
    if not isinstance(asset, str) or not asset:
        raise BadReply(
            "Scenario accepted the image but returned no asset ID.",
            "Try again later. If it happens again, contact the service's support.",
        )
    return asset
