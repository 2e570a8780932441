# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel's entry for a click that started no job."""

from __future__ import annotations

import time

import bpy

from .. import jobs
from ..providers import ImageToMeshError
from ..providers._shared.untrusted_text import readable_name
from ..state.scene_properties import choices_of, provider_of

REFUSED = "refused"
"""Used instead of a job's id if a click on Generate started no job."""


def show_refusal(context: bpy.types.Context, error: ImageToMeshError, *, title: str = "") -> None:
    """Show in the panel why a click started nothing, in place of an earlier refusal.

    The default title is the chosen image's name, or "Generate" without an image.
    """
    image = choices_of(context.scene).image
    hide_refusal()
    jobs.session().show(
        jobs.JobView(
            job=REFUSED,
            provider=provider_of(context.scene).id,
            name=title or (readable_name(image) if image else "Generate"),
            state=jobs.State.FAILED,
            phase="Refused",
            fraction=None,
            started=time.monotonic(),
            failure=jobs.Failure(error.kind, error.message, error.hint, error.link),
        )
    )


def hide_refusal() -> None:
    """Remove the panel's entry for a click that started no job."""
    jobs.session().dismiss(REFUSED)
