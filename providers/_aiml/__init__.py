# SPDX-License-Identifier: GPL-3.0-or-later
"""Code shared by the models of AI/ML API. A job loads the code that reads answers on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._shared.lazy_names import lazy_names

if TYPE_CHECKING:
    from .replies import read_answer, read_credits, read_money, result_of, ticket_of

__all__ = ["read_answer", "read_credits", "read_money", "result_of", "ticket_of"]

if not TYPE_CHECKING:  # with a `__getattr__`, a type checker accepts any name at all
    __getattr__ = lazy_names(__name__, globals(), {"replies": tuple(__all__)})
