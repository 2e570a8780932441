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
from .assets import asset_catalog, asset_of
from .background import BackgroundBlender
from .bin import to_bin
from .blender_places import blender_command, find_blender
from .catalogue import Catalogue, Entry, catalogue, to_clear
from .enquiry import Answer, Enquiries, Enquiry
from .imports import note_import
from .library import Library, library_folder
from .orders import digest_of
from .pictures import picture_from
from .returning import Left, Means, dismiss
from .session import Session, session
from .uncertain import forget, is_unsettled, known_of

__all__ = [
    "Answer",
    "BackgroundBlender",
    "Catalogue",
    "Collected",
    "Ended",
    "Enquiries",
    "Enquiry",
    "Entry",
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
    "asset_catalog",
    "asset_of",
    "blender_command",
    "catalogue",
    "digest_of",
    "dismiss",
    "find_blender",
    "forget",
    "is_unsettled",
    "known_of",
    "library_folder",
    "note_import",
    "picture_from",
    "session",
    "to_bin",
    "to_clear",
]
