# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of Hunyuan3D's API server. A job loads them on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .calls import identify, order, result_of, task_state

__all__ = ["identify", "order", "result_of", "task_state"]

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(__name__, globals(), {"calls": tuple(__all__)})
