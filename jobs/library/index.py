# SPDX-License-Identifier: GPL-3.0-or-later
"""The index of a library: the list of jobs that the gallery, panels, and command line show.

`.catalogue.json`, in the library's folder, is a copy of the index, so that a long list opens
without reading thousands of files. It is only a cache: a job is read again if its folder or record
has changed, and all jobs are read again if the file is missing, damaged, or outdated.
"""

from __future__ import annotations

import contextlib
import functools
import operator
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...providers import ImageToMeshError, LibraryProblem, Message, all_providers
from ..disk.trash import move_to_trash
from ..disk.trust import is_trusted
from ..steps.fingerprint import settings_text
from ..values import State
from .index_entry import NO_STAMP, Entry, Known, read_entry, scan
from .index_file import FILE, read_index, write_index
from .store import Library

USUAL = 10
"""Number of a provider's newest results whose median duration is its usual one."""


class LibraryIndex:
    """The jobs of one library, newest first.

    A refresh on another thread replaces whole tuples, so that drawing code can read them at any
    time without a lock and without accessing the disk.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries: tuple[Entry, ...] = ()
        self.results: tuple[Entry, ...] = ()
        """The finished jobs among the entries."""
        self.damaged: tuple[tuple[str, str], ...] = ()
        """The id of each job whose record cannot be read, with a sentence that says why."""
        self.failure: ImageToMeshError | None = None
        """Why the last refresh on another thread failed; None if it succeeded."""
        self.not_deleted: set[str] = set()
        """Jobs that `delete_soon` could not move to the trash."""
        self.size = 0
        """Size of all jobs together, in bytes."""
        self.opened = self.trusted = False
        self.refreshed_at = self.refresh_seconds = 0.0
        """When the last refresh ended (`time.monotonic`), and how many seconds it took."""
        self._seconds: Mapping[str, float] = {}
        self._prices: Mapping[tuple[str, str], float] = {}
        self._trashed: set[str] = set()
        self._known: Known = {}
        self._written: Known = {}
        self._last_search: tuple[tuple[Entry, ...], tuple[str, ...], tuple[Entry, ...]]
        self._last_search = ((), (), ())
        # Two refreshes at once would read the same folders twice, and the one that started first
        # could overwrite the newer list.
        self._refreshing = threading.Lock()

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for each record that cannot be read."""
        return tuple(text for _, text in self.damaged)

    def open(self) -> None:
        """Load the list that the last refresh saved, without reading any job.

        Does nothing if the index is already open.
        """
        if not self.opened:
            self._written = read_index(self.root / FILE)
            self._show(self._written)

    def refresh(self) -> bool:
        """Read new and changed jobs, and return whether the list has changed.

        Raises LibraryProblem if the library cannot be read, or its folder no longer exists.
        """
        started = time.monotonic()
        with self._refreshing:
            self.open()
            known = dict(scan(self.root, self._known))
            if not known and self._known and not self.root.exists():
                raise LibraryProblem(  # guard: a-missing-drive-is-no-empty-library
                    Message("The library folder {path} was not found.", path=self.root),
                    "Connect its drive, or choose another library folder.",
                )
            changed = known != self._known
            if changed:
                self._show(known)
            # Jobs read by `reread` are in `_known` already, but not yet in the file.
            if known != self._written:
                write_index(self.root, known)
                self._written = known
            self.trusted = is_trusted(self.root)
            self.refreshed_at = time.monotonic()
            self.refresh_seconds = self.refreshed_at - started
            return changed

    def refresh_soon(self) -> None:
        """Refresh on another thread, unless a refresh is running already."""
        # On a thread, because reading a library on a network drive may take seconds, and would
        # freeze Blender's window.
        if not self._refreshing.locked():
            threading.Thread(target=self._refresh_quietly, daemon=True).start()

    def trash_soon(self, entries: Iterable[Entry]) -> None:
        """Move jobs to the system's trash on another thread; jobs that cannot be moved stay.

        Each job is tried only once. Does nothing during a refresh; the caller tries again later.
        """
        # Each job is tried only once: on a drive without a trash, it would be tried at every tick.
        chosen = [entry for entry in entries if entry.job not in self._trashed]
        if chosen and not self._refreshing.locked():
            self._trashed.update(entry.job for entry in chosen)
            # On a thread, because moving many files to the trash would freeze Blender's window.
            threading.Thread(target=self._trash, args=(chosen,), daemon=True).start()

    def delete_soon(self, jobs: Iterable[str]) -> None:
        """Move jobs to the system's trash on another thread.

        Jobs that cannot be moved stay, and are added to `not_deleted`.
        """
        chosen = list(jobs)
        self.not_deleted.difference_update(chosen)
        # On a thread for the same reason as in `trash_soon`.
        threading.Thread(target=self._delete, args=(chosen,), daemon=True).start()

    def reread(self, job: str) -> None:
        """Read one job again now, on this thread, because the user has just changed it."""
        self._show({**self._known, job: (NO_STAMP, read_entry(self.root, job))})

    def find(self, *, state: str = "", provider: str = "", text: str = "") -> tuple[Entry, ...]:
        """Return the jobs in a state and of a provider that contain every word of `text`.

        Empty arguments match all jobs. The words are searched for, ignoring case, in titles, image
        names, IDs, providers and their labels, settings, and errors. The last result is cached,
        since a panel requests the same list at every redraw.
        """
        query = (state, provider, text)
        entries, last_query, matches = self._last_search
        if entries is not self.entries or last_query != query:
            entries = self.entries
            matches = _search(entries, state, provider, text.casefold().split())
            self._last_search = (entries, query, matches)
        return matches

    def usual_seconds(self, provider: str) -> float | None:
        """Return the median seconds of a provider's newest results; None without results."""
        return self._seconds.get(provider)

    def last_price(self, provider: str, settings: Mapping[str, Any]) -> float | None:
        """Return what the same settings cost last, in the service's unit; None if unknown."""
        return self._prices.get((provider, settings_text(provider, settings)))

    def _trash(self, entries: list[Entry]) -> None:
        library = Library(self.root)
        for entry in entries:
            with contextlib.suppress(ImageToMeshError):
                move_to_trash(library, entry.job)
        self._refresh_quietly()

    def _delete(self, jobs: list[str]) -> None:
        library = Library(self.root)
        for job in jobs:
            moved = False
            with contextlib.suppress(ImageToMeshError):
                moved = move_to_trash(library, job)
            if not moved:
                self.not_deleted.add(job)
        self._refresh_quietly()

    def _refresh_quietly(self) -> None:
        try:
            self.refresh()
            self.failure = None
        except ImageToMeshError as error:
            self.failure = error
            # Otherwise the next tick would start another refresh at once.
            self.refreshed_at = time.monotonic()

    def _show(self, known: Known) -> None:
        entries = [entry for _, entry in known.values() if isinstance(entry, Entry)]
        entries.sort(key=operator.attrgetter("created", "job"), reverse=True)
        problems = sorted((job, text) for job, (_, text) in known.items() if isinstance(text, str))
        self._known = known
        self.damaged = tuple(problems)
        self.size = sum(entry.size for entry in entries)
        self.results = tuple(entry for entry in entries if entry.state is State.READY)
        self._seconds = _usual_seconds(self.results)
        self._prices = _last_prices(self.results)
        # Last, because panels detect a new list by a changed `entries`.
        self.entries = tuple(entries)
        self.opened = True


