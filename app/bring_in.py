# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a finished job's mesh into the scene: append its model, and prepare it first if needed.

A job that ran where there was no Blender has only its mesh file. The background Blender prepares it
now; if none can start, the file is imported in the artist's own Blender.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from .. import jobs, preferences
from ..jobs.custom_properties import MODEL, ROTATION, VERSION
from ..jobs.disk.plain_files import is_plain
from ..jobs.disk.signatures import is_marked
from ..jobs.disk.trust import (
    check_author,
    is_own_legacy,
    is_private,
    model_to_read,
    not_made_here,
)
from ..jobs.library.file_names import CHUNKS_FOLDER, ORIGINAL, PREVIEW
from ..jobs.steps.prepare import DRAWING, has_own_chunks, model_request
from ..providers import LibraryProblem, Message, NoBlender, TimedOut
from ..state import import_options
from ..state.updates import job_targets
from .orientation import model_of, rotation_for
from .provenance import forget_images, link_image, properties_of

_libraries: dict[str, Path] = {}
"""The library that each job was started in: the preference may change while the job runs."""

BLEND = ORIGINAL
# A fixed name, by which tests and stack dumps recognize the thread.
_PUT_AWAY = "image_to_mesh put away"
LIMIT = 120.0
"""Seconds that preparing may take while the artist's Blender waits for it."""

NOT_LINKED = "Appended instead of linked, because others can write to the library."
IN_PLACE = "Imported in this Blender instance, because the background Blender could not start."


def remember(job: str, root: Path) -> None:
    """Remember the library in which a job was started."""
    _libraries[job] = root


def library_of(context: bpy.types.Context, job: str) -> jobs.Library:
    """Return the library in which a job was started; if unknown, that of the preferences."""
    return jobs.Library(_libraries.get(job) or preferences.library(context))


def unregister() -> None:
    """Forget the libraries, images, and updated objects of this process's jobs."""
    _libraries.clear()
    forget_images()
    job_targets.forget()


def is_there(context: bpy.types.Context, job: str) -> bool:
    """Return whether a job's model is in its folder."""
    # A shared folder gets the model only when it is complete, at the end.
    return (library_of(context, job).folder(job) / BLEND).exists()


def at_hand(context: bpy.types.Context, job: str) -> bool:
    """Return whether a job's model can be placed now; if not, append its next chunks.

    A model with chunks can be placed once all of them have been appended, or if appending them
    failed. A model without chunks can be placed at any time.
    """
    folder = library_of(context, job).folder(job)
    if not has_own_chunks(folder / CHUNKS_FOLDER) or not os.path.isdir(folder / CHUNKS_FOLDER):  # noqa: PTH112 - which raises nothing
        return True
    from ..scene import chunked_append

    return chunked_append.advance(str(folder / BLEND))


def drop_chunks(context: bpy.types.Context, job: str) -> None:
    """Remove a model's chunks that were appended so far, and delete their files on a thread.

    Call this once the model was imported in full, or if it will not be imported.
    """
    folder = library_of(context, job).folder(job)
    chunks = folder / CHUNKS_FOLDER
    from ..scene import chunked_append

    chunked_append.discard(str(folder / BLEND))
    if not os.path.isdir(chunks):  # noqa: PTH112 - which raises nothing
        return
    import shutil

    # On a thread, since chunks may be a gigabyte. rmtree does not follow symbolic links, so it
    # cannot delete anything outside the folder.
    threading.Thread(target=shutil.rmtree, args=(chunks, True), name=_PUT_AWAY, daemon=True).start()


def bring_in(
    context: bpy.types.Context, record: jobs.Record, place: jobs.Placement, blend: str = BLEND
) -> tuple[jobs.Record, bpy.types.Object, tuple[str, ...]]:
    """Put a job's mesh into the scene.

    Return its record as saved now, the root object, and notes for the user. `blend` is the file of
    the version to import. If no background Blender can start, this Blender imports the mesh file,
    but only for the user's own jobs. Raise ImageToMeshError, or OSError if a file cannot be read.
    """
    from ..scene.textures import relocate_textures

    library = library_of(context, record.id)
    check_author(record, library.root)  # guard: strangers-do-not-come-in
    degrees = rotation_for(context, record)
    options: dict[str, Any] = {
        "place": place,
        "rotation": math.radians(degrees),
        "name": record.name,
        "properties": _properties(record, degrees, blend),
    }
    try:
        record, names, notes = _append_own(context, library, record, blend, options)
    except NoBlender:
        # A stranger's file is parsed in the worker only: what crashes an importer here would take
        # the artist's unsaved work with it.
        if not record.own:
            raise
        from ..scene.in_place import import_in_place

        mending = import_options.cleanup_options(context.scene)
        mesh = _mesh(library.folder(record.id), record)
        names, told = import_in_place(context, str(mesh), **options, mending=mending)
        _note_origin(record, [bpy.data.objects[name] for name in names])
        return record, bpy.data.objects[names[0]], (IN_PLACE, *told)
    if blend == BLEND:
        drop_chunks(context, record.id)
    objects = [bpy.data.objects[name] for name in names]
    _note_origin(record, objects)
    notes = (*notes, *relocate_textures(objects, unpack=place.unpack))
    return record, objects[0], notes


