# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of Gradio apps. A job loads them on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .orders import check_app, find_order, order, settings_of_app, upload
    from .progress import leave_queue, task_state

__all__ = [
    "check_app",
    "find_order",
    "leave_queue",
    "order",
    "settings_of_app",
    "space_names",
    "task_state",
    "upload",
]

space_names: dict[str, str] = {}
"""The Spaces that the user entered by name, by their hosts, which do not tell the names."""

_HOMES = {
    "orders": ("check_app", "find_order", "order", "settings_of_app", "upload"),
    "progress": ("leave_queue", "task_state"),
}

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(__name__, globals(), _HOMES)
