# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of fal: its fake, and a connection to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes.fal import Fal, serving
from fakes.fal_calls import connection

from image_to_mesh.providers._shared.http.client import Http


@pytest.fixture
def fake() -> Iterator[Fal]:
    """fal on loopback."""
    with serving() as running:
        yield running


@pytest.fixture
def http(fake: Fal) -> Iterator[Http]:
    """A connection to the fake that does not pause."""
    with connection(fake, lambda _: None) as line:
        yield line
