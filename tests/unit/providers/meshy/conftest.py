# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of Meshy: its fake, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes.meshy import Meshy, serving
from fakes.meshy_calls import connection

from image_to_mesh.providers._shared.http.client import Http


@pytest.fixture
def fake() -> Iterator[Meshy]:
    """Meshy on loopback."""
    with serving() as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    """The pauses that the connection asked for, in place of waiting."""
    return []


@pytest.fixture
def http(fake: Meshy, pauses: list[float]) -> Iterator[Http]:
    """A connection to the fake."""
    with connection(fake, pauses.append) as line:
        yield line
