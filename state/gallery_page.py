# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery's page: how many results it shows, and which."""

from __future__ import annotations

RESULTS_PER_PAGE = 6
"""How many results the gallery shows, and has thumbnails loaded for, at once."""


def page_count(results: int) -> int:
    """Return how many pages this many results take; one when there are none."""
    return max(1, -(-results // RESULTS_PER_PAGE))


def page_slice(page: int, results: int) -> slice:
    """Return which results a page shows; the last page for one past the end."""
    start = min(page, page_count(results) - 1) * RESULTS_PER_PAGE
    return slice(start, start + RESULTS_PER_PAGE)
