# SPDX-License-Identifier: GPL-3.0-or-later
"""The bounds of settings: `annotated_types`, which pydantic understands, or a stand-in for it.

Another add-on may have loaded a broken or outdated `annotated_types`. This add-on must still
register, so it falls back to classes of its own; the first use of pydantic then reports the
conflicting module to the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING


@dataclass(frozen=True)
class _Interval:
    """An inclusive range; None for no bound."""

    ge: float | None = None
    le: float | None = None


@dataclass(frozen=True)
class _Ge:
    """An inclusive minimum."""

    ge: float


@dataclass(frozen=True)
class _Le:
    """An inclusive maximum."""

    le: float


if TYPE_CHECKING:
    from annotated_types import Ge, Interval, Le
else:
    try:
        from annotated_types import Ge, Interval, Le
    except Exception:  # noqa: BLE001 - a module of the same name can raise anything
        Ge, Interval, Le = _Ge, _Interval, _Le

__all__ = ("Ge", "Interval", "Le")
