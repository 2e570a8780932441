# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the tests without Blender: the rehearsal provider, its service, a fake worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FAKES
from fakes.glb import triangle_glb
from fakes.leftovers import Leftovers
from fakes.png import png_of
from fakes.running import Orders
from fakes.service import KEY, Service, serving

from image_to_mesh import providers
from image_to_mesh.jobs import Session
from image_to_mesh.jobs.process import environment
from image_to_mesh.jobs.process.pool import blenders


@pytest.fixture(autouse=True)
def faults_of_the_fake_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pass the variable that chooses a fault on to the fake worker."""
    monkeypatch.setattr(environment, "NAMES", environment.NAMES | {"FAKE_WORKER"})


@pytest.fixture(autouse=True)
def no_leftovers() -> Iterator[None]:
    """Fail a test that leaves a job's thread or a process running.

    Workers are kept for the next job by design, so they are closed first.
    """
    leftovers = Leftovers()
    yield
    blenders().close()
    remaining = leftovers.since()
    assert not remaining, f"the test left running: {', '.join(remaining)}"


@pytest.fixture
def rehearsal(monkeypatch: pytest.MonkeyPatch) -> Iterator[providers.Provider[Any]]:
    """Add the rehearsal provider to the real ones."""
    places = [*providers.__path__, str(FAKES / "services")]
    monkeypatch.setattr(providers, "__path__", places)
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    providers.all_providers.cache_clear()
    yield providers.get_provider("rehearsal")
    providers.all_providers.cache_clear()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Serve the fake service, quick and without faults."""
    with serving(Service(mesh=triangle_glb(5))) as running:
        monkeypatch.setenv("REHEARSAL_BASE_URL", running.url)
        yield running


@pytest.fixture
def png() -> bytes:
    """A real PNG file of 64 × 48 pixels."""
    return png_of(64, 48)


@pytest.fixture
def running() -> Iterator[Session]:
    """A new session, closed after the test."""
    session = Session()
    yield session
    session.close(2.0)


@pytest.fixture
def orders(
    running: Session,
    tmp_path: Path,
    png: bytes,
    rehearsal: providers.Provider[Any],
    service: Service,
) -> Orders:
    """Orders at the fake service, into the test's own folder."""
    return Orders(running, tmp_path, png, service)
