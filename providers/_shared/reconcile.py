# SPDX-License-Identifier: GPL-3.0-or-later
"""Matches a service's list of tasks against an order whose answer was lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .errors import InvalidSettings
from .messages import Message

if TYPE_CHECKING:
    from .http.reply import Reply

CLOCK_TOLERANCE = timedelta(minutes=2)
"""Maximum difference between the clocks that remains after correction by the Date header."""
MAX_TRANSIT = timedelta(minutes=15)
"""Maximum time from an order to the creation of its task; a large body may take long to upload."""
LONGEST_ID = 200
"""Maximum length of a task id that a user enters, in characters."""


def is_near(created: object, since: datetime) -> bool:
    """Return whether a task may be that of an order sent at `since`, by its time of creation.

    It may be if it was created from `CLOCK_TOLERANCE` before to `MAX_TRANSIT` after `since`.
    `created` is ISO 8601 or seconds since 1970; for anything else, return False.
    """
    time = _time(created)
    return time is not None and since - CLOCK_TOLERANCE <= time <= since + MAX_TRANSIT


def clock_offset(reply: Reply) -> timedelta:
    """Return how far the service's clock is ahead of this computer's, by the Date header.

    Return 0 if the header is missing or invalid.
    """
    from email.utils import parsedate_to_datetime

    try:
        there = parsedate_to_datetime(reply.headers.get("date", ""))
        return there.astimezone(UTC) - _now()  # guard: clock-of-the-service
    except (TypeError, ValueError, OverflowError, IndexError, OSError):
        return timedelta()


def matches_request(
    sent: Mapping[str, Any], listed: Mapping[str, Any], defaults: Mapping[str, Any]
) -> bool:
    """Return whether the inputs that a service lists for a task match those that were sent.

    A listed input must have the value that was sent or, if none was sent, its default. It is
    ignored if it has neither, or if it is a seed that was not sent, which the service chooses.
    Inputs that the service does not list are ignored as well.
    """
    # A seed that was not sent is random, so it cannot tell tasks apart.
    chosen_by_service = {name for name in defaults if "seed" in name.lower()} - set(sent)
    expected = {**defaults, **sent}
    return all(
        _same(expected[name], value)
        for name, value in listed.items()
        if name in expected and name not in chosen_by_service
    )


def validate_task_id(task: str, label: str) -> str:
    """Return the task id that a user entered, without surrounding white space.

    Raises InvalidSettings if it is empty or too long, or could not be one segment of a URL's path.
    `label` is the provider's, for the message.
    """
    task = task.strip()
    plain = all("!" <= char <= "~" and char not in "/?#%" for char in task)
    if not task.strip(".") or len(task) > LONGEST_ID or not plain:
        raise InvalidSettings(
            Message("“{task}” is not a valid {provider} ID.", task=task[:40], provider=label),
            "Copy it from the service's website.",
        )
    return task


def _same(sent: Any, listed: Any) -> bool:
    """Return whether the sent and the listed value of an input may be the same.

    Values of different types match, because they may be two notations of one value. A listed None
    matches any value, but a sent None matches only None.
    """
    if sent is None or listed is None:
        return listed is None
    numbers = isinstance(sent, int | float) and isinstance(listed, int | float)
    return sent == listed if numbers or type(sent) is type(listed) else True


def _now() -> datetime:
    return datetime.now(UTC)


def _time(text: object) -> datetime | None:
    """Parse an ISO 8601 time, in UTC unless it has a zone, or seconds since 1970.

    Return None for anything else.
    """
    try:
        if isinstance(text, int | float):
            return datetime.fromtimestamp(text, UTC)
        time = datetime.fromisoformat(str(text))
    except (ValueError, OverflowError, OSError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
