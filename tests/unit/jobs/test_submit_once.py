# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders that were accepted while their answers were damaged: one order each, no answer lost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.files import big_glb
from fakes.running import end_of
from fakes.served import SERVICES, Place
from fakes.service import KEY, Service, serving
from fakes.stages import HTML, STAGES, Spoil, gateway

from image_to_mesh.cli.exit_codes import exit_code_for
from image_to_mesh.jobs import JobSpec, Library, PictureSource, Session, State, runner
from image_to_mesh.jobs.steps.reconcile import Reconciler
from image_to_mesh.providers import Provider, Secret, get_provider
from image_to_mesh.providers._shared.http import client

LIMIT = 0.5
"""Seconds to wait for the answer to an order."""
BODIES = {
    "nothing": Spoil(body=b""),
    "text": Spoil(body=b"upstream connect error or disconnect/reset before headers"),
    "page": Spoil(body=HTML, kind="text/html"),
}
STATUSES = (500, 502, 503, 504, 520)
ANSWERS = [
    pytest.param(Spoil(status, spoil.body, kind=spoil.kind), id=f"{status} {name}")
    for status in STATUSES
    for name, spoil in BODIES.items()
]
ANSWERS += [
    pytest.param(Spoil(status, body, kind="application/json"), id=f"{status} {body.decode()}")
    for status in (101, 300, 304, 408, 499, 600)
    for body in (b"", b'{"message": "no"}')
    if not body or status not in (101, 304)
]
BREAKS = [
    pytest.param(Spoil(stage=stage, drips=drips), id=f"{'drip' if drips else 'reset'} {stage}")
    for stage in STAGES
    for drips in (False, True)
]


@contextlib.contextmanager
def _rehearsal(size: int) -> Iterator[Place]:
    with serving(Service(mesh=big_glb(size), takes=0.0)) as fake:
        order = {"provider": "rehearsal", "url": fake.url, "keys": {"rehearsal_api_key": KEY}}
        yield Place(
            order,
            "/tasks",
            lambda: len(fake.submits),
            lambda: fake.calls("GET", "/download/.*"),
            fake.mesh,
            fake.submits.clear,
        )


PLACES = {**SERVICES, "rehearsal": _rehearsal}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, rehearsal: Provider[Any]) -> None:
    """Wait half a second for an answer, and make no pauses."""
    real = client.Http.submit

    def submit(self: client.Http, path: str, **how: Any) -> Any:
        return real(self, path, **{**how, "timeout": LIMIT})

    monkeypatch.setattr(client.Http, "submit", submit)
    monkeypatch.setattr(client, "delay", lambda *_: 0.0)
    monkeypatch.setattr(runner, "next_pause", lambda *_: 0.01)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[bytes]:
    """The job's folder holds the answer before the service is asked for the order."""
    kept: list[bytes] = []
    real = Reconciler.find

    def find(self: Reconciler) -> bool:
        kept.extend(path.read_bytes() for path in tmp_path.glob("*/answer*.http"))
        return real(self)

    monkeypatch.setattr(Reconciler, "find", find)
    return kept


@pytest.mark.parametrize("spoil", [*ANSWERS, *BREAKS])
@pytest.mark.parametrize("name", PLACES)
def test_an_order_is_sent_once_and_its_answer_kept(
    running: Session, tmp_path: Path, png: bytes, seen: list[bytes], name: str, spoil: Spoil
) -> None:
    with PLACES[name](2000) as place, gateway(place.order["url"], place.costs) as before:
        before.spoils = [spoil] * 3
        spec = JobSpec(
            provider=name,
            settings=get_provider(name).settings(),
            pictures=(PictureSource("cup", "front", lambda: png),),
            library=tmp_path,
            keys={key: Secret(value) for key, value in place.order["keys"].items()},
            base_url=before.url,
        )
        view = end_of(running, running.start(spec))
        running.join(5.0)
        assert (place.creates(), before.orders) == (1, 1)
        record = Library(tmp_path).load(view.job)
        found = place.lists
        assert record.state is (State.READY if found else State.UNCERTAIN)
        assert exit_code_for(view.failure, record) == (0 if found else 6)
        came = before.sent[0]
        whole = spoil.stage in ("", "body")
        assert bool(seen) == whole, "only an answer whose head has come is one"
        if whole and not spoil.drips:
            assert seen[0].endswith(came)
        elif whole:
            assert came[:1] in seen[0].partition(b"\r\n\r\n")[2]
        kept = [path.read_bytes() for path in tmp_path.glob("*/answer*.http")]
        assert kept == ([] if found else seen)
        assert found or not whole or "is saved in the job's folder" in record.notes[-1]
