# SPDX-License-Identifier: GPL-3.0-or-later
"""Use images that a thread has downloaded."""

from __future__ import annotations

import bpy

from ... import jobs
from ...i18n.translate import tr
from ...providers import ImageToMeshError
from ...state import open_file
from .. import heartbeat
from ..chosen_image import use_as
from ..redraw import redraw
from ..refusals import show_refusal

# Short: the user has just asked for the image and is waiting for it.
INTERVAL = 0.1

_file: list[str] = []
"""The open file's token when the latest download was started."""


def follow() -> None:
    """Poll for the download; its image is used unless another file is opened before it arrives."""
    _file[:] = [open_file.token()]
    heartbeat.wake()


def use(context: bpy.types.Context, arrived: jobs.DownloadedImage) -> None:
    """Use a downloaded image for its view. Raise ImageToMeshError if the download failed."""
    from ...scene.clipboard import load_image_bytes

    if arrived.error is not None:
        raise arrived.error
    use_as(context, load_image_bytes(arrived.data, arrived.name), arrived.view)


def is_needed(_: bpy.types.Context) -> bool:
    """Return whether a download is running."""
    return bool(jobs.image_downloads().waiting())


def poll(context: bpy.types.Context, _now: float) -> None:
    """Use a downloaded image in the scene, as one undo step, or show why the download failed.

    Downloads for a file that is no longer open are ignored.
    """
    arrived = jobs.image_downloads().take()
    if arrived is None or _file != [open_file.token()]:
        return
    try:
        use(context, arrived)
        # Operators push their own undo step, but a timer runs none here.
        bpy.ops.ed.undo_push(message="Open Image")
    except ImageToMeshError as error:
        # Not titled like the chosen image, which has nothing to do with the download.
        show_refusal(context, error, title=tr("Open Image"))
    redraw(context)


STEP = heartbeat.Step("downloaded_images", INTERVAL, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat."""
    heartbeat.add(STEP)


def unregister() -> None:
    """Remove the step; later downloads are ignored."""
    heartbeat.remove(STEP)
    _file.clear()