def _note_origin(record: jobs.Record, objects: list[bpy.types.Object]) -> None:
    """Link the objects to the image of their job, and record their state before any edit."""
    from ..scene.updating.imported_state import note_imported

    link_image(record.id, objects)
    note_imported(objects)


def _append_own(
    context: bpy.types.Context,
    library: jobs.Library,
    record: jobs.Record,
    blend: str,
    options: dict[str, Any],
) -> tuple[jobs.Record, list[str], tuple[str, ...]]:
    """Append a model that this user's Blender made; rebuild any other from the mesh file first.

    Other users' .blend files are not opened here, since scripts and drivers in them could run.
    Models in shared folders are never linked: they are appended instead, and a note says so.

    Return the record, the names of the objects, the root first, and notes for the user. Raise
    LibraryProblem for an edited version that was not made here: only the original can be rebuilt.
    """
    folder = library.folder(record.id)
    path = folder / blend
    if is_private(folder):
        if not _is_ours(path, record):  # guard: strangers-models-are-made-again
            if blend != BLEND:
                raise not_made_here(path)
            record = _prepare(context, library, record)
        return record, _append(context, path, options), ()
    notes: tuple[str, ...] = ()
    if options["place"].linked:  # guard: no-links-into-shared-folders
        # A link into a shared folder would follow every later change that others make to the file.
        options = {**options, "place": replace(options["place"], linked=False)}
        notes = (NOT_LINKED,)
    if not is_marked(path) and blend == BLEND:
        with model_request(
            folder, record, import_options.cleanup_options(context.scene)
        ) as request:
            record = _make(library, record, request)
            names = _append(context, Path(request["output"]), options)
        return record, names, notes
    with model_to_read(path) as copy:
        return record, _append(context, copy, options), notes


def _append(context: bpy.types.Context, path: Path, options: dict[str, Any]) -> list[str]:
    from ..scene.link_to_scene import append_model

    return append_model(context, str(path), **options)


def _is_ours(path: Path, record: jobs.Record) -> bool:
    """Return whether the model in a private folder was made by this user's own Blender.

    Such a model has a mark. A model without one counts only if the record is this user's, and
    either the model's preview is still being drawn, or the model is older than marks.
    """
    views = jobs.session().views()
    if any(view.job == record.id and view.phase == DRAWING for view in views):
        return record.own and path.name == BLEND and is_plain(path)
    return is_plain(path) and (is_marked(path) or (record.own and is_own_legacy(path)))


def _properties(record: jobs.Record, degrees: int, blend: str) -> dict[str, str | int | float]:
    """Return the custom properties that record an object's provenance, rotation, and version."""
    known: dict[str, str | int | float] = {
        **properties_of(record),
        MODEL: model_of(record.settings),
        ROTATION: degrees,
    }
    return known if blend == BLEND else {**known, VERSION: blend}


def _prepare(context: bpy.types.Context, library: jobs.Library, record: jobs.Record) -> jobs.Record:
    """Prepare `model.blend` in the background Blender, which takes a second or two.

    Return the record as saved afterwards. Raises the same errors as `_make`.
    """
    folder = library.folder(record.id)
    with model_request(folder, record, import_options.cleanup_options(context.scene)) as request:
        return _make(library, record, request)


def _make(library: jobs.Library, record: jobs.Record, request: dict[str, Any]) -> jobs.Record:
    """Have the worker prepare a model, wait for it, and return the record as saved.

    Raises NoBlender, TimedOut after LIMIT seconds, LibraryProblem without a mesh file, or the error
    that the worker answered with.
    """
    from ..scene import background_command

    mesh = _mesh(library.folder(record.id), record)
    # Do not queue behind other jobs: the artist's Blender is blocked until this is done.
    blender = jobs.BackgroundBlender(background_command(), at_once=True)
    done = blender.ask(request, _ignore, _until(time.monotonic() + LIMIT, mesh))
    before = library.load(record.id)
    record = replace(
        before,
        state=jobs.State.READY,
        failure=None,
        blend=BLEND,
        preview=PREVIEW if is_plain(Path(request["preview"])) else None,
        faces=done.get("faces", before.faces),
        # dict.fromkeys removes duplicates and keeps the order.
        notes=tuple(dict.fromkeys((*before.notes, *done.get("notes", ())))),
    )
    library.save(record)
    return record


def _mesh(folder: Path, record: jobs.Record) -> Path:
    mesh = folder / (record.mesh or "")
    if record.mesh is None or not is_plain(mesh):
        raise LibraryProblem(
            Message(
                "The mesh of “{name}” is no longer in {folder}.", name=record.name, folder=folder
            ),
            "Restore the file, or delete the job and generate again.",
        )
    return mesh


def _ignore(phase: str, fraction: float | None) -> None:
    """Ignore progress: the wait is short, and Blender draws nothing during it."""


def _until(end: float, mesh: Path) -> Callable[[], None]:
    """Return a function that raises TimedOut once the monotonic clock is past `end`.

    It does not check for cancellation, since the user cannot cancel anything while Blender waits.
    """

    def check() -> None:
        if time.monotonic() > end:
            raise TimedOut(
                Message(
                    "The mesh could not be prepared for Blender within {seconds} seconds.",
                    seconds=f"{LIMIT:.0f}",
                ),
                Message("Import the file yourself: {path}", path=mesh),
            )

    return check
