# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the library, seen at once: a line for each job, kept in one file beside the jobs.

`.catalogue.json` is a copy of what the records say and of how big the folders are, so that a long
list opens without reading thousands of files. It is never the truth: a job is looked at again when
its folder or record has changed, and without the file all of them are.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...providers import ImageToMeshError, LibraryProblem, all_providers
from ...providers._shared.untrusted_text import json_bytes, read_json
from ..disk.plain_files import read_plain, write_whole
from ..disk.trash import to_bin
from ..disk.trust import is_trusted
from ..steps.fingerprint import order_of
from ..values import Record, State
from .import_log import last_import
from .store import RECORD, Library

FILE = ".catalogue.json"
VERSION = 1
MOST = 16 << 20
"""Bytes of the copy, at most: 5,000 jobs take about two million."""
SETTLED = 2.0
"""Seconds after which a time stamp surely tells the next change from the last one."""

Stamp = tuple[int, int, int]
UNSETTLED: Stamp = (0, 0, 0)
_NONE: set[type] = {type(None)}
_NUMBER: set[type] = {int, float}
_TEXT: set[type] = {str}
TYPES: Mapping[str, set[type]] = {
    **dict.fromkeys(("job", "provider", "name", "created", "failure", "order"), _TEXT),
    **dict.fromkeys(("format", "thumbnail", "imported"), _TEXT | _NONE),
    "state": {State},
    "taken": {bool},
    "size": {int},
    "seconds": _NUMBER,
    "credits": _NUMBER | _NONE,
    "faces": {int, type(None)},
}
"""What each field of a line can be: anybody who can write to the library can write the copy."""
COUNTED, LARGEST = ("size", "seconds", "credits", "faces"), 1e20


class Entry(NamedTuple):
    """One job, as lists show it. `thumbnail` is a file's name in the job's folder.

    `order` tells the same picture at the same settings again; `taken`: the service took it.
    `imported` is when its mesh last came into a scene, `size` the folder's bytes.
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
    failure: str
    taken: bool
    order: str
    imported: str | None
    size: int


class Catalogue:
    """The jobs of one library, newest first. What it holds is replaced whole, from any thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries: tuple[Entry, ...] = ()
        self.problems: tuple[str, ...] = ()
        self.size = 0
        self.opened = self.trusted = False
        self.looked = self.took = 0.0
        """When the last look ended, by the steady clock, and how long it took."""
        self._kept: set[str] = set()
        self._known: dict[str, tuple[Stamp, Entry | str]] = {}
        self._found: tuple[tuple[Entry, ...], tuple[str, ...], tuple[Entry, ...]] = ((), (), ())
        self._looking = threading.Lock()

    def open(self) -> None:
        """Show what the last look at the library knew, without looking at it again."""
        if not self.opened:
            self._show(_read(self.root / FILE))

    def refresh(self) -> bool:
        """Look at the library, reading only what is new; say whether anything changed."""
        started = time.monotonic()
        with self._looking:
            self.open()
            before = self._known
            self._show(dict(self._look(before)))
            self.trusted = is_trusted(self.root)
            self.looked = time.monotonic()
            self.took = self.looked - started
            if self._known == before:
                return False
            _write(self.root, self._known)
            return True

    def refresh_soon(self) -> None:
        """Look at the library on another thread, unless one looks already."""
        if not self._looking.locked():
            threading.Thread(target=self._refresh_quietly, daemon=True).start()

    def clear_soon(self, entries: Iterable[Entry]) -> None:
        """Move jobs to the system's bin on another thread; what cannot go there stays."""
        chosen = [one for one in entries if one.job not in self._kept]
        if chosen and not self._looking.locked():
            self._kept.update(one.job for one in chosen)
            threading.Thread(target=self._clear, args=(chosen,), daemon=True).start()

    def find(self, *, state: str = "", provider: str = "", text: str = "") -> tuple[Entry, ...]:
        """Return the jobs in that state, of that provider, with all the words of the text.

        The last answer is kept: a list that is drawn asks the same again and again.
        """
        asked = (state, provider, text)
        entries, last, found = self._found
        if entries is not self.entries or last != asked:
            entries = self.entries
            found = _filtered(entries, state, provider, text.casefold().split())
            self._found = (entries, asked, found)
        return found

    def _clear(self, chosen: list[Entry]) -> None:
        library = Library(self.root)
        for one in chosen:
            with contextlib.suppress(ImageToMeshError):
                to_bin(library, one.job)
        self._refresh_quietly()

    def _refresh_quietly(self) -> None:
        with contextlib.suppress(ImageToMeshError):
            self.refresh()

    def _look(
        self, before: Mapping[str, tuple[Stamp, Entry | str]]
    ) -> Iterator[tuple[str, tuple[Stamp, Entry | str]]]:
        library, now = Library(self.root), time.time_ns()
        for job in _folders(self.root):
            stamp = _stamp(self.root / job, now)
            if stamp is None:
                continue
            known = before.get(job)
            if known is not None and known[0] == stamp != UNSETTLED:
                yield job, known
            else:
                yield job, (stamp, _summary(library, job))

    def _show(self, known: dict[str, tuple[Stamp, Entry | str]]) -> None:
        entries = [one for _, one in known.values() if isinstance(one, Entry)]
        entries.sort(key=operator.attrgetter("created", "job"), reverse=True)
        self._known = known
        self.entries = tuple(entries)
        told = sorted((job, one) for job, (_, one) in known.items() if isinstance(one, str))
        self.problems = tuple(one for _, one in told)
        self.size = sum(one.size for one in entries)
        self.opened = True


