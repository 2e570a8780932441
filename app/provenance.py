# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom properties that name the job an object came from."""

from __future__ import annotations

import json

import bpy

from .. import jobs
from ..jobs.custom_properties import DATE, DIGEST, JOB, PICTURE, PROVIDER, SETTINGS, SOURCE

_images: dict[str, int] = {}
"""The session uid of the image data-block that each job of this process was started from."""


def note_image(job: str, image: bpy.types.Image) -> None:
    """Remember the image data-block that a job was started from."""
    _images[job] = image.session_uid


def link_image(job: str, objects: list[bpy.types.Object]) -> None:
    """Link a job's objects to the image data-block that the job was started from, if it exists."""
    uid = _images.get(job)
    image = next((image for image in bpy.data.images if image.session_uid == uid), None)
    for obj in objects if image is not None else ():
        obj[SOURCE] = image


def forget_images() -> None:
    """Forget the images of all jobs."""
    _images.clear()


def properties_of(record: jobs.Record) -> dict[str, str]:
    """Return the custom properties with a job's id, provider, settings, images, and date.

    They include the SHA-256 of the front image, if known. They keep this information in the .blend
    file even if the library is not available.
    """
    front = next((picture for picture in record.pictures if picture.view == "front"), None)
    digest = front and (front.original or front.sha256)
    return {
        JOB: record.id,
        PROVIDER: record.provider,
        SETTINGS: json.dumps(dict(record.settings), ensure_ascii=False),
        PICTURE: ", ".join(picture.name for picture in record.pictures) or record.name,
        DATE: record.created,
        **({DIGEST: digest} if digest else {}),
    }
