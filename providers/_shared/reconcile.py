# SPDX-License-Identifier: GPL-3.0-or-later
"""Matches a service's list of tasks against an order whose answer was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

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
MAX_PAGES = 30
"""Pages of a list that are read at most: more tasks than any account makes in `MAX_TRANSIT`."""


class Page(NamedTuple):
    """A page of a service's list of tasks.

    `clock` is how far the service's clock is ahead. `next` is where the next page begins, in the
    service's own terms, or None after the last page.
    """

    rows: Sequence[Mapping[str, Any]]
    clock: timedelta
    next: Any


def rows_around(
    since: datetime, field: str, read_page: Callable[[Any], Page | None], first: Any
) -> list[Mapping[str, Any]]:
    """Return the rows of a service's list whose tasks were created around `since`.

    `field` has a row's time of creation. `read_page` returns the page that begins at a position,
    or None if the service refuses to list the tasks; `first` is the first page's position.

    A batch may have made many tasks since the order: pages are read to the last one, or to one that
    is older than `since`. Returns an empty list if that is not possible, since a part of the list
    does not show whether only one task matches.
    """
    found: list[Mapping[str, Any]] = []
    position = first
    for _ in range(MAX_PAGES):
        page = read_page(position)
        if page is None:
            break
        then = since + page.clock
        found += [row for row in page.rows if is_near(row.get(field), then)]
        if page.next is None or _is_older([row.get(field) for row in page.rows], then):
            return found
        position = page.next
    return []


def _is_older(created: Sequence[object], since: datetime) -> bool:
    """Return whether a page that is sorted from new to old ends before an order sent at `since`."""
    first, last = (_time(created[0]), _time(created[-1])) if created else (None, None)
    if first is None or last is None:
        return False
    return first > last and last < since - CLOCK_TOLERANCE


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