@functools.cache
def library_index(root: Path) -> LibraryIndex:
    """Return this process's index of a library."""
    return LibraryIndex(root)


def entries_to_trash(entries: Iterable[Entry], limit: int) -> list[Entry]:
    """Return the jobs to remove, oldest first, so that the others take at most `limit` bytes.

    Only finished jobs whose mesh was imported are returned: results that were never used stay, even
    if the library then exceeds its limit.
    """
    oldest_first = sorted(entries, key=lambda entry: (entry.created, entry.job))
    excess, chosen = sum(entry.size for entry in oldest_first) - limit, []
    for entry in oldest_first:
        if excess > 0 and entry.state is State.READY and entry.imported:
            chosen.append(entry)
            excess -= entry.size
    return chosen


def _search(
    entries: tuple[Entry, ...], state: str, provider: str, words: list[str]
) -> tuple[Entry, ...]:
    labels = {name: known.label for name, known in all_providers().items()}
    return tuple(
        entry
        for entry in entries
        if state in ("", entry.state)
        and provider in ("", entry.provider)
        and _matches(entry, labels.get(entry.provider, ""), words)
    )


def _matches(entry: Entry, label: str, words: list[str]) -> bool:
    if not words:
        return True
    fields = (
        entry.title,
        entry.name,
        entry.job,
        entry.provider,
        label,
        entry.settings,
        entry.failure,
    )
    text = " ".join(fields).casefold()
    return all(word in text for word in words)


def _usual_seconds(results: Iterable[Entry]) -> dict[str, float]:
    times: dict[str, list[float]] = {}
    for entry in results:
        newest = times.setdefault(entry.provider, [])
        if entry.seconds > 0 and len(newest) < USUAL:
            newest.append(entry.seconds)
    return {provider: _median(seconds) for provider, seconds in times.items() if seconds}


def _median(values: list[float]) -> float:
    # Not `statistics.median`: that module takes longer to import than all of this file.
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def _last_prices(results: Iterable[Entry]) -> dict[tuple[str, str], float]:
    prices: dict[tuple[str, str], float] = {}
    for entry in results:  # newest first: an older price does not replace a newer one
        if entry.credits:
            prices.setdefault((entry.provider, entry.settings), entry.credits)
    return prices
