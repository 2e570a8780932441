# SPDX-License-Identifier: GPL-3.0-or-later
"""Hints in the words of the command line, for errors whose hints name buttons in Blender."""

from __future__ import annotations

from ..jobs.disk import trust
from ..jobs.steps import repeated_order
from ..providers import CONSENT_HINT

AGAIN = "To submit it again, use “--again”."
HINTS = {
    CONSENT_HINT: "Use an https address, or “--send-unencrypted”.",
    trust.HINT: (
        "Check who can write to this library. To trust it, use “--trust-library”, or Trust This "
        "Library in the preferences in Blender."
    ),
    repeated_order.INSIST: AGAIN,
    repeated_order.GO_ON: f"Continue that job with “resume”. {AGAIN}",
    repeated_order.DECIDE: f"Resolve that job with “settle” first. {AGAIN}",
}
"""Hints for the command line, keyed by the hints for Blender that they replace."""


def hint_here(hint: str) -> str:
    """Return the command line's version of a hint, or the hint itself if it has no such version."""
    return HINTS.get(hint, hint)
