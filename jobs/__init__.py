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
from .session import Session, session

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
    "Library",
    "PictureSource",
    "Progressed",
    "Record",
    "Session",
    "State",
    "blender_command",
    "find_blender",
    "library_folder",
    "picture_from",
    "session",
]
