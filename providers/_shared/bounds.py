# SPDX-License-Identifier: GPL-3.0-or-later
"""The ranges that settings are declared with.

They follow the protocol of `annotated_types.GroupedMetadata`, by which pydantic understands them
as it does that library's own `Interval`. The library itself costs more time to import than a whole
provider, so it is loaded only when pydantic asks for the constraints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal


class Interval:
    """A range of numbers, both ends included; None for an open end."""

    __is_annotated_types_grouped_metadata__: ClassVar[Literal[True]] = True
    __slots__ = ("ge", "le")

    def __init__(self, *, ge: float | None = None, le: float | None = None) -> None:
        self.ge = ge
        self.le = le

    def __iter__(self) -> Iterator[object]:
        from annotated_types import Ge, Le

        if self.ge is not None:
            yield Ge(self.ge)
        if self.le is not None:
            yield Le(self.le)
