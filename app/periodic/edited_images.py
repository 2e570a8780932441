# SPDX-License-Identifier: GPL-3.0-or-later
"""Use images that the background Blender has edited: cropped or cut out."""

from __future__ import annotations

import bpy

from ... import jobs
from ...jobs.custom_properties import EDITED_FROM
from ...providers import ImageToMeshError
from ...state.scene_properties import choices_of
from .. import heartbeat
from ..chosen_image import choose
from ..redraw import redraw
from ..refusals import show_refusal

# An edit takes a second or more.
INTERVAL = 0.25


def use(context: bpy.types.Context, edited: jobs.EditedImage) -> None:
    """Make an edited image the scene's image. Raise ImageToMeshError if the edit failed."""
    from ...scene.clipboard import load_image_bytes

    if edited.error is not None:
        raise edited.error
    image = load_image_bytes(edited.data, f"{edited.name} prepared")
    image[EDITED_FROM] = edited.original
    before = choices_of(context.scene).image
    is_of_it = before is not None and edited.original in (before.name, before.get(EDITED_FROM))
    choose(context, image, same_subject=is_of_it)


def is_needed(_: bpy.types.Context) -> bool:
    """Return whether an image is being edited."""
    return bool(jobs.image_checks().at_work)


def poll(context: bpy.types.Context, _now: float) -> None:
    """Make a finished edit the scene's image, as one undo step, or show why the edit failed."""
    edited = jobs.image_checks().take()
    if edited is None:
        return
    try:
        use(context, edited)
        # Operators push their own undo step, but a timer runs none here.
        bpy.ops.ed.undo_push(message="Edit Image")
    except ImageToMeshError as error:
        show_refusal(context, error)
    redraw(context)


STEP = heartbeat.Step("edited_images", INTERVAL, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step."""
    heartbeat.remove(STEP)
