# SPDX-License-Identifier: GPL-3.0-or-later
"""One generation's life: record on disk, thread, events. Nothing here imports bpy.

The names below are those that other rooms use all the time; everything else is imported from the
module that defines it.
"""

from __future__ import annotations

from .library.store import Library
from .session import Session, session
from .values import (
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

__all__ = [
    "Collected",
    "Ended",
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
    "session",
]
