# SPDX-License-Identifier: GPL-3.0-or-later
"""One generation's life: record on disk, thread, events. Nothing here imports bpy."""

from __future__ import annotations

from ._values import (
    Collected,
    Ended,
    Event,
    Failure,
    InputPicture,
    JobSpec,
    JobView,
    PictureSource,
    Progressed,
    Record,
    State,
)
from .background import BackgroundBlender
from .blender_places import blender_command, find_blender
from .enquiry import Answer, Enquiries, Enquiry
from .library import Library, library_folder
from .pictures import picture_from
from .returning import Left, Means, dismiss
from .session import Session, session
from .uncertain import forget, is_unsettled, known_of

__all__ = [
    "Answer",
    "BackgroundBlender",
    "Collected",
    "Ended",
    "Enquiries",
    "Enquiry",
    "Event",
    "Failure",
    "InputPicture",
    "JobSpec",
    "JobView",
    "Left",
    "Library",
    "Means",
    "PictureSource",
    "Progressed",
    "Record",
    "Session",
    "State",
    "blender_command",
    "dismiss",
    "find_blender",
    "forget",
    "is_unsettled",
    "known_of",
    "library_folder",
    "picture_from",
    "session",
]
