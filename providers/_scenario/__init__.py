# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of Scenario's provider, loaded when a job first uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .jobs import cancel, find_jobs, get_balance, get_price, poll
    from .replies import parse_job_id, quoted_cost
    from .uploads import create_asset

__all__ = [
    "cancel",
    "create_asset",
    "find_jobs",
    "get_balance",
    "get_price",
    "parse_job_id",
    "poll",
    "quoted_cost",
]

_HOMES = {
    "jobs": ("cancel", "find_jobs", "poll", "get_price", "get_balance"),
    "replies": ("parse_job_id", "quoted_cost"),
    "uploads": ("create_asset",),
}

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(__name__, globals(), _HOMES)
