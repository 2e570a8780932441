# SPDX-License-Identifier: GPL-3.0-or-later
"""Every service under a hundred schedules of faults: jobs end whole or resumable, paid once.

Faults are put between the product and the sockets, so that they are the same for all services:
before a request is sent, after it was received, or in the middle of its answer. A schedule's seed
is printed where it fails.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from fakes.png import png_of
from fakes.served import SERVICES, Place

from image_to_mesh.jobs import (
    Ended,
    JobSpec,
    JobView,
    Library,
    PictureSource,
    Session,
    State,
    runner,
)
from image_to_mesh.jobs.runner import Runner
from image_to_mesh.jobs.steps import polling
from image_to_mesh.providers import Secret, get_provider
from image_to_mesh.providers._shared.http import client, downloads

pytestmark = [pytest.mark.once, pytest.mark.timeout(240)]

SCHEDULES = 100
SEED = 4
MESH = 120_000
"""Bytes of the mesh, enough for several pieces."""


class Schedule:
    """Random faults for a number of requests; after them the network works again."""

    KINDS = ("unsent", "lost", "reset", "cut", "500", "502 page", "429", "503", "expired", "empty")

    def __init__(self, seed: str, real: Callable[..., requests.Response]) -> None:
        self._chance = random.Random(seed)
        self._share = self._chance.uniform(0.1, 0.7)
        self._remaining = self._chance.randint(1, 25)
        self._real = real

    def send(self, adapter: Any, request: requests.PreparedRequest, **kwargs: Any) -> Any:
        """Send a request, or let it fail as the schedule says."""
        if self._remaining <= 0 or self._chance.random() > self._share:
            return self._real(adapter, request, **kwargs)
        self._remaining -= 1
        kind = self._chance.choice(self.KINDS)
        if kind == "unsent":
            reason = urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]
            raise requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", reason))  # type: ignore[arg-type]
        if kind == "expired" and request.method != "GET":
            kind = "500"
        if kind not in ("lost", "reset", "cut", "empty"):
            return self._answer(request, kind)
        answer = self._real(adapter, request, **kwargs)
        if kind in ("lost", "reset"):
            answer.close()
            raise (requests.ReadTimeout if kind == "lost" else requests.ConnectionError)("lost")
        return self._cut(answer, 0.0 if kind == "empty" else self._chance.random())

    def _answer(self, request: requests.PreparedRequest, kind: str) -> requests.Response:
        status = {"502 page": 502, "expired": 403}.get(kind) or int(kind)
        body = b"<html>Bad Gateway</html>" if status == 502 else b'{"message": "busy"}'
        headers = {"Content-Length": str(len(body)), "Retry-After": "0"}
        return _response(request, status, headers, io.BytesIO(body))

    def _cut(self, answer: requests.Response, part: float) -> requests.Response:
        body = answer.raw.read(decode_content=False)
        answer.close()
        said = {"Content-Length": str(len(body)), **answer.headers}
        end = io.BytesIO(body[: int(len(body) * part)])
        return _response(answer.request, answer.status_code, said, end)


def _response(request: Any, status: int, headers: Any, body: io.BytesIO) -> requests.Response:
    raw = urllib3.HTTPResponse(body, headers, status, preload_content=False)
    made = requests.Response()
    made.status_code, made.raw, made.request, made.url = status, raw, request, request.url
    made.headers = requests.structures.CaseInsensitiveDict(headers)
    return made


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass in pauses; forgive lost connections for a moment only."""
    monkeypatch.setattr(client, "delay", lambda *_: 0.0)
    monkeypatch.setattr(runner, "next_pause", lambda *_: 0.0)
    monkeypatch.setattr(polling, "OUTAGE", 0.05)
    monkeypatch.setattr(downloads, "STEP", 20_000)
    monkeypatch.setattr(Runner, "_back_off", lambda *_: time.sleep(0))


@pytest.fixture(params=SERVICES)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Each of the services."""
    with SERVICES[request.param](MESH) as served:
        yield served


def end_of(session: Session, job: str) -> JobView:
    """Wait for the end of a job."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        event = session.wait(0.05)
        if isinstance(event, Ended) and event.job == job:
            return event.view
    raise AssertionError("the job did not end")


def spec_for(place: Place, library: Path) -> JobSpec:
    """Return a job for a service, without a Blender."""
    provider = get_provider(place.order["provider"])
    return JobSpec(
        provider=provider.id,
        settings=provider.settings(),
        pictures=(PictureSource("cup", "front", lambda: png_of(64, 48)),),
        library=library,
        keys={name: Secret(key) for name, key in place.order["keys"].items()},
        base_url=place.order["url"],
    )


def test_every_schedule_of_network_faults_is_paid_for_once(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = requests.adapters.HTTPAdapter.send
    ends: dict[str, int] = {}
    for number in range(SCHEDULES):
        if number % 5 == 0 or not place.lists_images:
            place.forget()
        seed = f"{SEED} {place.order['provider']} {number}"
        schedule = Schedule(seed, real)
        monkeypatch.setattr(
            requests.adapters.HTTPAdapter,
            "send",
            lambda adapter, request, schedule=schedule, **kwargs: schedule.send(
                adapter, request, **kwargs
            ),
        )
        try:
            end = one_schedule(place, tmp_path / str(number))
        except BaseException:
            print(f"the schedule's seed: {seed!r}")
            raise
        ends[end] = ends.get(end, 0) + 1
    print(f"\n{place.order['provider']}: {ends}")
    assert ends.get("ready", 0) > SCHEDULES // 4


def one_schedule(place: Place, library: Path) -> str:
    """Run a job through a schedule, and resume it until it is finished; return how it ended."""
    before = place.creates()
    spec = spec_for(place, library)
    session = Session()
    view = end_of(session, session.start(spec))
    for _ in range(30):
        record = Library(library).load(view.job)
        if record.state.over and not (record.state is State.UNCERTAIN and place.lists):
            break
        again = replace(spec, pictures=(), record=record)
        view = end_of(session, session.start(again))
    session.close(2.0)
    record = Library(library).load(view.job)
    ordered = place.creates() - before
    assert ordered <= 1, "ordered more than once"
    if record.state is State.READY:
        assert ordered == 1
        mesh = Library(library).folder(record.id) / (record.mesh or "")
        assert mesh.read_bytes() == place.mesh
    elif record.state is State.FAILED:
        assert ordered == 0, f"paid and given up: {record.failure}"
    else:
        assert record.state is State.UNCERTAIN, f"neither settled nor over: {record}"
        assert not (ordered and place.lists), "the service's list was not believed"
    return str(record.state)
