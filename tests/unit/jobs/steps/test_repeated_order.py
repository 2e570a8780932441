# SPDX-License-Identifier: GPL-3.0-or-later
"""The same order twice is one order: two clicks, two processes, the same file again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import places
import pytest
from fakes.png import noisy_png, png_of
from fakes.running import Orders, end_of, reach, spec_for
from fakes.served import SERVICES, Place
from fakes.service import Service

from image_to_mesh.cli import entry
from image_to_mesh.jobs import JobView, Library, PictureSource, Session, State
from image_to_mesh.jobs.steps.repeated_order import FILE, SOON
from image_to_mesh.providers import Provider, Secret

pytestmark = pytest.mark.usefixtures("rehearsal")


@pytest.fixture(params=SERVICES)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Each service's fake."""
    with SERVICES[request.param](2000) as served:
        yield served


def message_of(view: JobView) -> str:
    """Return the message that refuses an order as a duplicate."""
    assert view.failure is not None
    assert view.failure.kind == "repeated"
    assert view.failure.hint, "the failure has no hint"
    return view.failure.message


def test_two_clicks_are_one_order_at_every_service(
    running: Session, tmp_path: Path, place: Place
) -> None:
    order = place.order
    keys = {name: Secret(key) for name, key in order["keys"].items()}
    spec = spec_for(tmp_path, png_of(64, 48), order["provider"], keys=keys, base_url=order["url"])
    spec = replace(spec, repeated=False)
    first, second = running.start(spec), running.start(spec)
    ends: dict[str, JobView] = {}
    while len(ends) < 2:
        event = running.wait(10.0)
        assert event is not None
        if event.view.over:
            ends[event.job] = event.view
    assert set(ends) == {first, second}
    failed = [view for view in ends.values() if view.failure]
    assert len(failed) == 1
    message_of(failed[0])
    assert place.creates() == 1
    assert len(Library(tmp_path).jobs()) == 1, "a refused order leaves nothing behind"


def test_the_same_order_is_refused_while_it_runs_and_a_moment_longer(
    orders: Orders, service: Service, running: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.takes = 30.0
    job = orders.start(repeated=False)
    reach(running, State.RUNNING)
    assert message_of(orders.end(repeated=False)) == f"The same job is already running: {job}."
    service.takes = 0.0
    end_of(running, job)
    assert "a moment ago" in message_of(orders.end(repeated=False))
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + SOON)
    assert orders.end(repeated=False).failure is None
    assert len(service.submits) == 2


def test_an_explicitly_repeated_order_is_submitted_again(orders: Orders, service: Service) -> None:
    assert orders.end(repeated=False).failure is None
    assert orders.end(repeated=True).failure is None
    assert len(service.submits) == 2
    assert "a moment ago" in message_of(orders.end(repeated=False)), "the second one counts as well"


@pytest.mark.parametrize(
    "other",
    ["settings", "picture", "view"],
)
def test_other_settings_are_another_order(
    orders: Orders, service: Service, rehearsal: Provider[Any], other: str
) -> None:
    def picture(view: str, data: bytes) -> PictureSource:
        return PictureSource("cup", view, lambda: data)

    first: dict[str, Any] = {}
    second: dict[str, Any] = {"settings": rehearsal.settings(seed=2)}
    if other == "picture":
        second = {"pictures": (picture("front", noisy_png(64, 48)),)}
    if other == "view":
        side = png_of(32, 32)
        first = {"pictures": (picture("front", orders.png), picture("left", side))}
        second = {"pictures": (picture("front", orders.png), picture("back", side))}
        if "back" not in rehearsal.views:
            second = {"pictures": (picture("front", side), picture("left", orders.png))}
    assert orders.end(repeated=False, **first).failure is None
    assert orders.end(repeated=False, **second).failure is None
    assert len(service.submits) == 2


def test_a_setting_given_at_its_default_is_the_same_order(
    orders: Orders, rehearsal: Provider[Any]
) -> None:
    assert orders.end(repeated=False).failure is None
    message_of(orders.end(repeated=False, settings=rehearsal.settings(seed=0, style="plain")))


def test_an_order_that_the_service_refused_can_be_tried_at_once(
    orders: Orders, service: Service
) -> None:
    service.no_credits = True
    assert orders.end(repeated=False).failure is not None
    service.no_credits = False
    assert orders.end(repeated=False).failure is None
    assert len(service.submits) == 1


def test_an_order_that_may_have_arrived_is_not_repeated_automatically(
    orders: Orders, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.swallow_submit = True
    assert orders.end(repeated=False).state is State.UNCERTAIN
    service.swallow_submit = False
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 100 * SOON)
    assert "it is unknown" in message_of(orders.end(repeated=False))
    assert len(service.submits) == 1


