# SPDX-License-Identifier: GPL-3.0-or-later
"""What the background Blender is asked for when a mesh file becomes a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..disk.plain_files import copy_plain, is_plain_up_to
from ..disk.signatures import forget_mark, mark_file
from ..disk.trust import remove_tree, workshop
from ..library.asset_metadata import asset_data
from ..library.file_names import CHUNKS_FOLDER, ORIGINAL, PREVIEW

if TYPE_CHECKING:
    from ..values import Record

MAX_PREVIEW = 32 * 1024 * 1024
LEAST = 64 << 20
"""Bytes of meshes up to which they come in at once, in some 50 ms: a million faces have more."""


_parts: set[Path] = set()
"""Folders with parts that this process had made: nobody else's are taken."""


@contextmanager
def model_request(
    folder: Path,
    record: Record,
    cleanup: Mapping[str, Any] | None = None,
    *,
    in_parts: bool = False,
) -> Iterator[dict[str, Any]]:
    """Give the request that makes a job's model; mark what was made when the block ends well.

    Where others can write to the job's folder it is made elsewhere, and not in parts.
    """
    with workshop(folder) as place:
        if place == folder:
            with suppress(OSError):
                remove_tree(folder / CHUNKS_FOLDER)  # of an earlier time, or of somebody else
            note_own_chunks(folder)
        else:
            in_parts = False
            with suppress(OSError):
                copy_plain(folder / PREVIEW, place / PREVIEW, MAX_PREVIEW)
        if not is_plain_up_to(place / PREVIEW, MAX_PREVIEW):  # a pipe would never be read
            with suppress(OSError):
                (place / PREVIEW).unlink(missing_ok=True)
        forget_mark(place / ORIGINAL)
        chosen = record.plan.cleanup if cleanup is None else cleanup
        yield prepare_request(folder, record, chosen, in_parts=in_parts, place=place)
        mark_file(place / ORIGINAL)


def note_own_chunks(folder: Path) -> None:
    """Note that what lies in parts in a job's folder is made for this process."""
    _parts.add(folder / CHUNKS_FOLDER)


def has_own_chunks(parts: Path) -> bool:
    """Say whether a folder with a model's parts is one that this process had made."""
    return parts in _parts


def prepare_request(
    folder: Path,
    record: Record,
    cleanup: Mapping[str, Any] | None,
    *,
    in_parts: bool = False,
    place: Path | None = None,
) -> dict[str, Any]:
    """Return the request: plain JSON. A large model is made in parts, too, if somebody waits.

    `place` is where the model goes, if that is not the job's folder.
    """
    place = place or folder
    preview = place / PREVIEW
    return {
        "do": "prepare",
        "mesh": str(folder / (record.mesh or "")),
        "name": record.name,
        "output": str(place / ORIGINAL),
        "parts": {"folder": str(place / CHUNKS_FOLDER), "least": LEAST} if in_parts else None,
        "preview": str(preview),
        "render_preview": not preview.is_file(),
        "mending": cleanup,
        "asset": asset_data(record),
    }
