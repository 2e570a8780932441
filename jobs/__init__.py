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
from .addresses import Fetched, fetches
from .background import BackgroundBlender, blender_command, find_blender
from .darkroom import Darkroom, Developed, Lens, Look, darkroom, sent_as
from .diagnostics import write_diagnostics
from .enquiry import Answer, Enquiries, Enquiry
from .library import Library, library_folder
from .pictures import picture_from
from .session import Session, session

__all__ = [
    "Answer",
    "BackgroundBlender",
    "Collected",
    "Darkroom",
    "Developed",
    "Ended",
    "Enquiries",
    "Enquiry",
    "Event",
    "Failure",
    "Fetched",
    "InputPicture",
    "JobSpec",
    "JobView",
    "Lens",
    "Library",
    "Look",
    "PictureSource",
    "Progressed",
    "Record",
    "Session",
    "State",
    "blender_command",
    "darkroom",
    "fetches",
    "find_blender",
    "library_folder",
    "picture_from",
    "sent_as",
    "session",
    "write_diagnostics",
]
