# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel knows of the library: results, usual times and last prices, all in memory.

A thread looks at the library; drawing reads what it found. Nothing here imports bpy.
"""

from __future__ import annotations

import contextlib
import functools
import statistics
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...providers import ImageToMeshError, LibraryProblem
from ..values import Record, State
from .index import Entry, catalogue
from .store import Library

NEWEST = 40
"""How many records are read for the prices of settings."""
USUAL = 10
"""How many jobs of a provider the usual time is taken from."""


class Shelf:
    """The finished jobs of one library, newest first, as the last look found them."""

    def __init__(self) -> None:
        self.results: tuple[Entry, ...] = ()
        self.size = 0
        self.version = 0
        """Goes up with every look that found something else."""
        self._seconds: Mapping[str, float] = {}
        self._prices: Mapping[str, tuple[tuple[Mapping[str, Any], float], ...]] = {}
        self._read: dict[str, Record] = {}
        self._looking = threading.Lock()

    def look_soon(self, root: Path) -> None:
        """Look at the library on another thread, unless one looks already."""
        if not self._looking.locked():
            threading.Thread(target=self._look_quietly, args=(root,), daemon=True).start()

    def look(self, root: Path) -> None:
        """Look at the library; raises LibraryProblem."""
        with self._looking:
            known = catalogue(root)
            if not known.opened:
                known.refresh()
            ready = tuple(one for one in known.entries if one.state is State.READY)
            if ready == self.results and self.version:
                return
            self._seconds = _usual_seconds(ready)
            self._prices = self._last_prices(Library(root), ready)
            self.results, self.size = ready, known.size
            self.version += 1

    def find(self, text: str) -> tuple[Entry, ...]:
        """Return the results with all the words of the text in name or provider."""
        words = text.casefold().split()
        if not words:
            return self.results
        return _found(self.results, tuple(words))

    def seconds(self, provider: str) -> float | None:
        """Return how long a provider's jobs usually take; None where that is not known."""
        return self._seconds.get(provider)

    def price(self, provider: str, settings: Mapping[str, Any]) -> float | None:
        """Return what the same settings last cost; None where they were never used."""
        for used, paid in self._prices.get(provider, ()):
            if used == settings:
                return paid
        return None

    def _look_quietly(self, root: Path) -> None:
        with contextlib.suppress(LibraryProblem, OSError):
            self.look(root)

    def _last_prices(
        self, library: Library, ready: tuple[Entry, ...]
    ) -> dict[str, tuple[tuple[Mapping[str, Any], float], ...]]:
        paid = [one for one in ready if one.credits][:NEWEST]
        self._read = {one.job: record for one in paid if (record := self._record(library, one))}
        found: dict[str, list[tuple[Mapping[str, Any], float]]] = {}
        for one in paid:
            if one.job in self._read and one.credits:
                used = dict(self._read[one.job].settings)
                found.setdefault(one.provider, []).append((used, one.credits))
        return {provider: tuple(prices) for provider, prices in found.items()}

    def _record(self, library: Library, entry: Entry) -> Record | None:
        try:
            return self._read.get(entry.job) or library.load(entry.job)
        except ImageToMeshError:
            return None


def _usual_seconds(ready: tuple[Entry, ...]) -> dict[str, float]:
    times: dict[str, list[float]] = {}
    for one in ready:
        known = times.setdefault(one.provider, [])
        if one.seconds > 0 and len(known) < USUAL:
            known.append(one.seconds)
    return {provider: statistics.median(known) for provider, known in times.items() if known}


@functools.lru_cache(maxsize=4)
def _found(results: tuple[Entry, ...], words: tuple[str, ...]) -> tuple[Entry, ...]:
    return tuple(
        one
        for one in results
        if all(word in f"{one.name} {one.provider} {one.job}".casefold() for word in words)
    )


@functools.cache
def shelf() -> Shelf:
    """Return the one shelf of this process."""
    return Shelf()
