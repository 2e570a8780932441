# SPDX-License-Identifier: GPL-3.0-or-later
"""The ranges of values in the declarations of settings.

They follow the protocol of `annotated_types.GroupedMetadata`, so pydantic understands them like
`annotated_types.Interval`. Importing annotated_types takes longer than a whole provider, so it is
imported only when pydantic requests the constraints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal


class Interval:
    """A range of numbers, from `ge` to `le` inclusive; None means no limit at that end."""

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
