# SPDX-License-Identifier: GPL-3.0-or-later
"""Money at services: balances, quotes, and prices that a provider declares with their source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ..untrusted_text import clean

if TYPE_CHECKING:
    from ..settings import Settings, Value

_ALWAYS: Mapping[str, Value | tuple[Value, ...] | None] = MappingProxyType({})
_MISSING = object()


class CancelOutcome(StrEnum):
    """Whether a canceled task is charged for. UNKNOWN: the service does not say."""

    FREE = "free"
    CHARGED = "charged"
    UNKNOWN = "unknown"


class Cost(NamedTuple):
    """A price in the service's own unit, such as 30 Credits."""

    amount: float
    unit: str = "Credits"


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of the account, in the service's own unit."""

    amount: float
    unit: str = "Credits"

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", clean(self.unit, 40))


class Price(NamedTuple):
    """A row of a service's price list: what an order costs whose settings have the values `when`.

    A tuple in `when` lists several values. `source` is the page that states the price, and `date`
    the day on which it did, as YYYY-MM-DD. A row that `adds` is a surcharge.
    """

    amount: float
    source: str
    date: str
    when: Mapping[str, Value | tuple[Value, ...] | None] = _ALWAYS
    adds: bool = False
    unit: str = "Credits"

    def holds_for(self, settings: Settings) -> bool:
        """Return whether settings have all values in `when`."""
        return all(
            # A setting of the server that it does not have is no reason for a price.
            getattr(settings, name, _MISSING) in (value if isinstance(value, tuple) else (value,))
            for name, value in self.when.items()
        )


def find_price(prices: Iterable[Price], settings: Settings) -> Price | None:
    """Return what a price list says about an order with these settings, as one row.

    Its amount is that of the first row that holds, and of all surcharges that hold; `source` and
    `date` are that row's. None if no row holds, because the list does not cover these settings.
    """
    rows = [row for row in prices if row.holds_for(settings)]
    base = next((row for row in rows if not row.adds), None)
    if base is None:
        return None
    return base._replace(amount=base.amount + sum(row.amount for row in rows if row.adds))
