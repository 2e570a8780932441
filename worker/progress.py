# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback by which long work reports its progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Report: TypeAlias = Callable[[float, str], None]
"""Takes the fraction done, 0 to 1, and the phase for the user. It may raise to stop the work."""
