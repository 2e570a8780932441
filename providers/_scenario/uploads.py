# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures into Scenario's library (scenario-sdk 2.4.0 and its docs, November 2026)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._shared.errors import BadImage, BadReply, TimedOut, Unreachable
from .._shared.http.addresses import segment
from .._shared.images import read_picture_info
from .._shared.messages import Message
from .._shared.provider import Picture
from .errors import checked
from .replies import Asset, Upload, job_of, part_of

if TYPE_CHECKING:
    from .._shared.http.client import Http

INLINE = 3_500_000
"""Bytes up to which a picture fits into one request: Scenario's gateway takes 6 MB of base64."""
PART = 8 * 1024 * 1024
LOOK = 1.5
LOOKS = 200
"""Seconds between two looks at an upload, and how many there are."""


def create_asset(picture: Picture, http: Http) -> str:
    """Make an asset of a picture and return its id."""
    if picture.path is None:
        order = {"url": picture.url, "kind": "image"}
        return _imported(_begun(order, http), http)
    data = picture.data()
    info = picture.info or read_picture_info(data, picture.name)
    name = f"{picture.name}.{info.format}"
    if len(data) > INLINE:
        return _in_parts(name, f"image/{info.format}", data, http)
    text = base64.b64encode(data).decode()
    body = {"name": name, "image": f"data:image/{info.format};base64,{text}"}
    reply = checked(http.post("/assets", json=body), otherwise=BadImage)
    return part_of(reply, "asset", Asset).id


def _in_parts(name: str, mime: str, data: bytes, http: Http) -> str:
    count = -(-len(data) // PART)
    order = {
        "fileName": name,
        "fileSize": len(data),
        "contentType": mime,
        "kind": "image",
        "parts": count,
    }
    upload = _begun(order, http)
    if sorted(part.number for part in upload.parts) != list(range(1, count + 1)):
        raise BadReply(
            Message("Scenario gave no {count} addresses for the picture's parts.", count=count)
        )
    for part in upload.parts:
        piece = data[(part.number - 1) * PART : part.number * PART]
        stored = http.put(part.url, piece, mime)
        if not stored.ok:
            raise Unreachable(
                Message(
                    "Scenario's storage answered {status} to the picture.", status=stored.status
                ),
                "Try again.",
            )
    return _completed(upload.id, http)


def _begun(order: Mapping[str, Any], http: Http) -> Upload:
    reply = checked(http.post("/uploads", json=order), otherwise=BadImage)
    return part_of(reply, "upload", Upload)


def _completed(upload: str, http: Http) -> str:
    """Say that all parts are there. Said twice it is refused, so its state decides."""
    reply = http.post(f"/uploads/{segment(upload)}/action", json={"action": "complete"})
    state = _look(upload, http)
    if state.status == "pending":
        checked(reply, otherwise=BadImage)
    return _imported(state, http)


def _imported(upload: Upload, http: Http) -> str:
    for _ in range(LOOKS):
        if upload.status == "failed":
            said = upload.errorMessage or "Scenario could not take the picture."
            raise BadImage(said, "Save the picture anew as PNG or JPEG.")
        if upload.status == "imported":
            return upload.entityId or _entity_of(upload.jobId, http)
        http.wait(LOOK)
        upload = _look(upload.id, http)
    raise TimedOut("Scenario did not take in the picture in time.", "Resume the job.")


def _look(upload: str, http: Http) -> Upload:
    reply = checked(http.get(f"/uploads/{segment(upload)}"))
    return part_of(reply, "upload", Upload)


def _entity_of(job: str, http: Http) -> str:
    """Return the asset of an imported upload that does not name it itself."""
    found = ""
    if job:
        told = job_of(checked(http.get(f"/jobs/{segment(job)}")))
        found = told.metadata.output.get("entityId", "")
    if not isinstance(found, str) or not found:
        raise BadReply("Scenario took the picture, but does not name its asset.")
    return found
