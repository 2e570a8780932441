# SPDX-License-Identifier: GPL-3.0-or-later
"""Declared prices have a source and a date, and are found by the settings of an order."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from image_to_mesh.providers import (
    Provider,
    all_providers,
    get_provider,
    is_https_address,
    settings_of,
)
from image_to_mesh.providers._shared.adapters import parse_settings
from image_to_mesh.providers._shared.results.prices import Price, find_price

ROWS = [
    pytest.param(provider, row, id=f"{provider.id}-{number}")
    for provider in all_providers().values()
    for number, row in enumerate(provider.prices)
]


def problems_of(provider: Provider[Any], row: Price) -> list[str]:
    """Return what is missing in a row of a price list, or wrong."""
    found = [] if is_https_address(row.source) else ["source"]
    try:
        day = date.fromisoformat(row.date)
        found += [] if date(2026, 1, 1) <= day <= datetime.now(UTC).date() else ["date"]
    except ValueError:
        found.append("date")
    settings = {setting.name: setting for setting in settings_of(provider.settings)}
    for name, value in row.when.items():
        values = value if isinstance(value, tuple) else (value,)
        choices = [choice.value for choice in settings[name].choices] if name in settings else []
        is_known = name in settings or provider.has_server_settings
        if not is_known or (choices and not set(values) <= set(choices)):
            found.append(name)
    return found + ([] if row.amount > 0 and row.unit == provider.unit else ["amount"])


@pytest.mark.parametrize(("provider", "row"), ROWS)
def test_every_price_has_a_source_a_date_and_settings_that_exist(
    provider: Provider[Any], row: Price
) -> None:
    assert problems_of(provider, row) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"source": ""}, "source"),
        ({"source": "the vendor's page"}, "source"),
        ({"date": ""}, "date"),
        ({"date": "yesterday"}, "date"),
        ({"date": "2999-01-01"}, "date"),
        ({"when": {"shade": "red"}}, "shade"),
        ({"when": {"quad": True, "model": ("v9",)}}, "model"),
        ({"amount": 0}, "amount"),
        ({"unit": "Shells"}, "amount"),
    ],
)
def test_a_price_without_a_source_or_a_date_is_found(change: dict[str, Any], problem: str) -> None:
    tripo = get_provider("tripo")
    assert problem in problems_of(tripo, tripo.prices[0]._replace(**change))


PAGE = "https://docs.tripo3d.ai/get-started/pricing.html"


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        ({}, 30),
        ({"texture": "false", "pbr": "false"}, 20),
        ({"texture_quality": "detailed"}, 40),
        ({"quad": "true", "smart_low_poly": "true"}, 45),
        ({"generate_parts": "true", "texture": "false", "pbr": "false"}, 40),
        ({"model": "P1-20260311"}, 50),
        ({"model": "P1-20260311", "texture": "false", "pbr": "false"}, 40),
        ({"model": "v2.5-20250123", "face_limit": "5000"}, 30),
        # What the page does not state.
        ({"geometry_quality": "detailed"}, None),
        ({"texture_quality": "extreme"}, None),
        ({"model": "P1-20260311", "texture_quality": "detailed"}, None),
    ],
)
def test_tripo_costs_what_its_page_says(given: dict[str, str], amount: float | None) -> None:
    tripo = get_provider("tripo")
    found = find_price(tripo.prices, parse_settings(tripo.settings, given))
    assert (found.amount if found else None) == amount
    if found:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", found.date)
        assert (found.source, found.unit) == (PAGE, "Credits")


def test_aiml_triposr_costs_the_same_with_any_settings() -> None:
    triposr = get_provider("aiml_triposr")
    settings = parse_settings(triposr.settings, {"mc_resolution": "512"})
    found = find_price(triposr.prices, settings)
    assert found is not None
    assert (found.amount, found.unit, found.source) == (182_000, "Credits", triposr.docs_url)


def test_the_first_row_that_holds_counts_and_surcharges_are_added() -> None:
    settings = get_provider("scenario").settings()
    rows = (
        Price(5, "https://a.example", "2026-01-02", {"quad": True}),
        Price(7, "https://b.example", "2026-01-03"),
        Price(8, "https://c.example", "2026-01-04"),
        Price(1, "https://d.example", "2026-01-05", {"pbr": True}, adds=True),
        Price(2, "https://e.example", "2026-01-06", {"quad": True}, adds=True),
    )
    assert find_price(rows, settings) == rows[1]._replace(amount=8)
    assert find_price(rows, replace(settings, quad=True)) == rows[0]._replace(amount=8)
    assert find_price(rows[3:], settings) is None
    assert find_price((), settings) is None
    odd = Price(1, "https://a.example", "2026-01-02", {"no such setting": None})
    assert find_price((odd,), settings) is None
