# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of a server that the user describes. A job loads them on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .calls import attach, order, state_of
    from .check import check, find_server
    from .form import problems_of

__all__ = ["attach", "check", "find_server", "order", "problems_of", "state_of"]

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(
        __name__,
        globals(),
        {
            "calls": ("attach", "order", "state_of"),
            "check": ("check", "find_server"),
            "form": ("problems_of",),
        },
    )
