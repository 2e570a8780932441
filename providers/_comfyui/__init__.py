# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of ComfyUI's provider. A job loads them on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .calls import cancel, find_order, identify, order, ticket_of, upload
    from .inputs import read_rows
    from .tasks import poll

__all__ = ["cancel", "find_order", "identify", "order", "poll", "read_rows", "ticket_of", "upload"]

_HOMES = {
    "calls": ("cancel", "find_order", "identify", "order", "ticket_of", "upload"),
    "inputs": ("read_rows",),
    "tasks": ("poll",),
}

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(__name__, globals(), _HOMES)
