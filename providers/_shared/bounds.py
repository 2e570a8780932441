# SPDX-License-Identifier: GPL-3.0-or-later
"""What settings declare their ranges with: annotated_types, which pydantic reads.

An add-on that has loaded another module of that name must not keep this one from registering:
ranges of our own stand in, and the first use of pydantic tells what is in the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING


@dataclass(frozen=True)
class _Interval:
    """A range of numbers; None where it has no end."""

    ge: float | None = None
    le: float | None = None


@dataclass(frozen=True)
class _Ge:
    """The smallest number."""

    ge: float


@dataclass(frozen=True)
class _Le:
    """The largest number."""

    le: float


if TYPE_CHECKING:
    from annotated_types import Ge, Interval, Le
else:
    try:
        from annotated_types import Ge, Interval, Le
    except Exception:  # noqa: BLE001 - it may be anything, and raise anything
        Ge, Interval, Le = _Ge, _Interval, _Le

__all__ = ("Ge", "Interval", "Le")
