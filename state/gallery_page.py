# SPDX-License-Identifier: GPL-3.0-or-later
"""Paging of the gallery."""

from __future__ import annotations

RESULTS_PER_PAGE = 6
"""Results that the gallery shows at once; only their thumbnails are loaded."""


def page_count(results: int) -> int:
    """Return the number of pages for this many results; at least 1."""
    return max(1, -(-results // RESULTS_PER_PAGE))


def page_slice(page: int, results: int) -> slice:
    """Return the slice of results on a page. A page past the end means the last one."""
    start = min(page, page_count(results) - 1) * RESULTS_PER_PAGE
    return slice(start, start + RESULTS_PER_PAGE)
