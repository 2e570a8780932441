# SPDX-License-Identifier: GPL-3.0-or-later
"""fal's models, and its queue. A job loads the code for its calls on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .account import find_orders, read_balance
    from .inputs import endpoint_of, idle_inputs, read_rows, refused_inputs, views_of
    from .orders import order, upload
    from .tasks import cancel, task_state, ticket_of

__all__ = [
    "cancel",
    "endpoint_of",
    "find_orders",
    "idle_inputs",
    "order",
    "read_balance",
    "read_rows",
    "refused_inputs",
    "task_state",
    "ticket_of",
    "upload",
    "views_of",
]

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    _HOMES = {
        "account": ("find_orders", "read_balance"),
        "inputs": ("endpoint_of", "idle_inputs", "read_rows", "refused_inputs", "views_of"),
        "orders": ("order", "upload"),
        "tasks": ("cancel", "task_state", "ticket_of"),
    }
    __getattr__ = lazy_names(__name__, globals(), _HOMES)
