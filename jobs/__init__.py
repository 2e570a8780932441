# SPDX-License-Identifier: GPL-3.0-or-later
"""One generation's life: record on disk, thread, events. Nothing here imports bpy."""

from __future__ import annotations

from .batch.sources import Line, read_sources
from .diagnostics import write_diagnostics
from .disk.trash import to_bin
from .library.asset_metadata import asset_catalog, asset_of
from .library.import_log import note_import
from .library.index import LibraryIndex, entries_to_trash, library_index
from .library.index_entry import Entry
from .library.recovery import Left, Means, dismiss
from .library.store import Library, library_folder
from .library.uncertain import forget, is_unsettled, known_of
from .library.viewable_images import thumbnails
from .process.find_blender import blender_command, find_blender
from .process.pool import BackgroundBlender
from .session import Session, session
from .steps.fingerprint import digest_of
from .steps.inputs import picture_from
from .steps.repeated_order import SOON
from .tasks.account_queries import Answer, Enquiries, Enquiry
from .tasks.image_checks import Darkroom, Developed, Lens, Look, darkroom, sent_as
from .tasks.image_download import Fetched, fetches
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
    "SOON",
    "Answer",
    "BackgroundBlender",
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
    "LibraryIndex",
    "Line",
    "Look",
    "Means",
    "PictureSource",
    "Progressed",
    "Record",
    "Session",
    "State",
    "asset_catalog",
    "asset_of",
    "blender_command",
    "darkroom",
    "digest_of",
    "dismiss",
    "entries_to_trash",
    "fetches",
    "find_blender",
    "forget",
    "is_unsettled",
    "known_of",
    "library_folder",
    "library_index",
    "note_import",
    "picture_from",
    "read_sources",
    "sent_as",
    "session",
    "thumbnails",
    "to_bin",
    "write_diagnostics",
]
