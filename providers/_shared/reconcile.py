# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling whether a task in a service's list is an order whose answer never came."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from .errors import InvalidSettings

if TYPE_CHECKING:
    from .http.reply import Reply

CLOCKS_APART = timedelta(minutes=2)
"""By how much the clocks here and there may differ besides what the service's answers tell."""
ON_ITS_WAY = timedelta(minutes=15)
"""How long an order may have been on its way."""
LONGEST_ID = 200


def is_near(told: object, since: datetime) -> bool:
    """Say whether a task was made at the time of the order; one without a time was not."""
    made = _time(told)
    return made is not None and since - CLOCKS_APART <= made <= since + ON_ITS_WAY


def clock_offset(reply: Reply) -> timedelta:
    """Return by how much the service's clock is ahead of this one, by the date of its answer."""
    try:
        there = parsedate_to_datetime(reply.headers.get("date", ""))
        return there.astimezone(UTC) - _now()  # guard: clock-of-the-service
    except (TypeError, ValueError, OverflowError, IndexError, OSError):
        return timedelta()


def matches_request(
    sent: Mapping[str, Any], told: Mapping[str, Any], defaults: Mapping[str, Any]
) -> bool:
    """Say whether what a task tells of its request is what was sent.

    What it leaves out counts for nothing; what was not sent must be as it is by default, but for
    seeds, which the service then chooses.
    """
    chosen_there = {name for name in defaults if "seed" in name.lower()} - set(sent)
    expected = {name: one for name, one in {**defaults, **sent}.items() if name not in chosen_there}
    return all(_same(expected[name], value) for name, value in told.items() if name in expected)


def validate_task_id(task: str, label: str) -> str:
    """Return an id that a person typed, without spaces; raises InvalidSettings for what is none."""
    task = task.strip()
    plain = all("!" <= one <= "~" and one not in "/?#%" for one in task)
    if not task.strip(".") or len(task) > LONGEST_ID or not plain:
        raise InvalidSettings(f"“{task[:40]}” is no task id of {label}.", "Copy it from there.")
    return task


def _same(sent: Any, told: Any) -> bool:
    """Compare values; what is written in another way than it was sent tells nothing."""
    if sent is None or told is None:
        return told is None
    numbers = isinstance(sent, int | float) and isinstance(told, int | float)
    return sent == told if numbers or type(sent) is type(told) else True


def _now() -> datetime:
    return datetime.now(UTC)


def _time(told: object) -> datetime | None:
    """Read a time: ISO 8601, or seconds since 1970; without a zone it is UTC."""
    try:
        if isinstance(told, int | float):
            return datetime.fromtimestamp(told, UTC)
        made = datetime.fromisoformat(str(told))
    except (ValueError, OverflowError, OSError):
        return None
    return made if made.tzinfo else made.replace(tzinfo=UTC)
