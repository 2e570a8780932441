# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that is full from any write call of a whole job on: paid results arrive in the end."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import aiml
from fakes.full_disk import FullDisk, fill
from fakes.glb import triangle_glb
from fakes.running import end_of, resume_all
from fakes.service import KEY, Service, serving

from image_to_mesh.cli.exit_codes import exit_code_for
from image_to_mesh.jobs import JobSpec, PictureSource, Session, State, runner
from image_to_mesh.jobs.steps import raw_answer
from image_to_mesh.providers import Provider, Secret, get_provider

pytestmark = pytest.mark.once

FEWEST = 25
"""A lower bound for the write calls of a whole job."""


class Shop:
    """A service whose orders are counted, and its kind of order."""

    def __init__(self, provider: str, url: str, keys: dict[str, str], orders: list[Any]) -> None:
        self.orders = orders
        self._how: dict[str, Any] = {
            "provider": provider,
            "settings": get_provider(provider).settings(),
            "keys": {name: Secret(key) for name, key in keys.items()},
            "base_url": url,
        }

    def spec(self, library: Path, png: bytes) -> JobSpec:
        """Return an order."""
        source = PictureSource("cup", "front", lambda: png)
        return JobSpec(pictures=(source,), library=library, **self._how)


@contextlib.contextmanager
def _tripo_shop() -> Iterator[Shop]:
    with serving(Service(mesh=triangle_glb(5), takes=0.0)) as fake:
        yield Shop("rehearsal", fake.url, {"rehearsal_api_key": KEY}, fake.submits)


@contextlib.contextmanager
def _at_once() -> Iterator[Shop]:
    with aiml.serving(aiml.Aiml(mesh=triangle_glb(5), shape="data_b64")) as fake:
        yield Shop("aiml_triposr", fake.url, {"aiml_api_key": aiml.KEY}, fake.orders)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, rehearsal: Provider[Any]) -> None:
    """Make no pauses."""
    monkeypatch.setattr(runner, "next_pause", lambda *_: 0.0)


@pytest.mark.parametrize("elsewhere", ["room elsewhere", "no room at all"])
@pytest.mark.parametrize("service", [_tripo_shop, _at_once])
def test_a_disk_full_from_any_write_call_on_loses_no_paid_result(
    running: Session, tmp_path: Path, png: bytes, service: Any, elsewhere: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    folders = (tmp_path / "library",) if elsewhere == "room elsewhere" else (tmp_path,)
    calls, met = 0, Counter[State]()
    with service() as shop, pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw_answer, "_elsewhere", lambda: iter([other]))
        disk = FullDisk(*folders)
        fill(patch, disk)
        while True:
            disk.room_again()
            shop.orders.clear()
            disk.allowed = calls
            state = _once(running, shop, tmp_path / "library" / str(calls), png, disk)
            if state is None:
                break
            met[state] += 1
            assert not list(other.iterdir()), calls
            calls += 1
    assert calls >= FEWEST
    answered = met[State.SUBMITTING] + met[State.RUNNING]
    assert min(met[State.QUEUED], answered, met[State.PREPARING]) > 0, met
    assert met[State.UNCERTAIN] <= 1


def _once(running: Session, shop: Shop, library: Path, png: bytes, disk: FullDisk) -> State | None:
    """Order, make room, resume; return the job's state before, None if the disk was never full."""
    spec = shop.spec(library, png)
    view = end_of(running, running.start(spec))
    running.join(30.0)
    if not disk.is_full:
        assert view.state is State.READY
        return None
    ordered = len(shop.orders)
    assert ordered <= 1
    disk.room_again()
    if view.failure is not None:
        assert view.failure.kind == "library", view.failure
        assert "No space left" in view.failure.message
        assert view.state is not State.FAILED
        assert exit_code_for(view.failure, view.record) == (7 if ordered else 2)
    states = resume_all(running, library, spec)
    if states == [State.UNCERTAIN]:
        # The mark of the order was written, its folder could not be synced, and taking the mark
        # back needs room as well. Nothing was sent, and nothing is sent without its user's word.
        assert not shop.orders, "an order was sent"
        return State.UNCERTAIN
    assert states == [State.READY] * len(states)
    assert len(shop.orders) == (1 if states else ordered)
    assert states or not ordered, "the paid job is not in the library"
    meshes = [path.read_bytes() for path in library.glob("*/mesh.glb")]
    assert meshes == [triangle_glb(5)] * len(states)
    assert not list(library.glob("*/answer*"))
    return view.state
