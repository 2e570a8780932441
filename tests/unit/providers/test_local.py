# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in provider: calls nobody, costs nothing, and hands its settings to the worker."""

from __future__ import annotations

from typing import Any

import pytest
from unit.local_shapes import DEFAULTS

from image_to_mesh.providers import (
    CancelOutcome,
    InvalidSettings,
    Provider,
    Recipe,
    Request,
    Result,
    Ticket,
    Uploaded,
    get_provider,
    values_of,
)
from image_to_mesh.providers._shared.adapters import parse_settings

PROVIDER: Provider[Any] = get_provider("local")


def result_with(**settings: Any) -> Result:
    """Submit an order with these settings and poll it, both without a connection."""
    request = Request(PROVIDER.settings(**settings), ())
    result = PROVIDER.poll(PROVIDER.submit(request, Uploaded(), None), None)
    assert isinstance(result, Result)
    return result


def test_the_local_provider_needs_blender_but_no_network_or_key() -> None:
    assert PROVIDER.needs == {"blender"}
    assert not PROVIDER.is_remote, "the provider counts as remote"
    assert not PROVIDER.keys
    assert PROVIDER.headers({}) == {}
    assert PROVIDER.balance(None) is None


def test_an_order_is_a_recipe_with_every_setting() -> None:
    result = result_with(shape="relief", face_count=1000)
    settings = {**values_of(PROVIDER.settings()), "shape": "relief", "face_count": 1000}
    assert result.recipe == Recipe("local", settings)
    assert result.files == ()


def test_the_worker_is_tested_with_the_settings_that_it_is_sent() -> None:
    assert values_of(PROVIDER.settings()) == DEFAULTS


def test_the_local_provider_charges_nothing() -> None:
    assert result_with().credits == 0.0
    assert PROVIDER.cancel(Ticket(), None) is CancelOutcome.FREE


@pytest.mark.parametrize(
    ("settings", "inactive"),
    [
        ({"shape": "relief"}, []),
        ({"shape": "inflate"}, ["plate"]),
        ({"shape": "relief", "foreground": "alpha"}, ["tolerance"]),
        ({"shape": "cutout", "foreground": "none"}, ["plate", "tolerance"]),
    ],
    ids=str,
)
def test_settings_without_effect_are_grayed(settings: dict[str, str], inactive: list[str]) -> None:
    fields = PROVIDER.settings(**settings).inactive_fields()
    assert [name for name, _ in fields] == inactive


@pytest.mark.parametrize(
    "values", [{"face_count": "199"}, {"thickness": "0"}, {"shape": "sphere"}], ids=str
)
def test_values_out_of_range_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings, match=next(iter(values))):
        parse_settings(PROVIDER.settings, values)
