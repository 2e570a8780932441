# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of Scenario: its fake, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes.scenario import serving
from fakes.scenario_calls import connection
from fakes.scenario_state import ScenarioFake

from image_to_mesh.providers._shared.http.client import Http


@pytest.fixture
def fake() -> Iterator[ScenarioFake]:
    """Scenario on loopback."""
    with serving() as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the connection asked for, in place of waiting."""
    return []


@pytest.fixture
def http(fake: ScenarioFake, pauses: list[float]) -> Iterator[Http]:
    """A connection to the fake."""
    with connection(fake, pauses.append) as line:
        yield line
