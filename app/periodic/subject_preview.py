# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the panel's picture of the image up to date while the user changes Foreground and Tolerance.

The worker draws it; this step only requests and shows it.
"""

from __future__ import annotations

import bpy

from ... import jobs
from ...state import visibility
from ...state.previews import sent_image
from .. import heartbeat
from ..redraw import is_shown, redraw

# A preview takes a tenth of a second; users notice a delay of twice that.
INTERVAL = 0.05


def is_needed(context: bpy.types.Context) -> bool:
    """Return whether the tab is visible with a picture that is outdated and can be drawn again."""
    return is_shown(context) and _is_outdated(context)


def poll(context: bpy.types.Context, _now: float) -> None:
    """Show the newest picture, and request the one for the current settings."""
    wish, previews = sent_image.wish_of(context), jobs.subject_previews()
    report = jobs.image_checks().report(wish[0]) if wish else None
    if wish is None or report is None:
        return
    latest = previews.latest
    if latest is not None and latest.pixels and latest.request[0] == wish[0]:
        _show(context, latest)
    if sent_image.current() != wish:
        from ...scene import background_command

        previews.want(jobs.PreviewRequest(*wish), report, background_command())


STEP = heartbeat.Step("subject_preview", INTERVAL, is_needed, poll)


def register() -> None:
    """Add the step to the heartbeat, and hasten it when the tab is drawn."""
    heartbeat.add(STEP)
    visibility.add_waker(_hasten)


def unregister() -> None:
    """Remove the step, and drop the pictures."""
    visibility.remove_waker(_hasten)
    heartbeat.remove(STEP)
    jobs.subject_previews.cache_clear()


def _show(context: bpy.types.Context, latest: jobs.SubjectPreview) -> None:
    if sent_image.current() != latest.request:
        sent_image.show(latest.request, latest.width, latest.height, latest.pixels)
        redraw(context)


def _is_outdated(context: bpy.types.Context) -> bool:
    """Return whether the preview does not match the settings, and a new one can be drawn.

    That needs the image's report with its copy. A preview that could not be drawn is not requested
    again.
    """
    wish = sent_image.wish_of(context)
    if wish is None or wish == sent_image.current():
        return False
    report = jobs.image_checks().report(wish[0])
    if report is None or report.copy is None:
        return False
    # A preview that could not be drawn is not requested again.
    latest = jobs.subject_previews().latest
    return latest is None or latest.request != wish or bool(latest.pixels)


def _hasten() -> None:
    """Run the step soon if the tab was drawn with a preview that does not match the settings."""
    if sent_image.current() is not None and _is_outdated(bpy.context):
        heartbeat.hasten(STEP)
