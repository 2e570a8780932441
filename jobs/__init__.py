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
from .batch import Batch, Item, match, planned, refused
from .catalogue import Catalogue, Entry, catalogue, to_clear
from .darkroom import Darkroom, Developed, Lens, Look, darkroom, sent_as
from .diagnostics import write_diagnostics
from .enquiry import Answer, Enquiries, Enquiry
from .imports import note_import
from .library import Library, library_folder
from .pictures import picture_from
from .session import Session, session
from .shelf import Shelf, shelf
from .sources import Line, read_sources

__all__ = [
    "Answer",
    "BackgroundBlender",
    "Batch",
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
    "Item",
    "JobSpec",
    "JobView",
    "Lens",
    "Library",
    "Line",
    "Look",
    "PictureSource",
    "Progressed",
    "Record",
    "Session",
    "Shelf",
    "State",
    "blender_command",
    "catalogue",
    "darkroom",
    "fetches",
    "find_blender",
    "library_folder",
    "match",
    "note_import",
    "picture_from",
    "planned",
    "read_sources",
    "refused",
    "sent_as",
    "session",
    "shelf",
    "to_clear",
    "write_diagnostics",
]
