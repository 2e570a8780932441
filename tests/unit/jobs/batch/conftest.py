# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests of batches: a service that many jobs use at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes.crowd import Crowd, serve_crowd
from fakes.glb import triangle_glb
from fakes.service import KEY


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    """A quick service with ten slots."""
    with serve_crowd(Crowd(takes=0.1, mesh=triangle_glb(5))) as running:
        monkeypatch.setenv("REHEARSAL_BASE_URL", running.url)
        monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
        yield running
