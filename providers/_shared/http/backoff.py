# SPDX-License-Identifier: GPL-3.0-or-later
"""How often calls are retried, and how long to wait before that."""

from __future__ import annotations

import random

from .reply import Reply

ATTEMPTS = 5
"""Maximum attempts of a call; with the pauses between them, they bridge an outage of about 8 s."""
LONGEST_PAUSE = 30.0
"""Maximum pause of the exponential backoff, in seconds."""
LONGEST_WAIT = 120.0
"""Longest Retry-After that a call waits for, in seconds; if it is longer, the call fails."""
RETRIED = frozenset({429, 502, 503, 504})
"""Statuses that are usually temporary: a rate limit, or a gateway without its server."""


def delay(attempt: int, reply: Reply | None = None) -> float:
    """Return the seconds to wait after the attempt number `attempt`, which counts from 0.

    The service's own Retry-After takes precedence over the exponential backoff.
    """
    requested = reply.asked_pause if reply else None
    if requested is not None:
        return requested
    # Jitter, so that the jobs of a batch that failed together do not retry together.
    return float(min(0.5 * 2**attempt, LONGEST_PAUSE)) * random.uniform(0.8, 1.2)


def asks_too_long(reply: Reply) -> bool:
    """Return whether a service asks for a longer pause than a call should wait."""
    return (reply.asked_pause or 0.0) > LONGEST_WAIT