def test_an_interrupted_job_is_resumed_and_not_ordered_again(
    orders: Orders, service: Service, running: Session, tmp_path: Path
) -> None:
    service.takes = 30.0
    job = orders.start(repeated=False)
    reach(running, State.RUNNING)
    running.close(3.0)
    again = Session()
    try:
        view = end_of(again, again.start(orders.spec(repeated=False)))
        assert message_of(view) == f"The same job is unfinished: {job}."
        assert view.failure is not None
        assert "Resume that job." in view.failure.hint
    finally:
        again.close(3.0)
    assert len(service.submits) == 1
    assert Library(tmp_path).jobs() == [job]


def test_a_deleted_job_blocks_no_order(orders: Orders, service: Service, tmp_path: Path) -> None:
    view = orders.end(repeated=False)
    Library(tmp_path).delete(view.job)
    assert orders.end(repeated=False).failure is None
    assert len(service.submits) == 2


@pytest.mark.parametrize(
    "spoiled", [b"", b"[]", b"{", b'{"a": 1}', b"[" * 100_000, b'{"a": {"job": 3, "at": "x"}}']
)
def test_a_damaged_order_list_blocks_no_order(
    orders: Orders, tmp_path: Path, spoiled: bytes
) -> None:
    (tmp_path / FILE).write_bytes(spoiled)
    assert orders.end(repeated=False).failure is None
    message_of(orders.end(repeated=False))


def test_the_built_in_provider_is_never_asked_about(
    running: Session, tmp_path: Path, png: bytes
) -> None:
    for _ in range(2):
        view = end_of(running, running.start(spec_for(tmp_path, png, repeated=False)))
        assert view.failure is None


def test_running_the_same_command_twice_is_one_order(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two processes at the same moment, each as a shell starts it."""
    service.takes = 1.0
    file = tmp_path / "cup.png"
    file.write_bytes(png_of(64, 48))
    command = [sys.executable, "-c", _ENTER, str(file)]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(2)
    ]
    answers = [json.loads(item.communicate(timeout=60)[0].splitlines()[-1]) for item in both]
    assert sorted(item.returncode for item in both) == [0, 2]
    assert len(service.submits) == 1
    (refusal,) = [answer["error"] for answer in answers if answer["error"]]
    assert refusal["kind"] == "repeated"
    assert "--again" in refusal["hint"]
    assert entry.main(["generate", str(file), "--provider", "rehearsal", "--quiet"]) == 2
    assert entry.main(["generate", str(file), "--provider", "rehearsal", "--quiet", "--again"]) == 0
    capsys.readouterr()
    assert len(service.submits) == 2


_ENTER = f"""
import sys
sys.path.insert(0, {str(places.ROOT / "tests")!r})
from fakes import FAKES
from image_to_mesh import cli, providers
providers.__path__.append(str(FAKES / "services"))
sys.exit(cli.main(["generate", sys.argv[1], "--provider", "rehearsal", "--quiet", "--json"]))
"""


def test_many_identical_orders_at_once_are_one(
    orders: Orders, service: Service, tmp_path: Path
) -> None:
    service.takes = 0.5
    sessions = [Session() for _ in range(6)]
    start = threading.Barrier(6)

    def click(session: Session) -> None:
        start.wait()
        end_of(session, session.start(orders.spec(repeated=False)))

    threads = [threading.Thread(target=click, args=(item,)) for item in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for session in sessions:
        session.close(2.0)
    assert len(service.submits) == 1
    assert len(Library(tmp_path).jobs()) == 1
    assert os.listdir(tmp_path).count(FILE) == 1  # noqa: PTH208 - hidden files as well


def test_a_batch_orders_each_image_once_by_its_own_rule(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.png").write_bytes(noisy_png(64, 48 + len(name + name)))
    (folder / "c.png").write_bytes(png_of(30, 30))
    command = ["batch", str(folder), "--provider", "rehearsal", "--quiet"]
    assert entry.main(command) == 0
    assert entry.main(command) == 0
    assert len(service.submits) == 3, "two files of the same bytes are two wishes"
    capsys.readouterr()


def test_an_invalid_time_in_the_order_list_blocks_no_order(orders: Orders, tmp_path: Path) -> None:
    orders.end(repeated=False)
    kept = json.loads((tmp_path / FILE).read_bytes())
    spoiled = {mark: {**item, "at": 10**400} for mark, item in kept.items()}
    (tmp_path / FILE).write_text(json.dumps(spoiled))
    assert orders.end(repeated=False).failure is None
