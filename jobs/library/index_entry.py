# SPDX-License-Identifier: GPL-3.0-or-later
"""One job's entry in the library's index, and how it is read from the job's folder."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ...providers import LibraryProblem, Message, os_reason
from ..disk.plain_files import is_plain
from ..steps.fingerprint import order_of, settings_text
from ..values import Record, State
from .file_names import ORIGINAL, RECORD
from .import_log import last_import
from .labels import read_label
from .store import Library
from .versions import versions

SAFE_AGE = 2.0
"""Minimum age of a job's files, in seconds, for their times to reveal every later change.

Two changes within a shorter time could get the same time: FAT stores it in steps of two seconds.
"""

Stamp = tuple[int, int, int]
"""The folder's and the record's modification times, in ns, and the record's size in bytes.

If any of these has changed, the job is read again.
"""
NO_STAMP: Stamp = (0, 0, 0)
"""The stamp of a job that has just changed: its times might not reveal another change."""


class Entry(NamedTuple):
    """One job as lists show it.

    `seconds` is how long the job has taken so far. `thumbnail` is the name of an image file in the
    job's folder, or None. `settings` are those that differ from their defaults, as JSON. `failure`
    is the error's sentence, or empty. `order` is equal for equal images and settings. `taken`: the
    service accepted the order. `imported` is the time of the last import into a scene, or None.
    `size` is the size of the folder in bytes. `title` is the name that the user gave to the result,
    else the image's name. `starred`: the user gave it a star. `own`: this user created the job.
    `missing`: the job is ready, but its files are gone. `versions` has a line for each version of
    the model after the first: its file, and the edit that made it.
    """

    job: str
    state: State
    provider: str
    name: str
    created: str
    credits: float | None
    seconds: float
    faces: int | None
    format: str | None
    thumbnail: str | None
    settings: str
    failure: str
    taken: bool
    order: str
    imported: str | None
    size: int
    title: str
    starred: bool
    own: bool
    missing: bool
    versions: str


Known = dict[str, tuple[Stamp, Entry | str]]
"""For each job id, its stamp, and its entry or a sentence that says why it cannot be read."""


def scan(
    root: Path, known: Mapping[str, tuple[Stamp, Entry | str]]
) -> Iterator[tuple[str, tuple[Stamp, Entry | str]]]:
    """Yield every job of a library as an item of `Known`, reading only new and changed jobs.

    Raises LibraryProblem if the library's folder cannot be read; yields nothing if it is missing.
    """
    library, now = Library(root), time.time_ns()
    for job in _folders(root):
        stamp = _stamp(root / job, now)
        if stamp is None:
            continue
        before = known.get(job)
        if before is not None and before[0] == stamp != NO_STAMP:
            yield job, before
        else:
            yield job, (stamp, _read_entry(library, job))


def _folders(root: Path) -> list[str]:
    """Return the names of the folders that may be jobs; none if the library is missing.

    Raises LibraryProblem if the library cannot be read.
    """
    try:
        with os.scandir(root) as children:
            return [
                child.name
                for child in children
                if child.name[0] != "." and child.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    except NotADirectoryError as error:
        raise LibraryProblem(
            Message("{path} is not a folder.", path=root), "Choose another library folder."
        ) from error
    except OSError as error:
        raise LibraryProblem(
            Message(
                "The library folder {path} cannot be read: {reason}.",
                path=root,
                reason=os_reason(error),
            ),
            "Choose another library folder.",
        ) from error


def _stamp(folder: Path, now: int) -> Stamp | None:
    """Return the stamp of a job; None for a folder without a record. `now` is in nanoseconds.

    A job that changed less than `SAFE_AGE` seconds ago gets `NO_STAMP`.
    """
    try:
        record, own = os.lstat(folder / RECORD), os.lstat(folder)
    except OSError:
        return None
    if now - max(record.st_mtime_ns, own.st_mtime_ns) < SAFE_AGE * 1e9:
        # Also if a network drive's clock is ahead: then the job is reread until that time is past.
        return NO_STAMP
    return own.st_mtime_ns, record.st_mtime_ns, record.st_size


def _read_entry(library: Library, job: str) -> Entry | str:
    try:
        record = library.load(job)
    except LibraryProblem as problem:
        return str(problem)
    return _entry(record, library.root / job)


def read_entry(root: Path, job: str) -> Entry | str:
    """Return a job's current entry, or a sentence that says why its record cannot be read."""
    return _read_entry(Library(root), job)


def _entry(record: Record, folder: Path) -> Entry:
    # Until there is a preview, lists show the image from which the mesh is made.
    front = next((picture.file for picture in record.pictures if picture.file), None)
    label = read_label(folder)
    return Entry(
        job=record.id,
        state=record.state,
        provider=record.provider,
        name=record.name,
        created=record.created,
        credits=record.credits,
        seconds=record.seconds,
        faces=record.faces,
        format=record.format,
        thumbnail=record.preview or front,
        settings=settings_text(record.provider, record.settings),
        failure=record.failure.message if record.failure else "",
        taken=record.ticket is not None,
        order=order_of(record, folder),
        imported=last_import(folder),
        size=_bytes_in(folder),
        title=label.name or record.name,
        starred=label.starred,
        own=record.own,
        missing=record.state is State.READY and not _has_mesh(record, folder),
        versions="\n".join(
            " ".join((version.file, *version.made_by.split()[:1]))
            for version in versions(folder)
            if version.file != ORIGINAL
        ),
    )


def _has_mesh(record: Record, folder: Path) -> bool:
    return any(is_plain(folder / name) for name in (record.mesh, ORIGINAL) if name)


def _bytes_in(folder: Path) -> int:
    total = 0
    for path, _, files in os.walk(folder):  # which follows no links
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118
    return total
