# SPDX-License-Identifier: GPL-3.0-or-later
"""What Scenario's provider is built of, loaded when a job first talks to Scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .jobs import cancel, jobs_like, look_at, price_of, units_left
    from .replies import parse_job_id, quoted_cost
    from .uploads import create_asset

__all__ = [
    "cancel",
    "create_asset",
    "jobs_like",
    "look_at",
    "parse_job_id",
    "price_of",
    "quoted_cost",
    "units_left",
]

_HOMES = {
    "jobs": ("cancel", "jobs_like", "look_at", "price_of", "units_left"),
    "replies": ("parse_job_id", "quoted_cost"),
    "uploads": ("create_asset",),
}

if not TYPE_CHECKING:  # it would allow any name at all
    __getattr__ = lazy_names(__name__, globals(), _HOMES)
