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
from .assets import asset_catalog, asset_of
from .background import BackgroundBlender
from .bin import to_bin
from .blender_places import blender_command, find_blender
from .catalogue import Catalogue, Entry, catalogue, to_clear
from .darkroom import Darkroom, Developed, Lens, Look, darkroom, sent_as
from .diagnostics import write_diagnostics
from .enquiry import Answer, Enquiries, Enquiry
from .imports import note_import
from .library import Library, library_folder
from .orders import digest_of
from .pictures import picture_from
from .returning import Left, Means, dismiss
from .session import Session, session
from .shelf import Shelf, shelf
from .showing import thumbnails
from .sources import Line, read_sources
from .twice import SOON
from .uncertain import forget, is_unsettled, known_of

__all__ = [
    "SOON",
    "Answer",
    "BackgroundBlender",
    "Catalogue",
    "Collected",
    "Darkroom",
    "Developed",
    "Ended",
    "Enquiries",
    "Enquiry",
    "Entry",
    "Event",
    "Failure",
    "Fetched",
    "InputPicture",
    "JobSpec",
    "JobView",
    "Left",
    "Lens",
    "Library",
    "Line",
    "Look",
    "Means",
    "PictureSource",
    "Progressed",
    "Record",
    "Session",
    "Shelf",
    "State",
    "asset_catalog",
    "asset_of",
    "blender_command",
    "catalogue",
    "darkroom",
    "digest_of",
    "dismiss",
    "fetches",
    "find_blender",
    "forget",
    "is_unsettled",
    "known_of",
    "library_folder",
    "note_import",
    "picture_from",
    "read_sources",
    "sent_as",
    "session",
    "shelf",
    "thumbnails",
    "to_bin",
    "to_clear",
    "write_diagnostics",
]
