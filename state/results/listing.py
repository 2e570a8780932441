# SPDX-License-Identifier: GPL-3.0-or-later
"""The results that the gallery lists, and those on its current page.

The list is filtered once per change and kept, since a panel asks for it at every redraw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import bpy

from ... import jobs
from ...preferences import library
from . import hidden
from .shelf import ALL, NOTHING, shelf_of

ROWS = 3
"""Rows of thumbnails on a page; the columns depend on the width."""
COLUMNS = range(2, 7)
LARGEST_PAGE = ROWS * COLUMNS[-1]
TILE = 79.0
"""Smallest width of a thumbnail with its gap, in pixels at a UI scale of 1."""
BORDERS = 42.0
"""Width that tabs and borders take from a sidebar, in pixels at a UI scale of 1."""
USUAL_WIDTH = 280.0
"""Width of a sidebar that nobody has resized, in pixels at a UI scale of 1."""


class Damaged(NamedTuple):
    """A job whose record cannot be read, and the sentence that says so."""

    job: str
    sentence: str


class Listing(NamedTuple):
    """The results that match the gallery's filters, newest first; damaged ones follow."""

    items: tuple[jobs.Entry | Damaged, ...]
    by_job: Mapping[str, jobs.Entry | Damaged]


_EMPTY = Listing((), {})
_last: list[tuple[tuple[Any, ...], Listing]] = [((), _EMPTY)]
"""The last key, and the list that was made for it."""
_usual = [""]
"""The job whose result was selected by default, so that a newer one does not take its place."""


def listing(context: bpy.types.Context) -> Listing:
    """Return the results that match the gallery's filters."""
    shelf, index = shelf_of(context), jobs.library_index(library(context))
    filters = (shelf.text, shelf.provider, shelf.starred)
    # Comparing is quick as long as nothing changes: the tuples are then identical.
    key = (index.entries, index.damaged, hidden.revision(), *filters)
    if _last[0][0] != key:
        _last[0] = (key, _listing(index, *filters))
    return _last[0][1]


def selected_result(context: bpy.types.Context) -> jobs.Entry | Damaged | None:
    """Return the selected result; None if nothing is listed, or the selected one was just deleted.

    If the user has selected none of the listed results, that is the newest one. It stays selected
    when newer ones arrive: its buttons must not come to act on another result.
    """
    selected, found = shelf_of(context).selected, listing(context)
    if selected == NOTHING or not found.items:
        return None
    if selected not in found.by_job:
        selected = _usual[0] = _usual[0] if _usual[0] in found.by_job else found.items[0].job
    return found.by_job[selected]


def columns(context: bpy.types.Context) -> int:
    """Return how many thumbnails fit side by side in the region, within COLUMNS."""
    return min(max(int(room(context) / TILE), COLUMNS[0]), COLUMNS[-1])


def room(context: bpy.types.Context) -> float:
    """Return the width that the gallery can use, in pixels at a UI scale of 1."""
    scale = context.preferences.system.ui_scale or 1.0  # 0 without a window
    width = context.region.width / scale if context.region else USUAL_WIDTH
    return max(0.0, width - BORDERS)


def page_start(first: int, total: int, size: int) -> int:
    """Return the index of the first result on a page: `first`, but never past the last page's.

    The index is 0 if all results fit on one page. `first` is an index and not the number of a page:
    a sidebar that is dragged wider fits more results on a page, and still starts at the same one.
    """
    if total <= size:
        return 0
    return max(0, min(first, (total - 1) // size * size))


def _listing(index: Any, text: str, provider: str, starred: bool) -> Listing:
    found: Iterable[jobs.Entry] = index.find(
        state=jobs.State.READY, text=text, provider="" if provider == ALL else provider
    )
    away = hidden.jobs_away()
    items: list[jobs.Entry | Damaged] = [
        entry for entry in found if entry.job not in away and (entry.starred or not starred)
    ]
    if not starred and provider == ALL:
        words = text.casefold().split()
        items += [
            Damaged(job, sentence)
            for job, sentence in index.damaged
            if job not in away and all(word in job.casefold() for word in words)
        ]
    return Listing(tuple(items), {item.job: item for item in items})