@functools.cache
def catalogue(root: Path) -> Catalogue:
    """Return this process's catalogue of a library."""
    return Catalogue(root)


def to_clear(entries: Iterable[Entry], limit: int) -> list[Entry]:
    """Return the jobs that have to go until the rest has at most `limit` bytes, oldest first.

    Only finished ones whose mesh came into a scene: what nobody has used yet stays, whatever the
    limit says.
    """
    listed = sorted(entries, key=lambda one: (one.created, one.job))
    excess, chosen = sum(one.size for one in listed) - limit, []
    for one in listed:
        if excess > 0 and one.state is State.READY and one.imported:
            chosen.append(one)
            excess -= one.size
    return chosen


def _filtered(
    entries: tuple[Entry, ...], state: str, provider: str, words: list[str]
) -> tuple[Entry, ...]:
    labels = {name: one.label for name, one in all_providers().items()}
    return tuple(
        one
        for one in entries
        if state in ("", one.state)
        and provider in ("", one.provider)
        and _has(one, labels.get(one.provider, ""), words)
    )


def _has(entry: Entry, label: str, words: list[str]) -> bool:
    if not words:
        return True
    shown = f"{entry.name} {entry.job} {entry.provider} {label} {entry.failure}".casefold()
    return all(word in shown for word in words)


def _folders(root: Path) -> list[str]:
    """Return the names of the folders that may be jobs'; raises LibraryProblem."""
    try:
        with os.scandir(root) as found:
            return [
                one.name
                for one in found
                if one.name[0] != "." and one.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    except NotADirectoryError as error:
        raise LibraryProblem(f"{root} is no folder.", "Choose another library folder.") from error
    except OSError as error:
        raise LibraryProblem(
            f"The library folder {root} cannot be read: {error.strerror or error}.",
            "Choose another library folder.",
        ) from error


def _stamp(folder: Path, now: int) -> Stamp | None:
    """Return what changes with a job; None for a folder that holds none."""
    try:
        record, own = os.lstat(folder / RECORD), os.lstat(folder)
    except OSError:
        return None
    if now - max(record.st_mtime_ns, own.st_mtime_ns) < SETTLED * 1e9:
        return UNSETTLED
    return own.st_mtime_ns, record.st_mtime_ns, record.st_size


def _summary(library: Library, job: str) -> Entry | str:
    try:
        record = library.load(job)
    except LibraryProblem as problem:
        return str(problem)
    return _entry(record, library.root / job)


def _entry(record: Record, folder: Path) -> Entry:
    front = next((one.file for one in record.pictures if one.file), None)
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
        failure=record.failure.message if record.failure else "",
        taken=record.ticket is not None,
        order=order_of(record, folder),
        imported=last_import(folder),
        size=_bytes_in(folder),
    )


def _bytes_in(folder: Path) -> int:
    total = 0
    for path, _, files in os.walk(folder):  # which follows no links
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_size  # noqa: PTH118
    return total


def _read(path: Path) -> dict[str, tuple[Stamp, Entry | str]]:
    """Return what the file holds; nothing where it is missing, of another version or damaged."""
    states = {str(one): one for one in State}
    try:
        kept = read_json(read_plain(path.parent.resolve() / path.name, MOST))
        if kept["version"] != VERSION:
            return {}
        jobs: dict[str, list[Any]] = kept["jobs"]
        jobs["state"] = [states[state] for state in jobs["state"]]
        if not _is_typed(jobs, kept["stamps"]):  # guard: types-of-the-list
            return {}
        rows = map(Entry._make, zip(*(jobs[name] for name in Entry._fields), strict=True))
        stamps = zip(*kept["stamps"], strict=True)
        known: dict[str, tuple[Stamp, Entry | str]] = {
            one.job: (stamp, one) for stamp, one in zip(stamps, rows, strict=True)
        }
        known.update(
            {job: (tuple(stamp), str(said)) for job, (stamp, said) in kept["problems"].items()}
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return known


def _is_typed(jobs: Mapping[str, list[Any]], stamps: list[Any]) -> bool:
    """Say whether every column has what its field can be: quick, however many lines there are."""
    numbers = {kind for column in stamps for kind in set(map(type, column))}
    if not numbers <= {int} or any(
        not set(map(type, jobs[name])) <= kinds for name, kinds in TYPES.items()
    ):
        return False
    # Others can write what no float can hold, or what is no number.
    return all(abs(one or 0) < LARGEST for name in COUNTED for one in jobs[name])


def _write(root: Path, known: Mapping[str, tuple[Stamp, Entry | str]]) -> None:
    """Keep what is known, a list for each of a line's fields, which are read the quickest.

    A library that cannot be written to is looked at anew each time.
    """
    lines = [(stamp, one) for stamp, one in known.values() if isinstance(one, Entry)]
    columns = zip(*(one for _, one in lines), strict=True) if lines else [()] * len(Entry._fields)
    kept = {
        "version": VERSION,
        "jobs": dict(zip(Entry._fields, columns, strict=True)),
        "stamps": list(zip(*(stamp for stamp, _ in lines), strict=True)) or [(), (), ()],
        "problems": {job: one for job, one in known.items() if isinstance(one[1], str)},
    }
    with contextlib.suppress(OSError):
        write_whole(root.resolve() / FILE, json_bytes(kept))
