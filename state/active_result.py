# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out whether the active object is a result of the chosen image and provider."""

from __future__ import annotations

from typing import NamedTuple

import bpy

from .. import jobs
from ..jobs.custom_properties import DIGEST, EDITED_FROM, JOB, PROVIDER, SOURCE
from .preflight import picture_key
from .scene_properties import choices_of, provider_of


class ActiveResult(NamedTuple):
    """A result in the scene: the job that made it, and its root object."""

    job: str
    object: bpy.types.Object


def active_result(context: bpy.types.Context) -> ActiveResult | None:
    """Return the active object's result if the chosen provider made it from the chosen image.

    Return None for any other object, and for a result that is hidden or cannot be edited. An edit
    of the image, such as one with its background removed, counts as the image; side views and
    settings do not matter. Drawing may call this: it reads neither files nor pixels.
    """
    root = result_root(context.view_layer.objects.active)
    image = choices_of(context.scene).image
    if root is None or image is None or root.get(PROVIDER) != provider_of(context.scene).id:
        return None
    if not root.is_editable or not root.visible_get() or not _is_made_from(root, image):
        return None
    return ActiveResult(str(root[JOB]), root)


def result_root(obj: bpy.types.Object | None) -> bpy.types.Object | None:
    """Return the root of the result that an object belongs to, or None."""
    while obj is not None and JOB in obj and obj.parent and JOB in obj.parent:
        obj = obj.parent
    return obj if obj is not None and JOB in obj else None


def _is_made_from(root: bpy.types.Object, image: bpy.types.Image) -> bool:
    source = root.get(SOURCE)
    if isinstance(source, bpy.types.Image) and _original_of(source) == _original_of(image):
        return True
    digest = root.get(DIGEST)
    return bool(digest) and digest == _digest_of(image)


def _original_of(image: bpy.types.Image) -> str:
    """Return the name of the image that an image was edited from, or its own."""
    return str(image.get(EDITED_FROM, image.name))


def _digest_of(image: bpy.types.Image) -> str:
    """Return the SHA-256 of an image's file, or "" if it is not known without reading the file."""
    report = jobs.image_checks().report(picture_key(image))
    if report is not None and report.sha256:
        return report.sha256
    return "" if image.is_dirty else str(image.get(DIGEST, ""))
