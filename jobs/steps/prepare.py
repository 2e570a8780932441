# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker request that prepares a model from a mesh file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...providers import InvalidSettings, Provider, all_providers
from ..disk.plain_files import copy_plain, is_plain_up_to
from ..disk.signatures import forget_mark, mark_file
from ..disk.trust import remove_tree, workshop
from ..library.asset_metadata import asset_data
from ..library.file_names import CHUNKS_FOLDER, ORIGINAL, PREVIEW

if TYPE_CHECKING:
    from ..values import Record

MAX_PREVIEW = 32 * 1024 * 1024
LEAST = 64 << 20
"""Mesh size in bytes up to which a model is appended in one piece, which takes about 50 ms."""

_own_chunks: set[Path] = set()
"""Folders whose chunks were made for this process; chunks from elsewhere are not loaded."""

DRAWING = "Rendering the preview"
"""The phase of the worker in which `model.blend` is already complete."""


@contextmanager
def model_request(
    folder: Path,
    record: Record,
    cleanup: Mapping[str, Any] | None = None,
    *,
    in_parts: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield the worker request for a job's model, and mark the model if the block succeeds.

    If `cleanup` is None, the options in the record are used. `in_parts`: a large model is also
    split into chunks. If others can write to the job's folder, the model is made in a temporary
    folder, without chunks.
    """
    with workshop(folder) as place:
        if place == folder:
            with suppress(OSError):
                remove_tree(folder / CHUNKS_FOLDER)  # from an earlier run, or somebody else's
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
    """Record that the chunks in a job's folder were made for this process."""
    _own_chunks.add(folder / CHUNKS_FOLDER)


def has_own_chunks(chunks: Path) -> bool:
    """Return whether a folder of chunks was made for this process."""
    return chunks in _own_chunks


def prepare_request(
    folder: Path,
    record: Record,
    cleanup: Mapping[str, Any] | None,
    *,
    in_parts: bool = False,
    place: Path | None = None,
) -> dict[str, Any]:
    """Return the worker request that prepares a job's model.

    `in_parts`: a large model is also split into chunks, which are only needed if a user is waiting
    for the import. `place` is the folder to make the model in; if it is None, this is the job's
    folder.
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
        "projection": _projection(folder, record),
    }


def _projection(folder: Path, record: Record) -> dict[str, Any] | None:
    """Return the image that the worker projects onto a mesh without colors; None for no image."""
    provider = all_providers().get(record.provider)
    if provider is None or type(provider).projects_image is Provider.projects_image:
        return None
    front = provider.views[0]
    picture = next((picture for picture in record.pictures if picture.view == front), None)
    from ...providers._shared.server_settings.model import settings_of_record

    try:
        wanted = provider.projects_image(settings_of_record(provider, record.settings))
    except InvalidSettings:  # a record of another version
        return None
    if not wanted or picture is None or picture.file is None:
        return None
    return {
        "picture": str(folder / picture.file),
        "orientation": picture.info.orientation if picture.info else 1,
        "rotation": provider.front_rotation,
    }
