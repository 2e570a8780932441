# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of Meshy's provider, and the rules of its settings, loaded when they are first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .orders import find_tasks, submit
    from .rules import broken_rules, idle_settings
    from .tasks import cancel, get_balance, poll

__all__ = [
    "KEY_PAGE_URL",
    "broken_rules",
    "cancel",
    "find_tasks",
    "get_balance",
    "idle_settings",
    "poll",
    "submit",
]

KEY_PAGE_URL = "https://www.meshy.ai/settings/api"

_HOMES = {
    "orders": ("find_tasks", "submit"),
    "rules": ("broken_rules", "idle_settings"),
    "tasks": ("cancel", "get_balance", "poll"),
}

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(__name__, globals(), _HOMES)
