# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders whose answers were lost, looked for in the lists of the services that have one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fakes import scenario, scenario_calls, tripo_server
from fakes.running import end_of
from fakes.scenario_state import Fault, ScenarioFake, usual_results
from fakes.tripo import TripoV3
from fakes.tripo_calls import V3, job_for
from fakes.tripo_server import FakeTask

from image_to_mesh.jobs import JobSpec, Library, Session, State
from image_to_mesh.jobs.steps import submit
from image_to_mesh.providers import InvalidSettings, Provider, get_provider
from image_to_mesh.providers._shared import reconcile
from image_to_mesh.providers._shared.http import client
from image_to_mesh.providers._shared.http.reply import Reply
from image_to_mesh.providers._shared.reconcile import clock_offset, is_near, matches_request

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make no pauses between attempts."""
    monkeypatch.setattr(client, "delay", lambda *_: 0.0)


class Tripo:
    """Tripo v3, and the faults that a test causes in it."""

    create = "POST /v3/generation/"

    def __init__(self, fake: TripoV3) -> None:
        self.fake = fake
        fake.states = [{"status": "success", "progress": 100}]

    def lose_answers(self, count: int) -> None:
        """Accept the next orders, and lose the answers to them."""
        self.fake.fault(self.create, *[tripo_server.Fault(drop=True, done=True)] * count)

    def lose_orders(self, count: int) -> None:
        """Lose the next orders on their way."""
        self.fake.fault(self.create, *[tripo_server.Fault(drop=True)] * count)

    def fail_lists(self, count: int) -> None:
        """Let the next requests for the list fail."""
        self.fake.fault("GET /v3/account/usage", *[tripo_server.Fault(500, "oops")] * count)

    def spec(self, library: Path, **settings: Any) -> JobSpec:
        """Return a job."""
        return job_for(V3, self.fake, library, settings=settings)

    def add_tasks(self, count: int, created: str) -> None:
        """Let other programs make tasks of the same settings with another picture."""
        body = {**self.fake.creates[-1].body, "input": "file_another"}
        self.fake.most_running += count
        for number in range(count):
            task = FakeTask(f"other-{number:04}", "image_to_model", body, created=created)
            self.fake.tasks[task.id] = task

    @property
    def listed(self) -> int:
        """Return how many pages of the list were read."""
        return len(self.fake.calls("GET /v3/account/usage"))

    def made_long_ago(self) -> None:
        """Date all tasks to another day."""
        for task in self.fake.creates:
            task.created = "2020-01-01T00:00:00Z"

    other: ClassVar[dict[str, Any]] = {"face_limit": 1234}

    @property
    def creates(self) -> int:
        """Return how many tasks there are."""
        return len(self.fake.creates)


class Scenario(Tripo):
    """Scenario, and the faults that a test causes in it."""

    def __init__(self, fake: ScenarioFake) -> None:
        self.served: Any = fake
        usual_results(fake)
        fake.outcome.script = ("success",)

    def lose_answers(self, count: int) -> None:
        """Accept the next orders, and lose the answers to them."""
        self.served.faults.append(Fault("POST", "/generate/custom/.*", times=count, drop="after"))

    def lose_orders(self, count: int) -> None:
        """Lose the next orders on their way."""
        self.served.faults.append(Fault("POST", "/generate/custom/.*", times=count, drop="before"))

    def fail_lists(self, count: int) -> None:
        """Let the next requests for the list fail."""
        self.served.faults.append(Fault("GET", "/jobs", 500, {"message": "oops"}, times=count))

    def spec(self, library: Path, **settings: Any) -> JobSpec:
        """Return a job."""
        chosen = scenario_calls.settings_of(**settings)
        return scenario_calls.job_for(self.served, library, settings=chosen, blender=None)

    def add_tasks(self, count: int, created: str) -> None:
        """Let other programs make jobs of the same settings with another picture."""
        inputs = {**self.served.submits[-1], "image": "asset_other"}
        for number in range(count):
            job = f"job_other{number:04}"
            self.served.jobs[job] = {
                "jobId": job, "status": "success", "input": inputs, "created": created
            }  # fmt: skip

    @property
    def listed(self) -> int:
        """Return how many pages of the list were read."""
        return sum("pageSize" in seen.query for seen in list(self.served.requests))

    def made_long_ago(self) -> None:
        """Date all jobs to another day."""
        for job in self.served.jobs.values():
            job["created"] = "2020-01-01T00:00:00Z"

    other: ClassVar[dict[str, Any]] = {"faceLimit": 1234}

    @property
    def creates(self) -> int:
        """Return how many jobs there are."""
        return len(self.served.submits)


@pytest.fixture(params=["tripo", "scenario"])
def listing(request: pytest.FixtureRequest) -> Iterator[Tripo]:
    """Each service that has a list."""
    if request.param == "tripo":
        with tripo_server.serving(TripoV3()) as fake:
            yield Tripo(fake)
    else:
        with scenario.serving() as served:
            yield Scenario(served)


def test_the_only_matching_task_is_attached(
    listing: Tripo, running: Session, tmp_path: Path
) -> None:
    for settings in (listing.other, {}):
        listing.lose_answers(1)
        view = end_of(running, running.start(listing.spec(tmp_path, **settings)))
        assert view.state is State.READY, view.failure
        assert view.record, "the job has no record"
        assert "the task was found at the service" in view.record.notes[0]
    assert listing.creates == 2


def test_of_two_matching_tasks_none_is_attached(
    listing: Tripo, running: Session, tmp_path: Path
) -> None:
    listing.lose_answers(1)
    listing.fail_lists(1)
    first = end_of(running, running.start(listing.spec(tmp_path)))
    assert first.state is State.UNCERTAIN
    listing.lose_answers(1)
    _same_picture(listing)
    second = end_of(running, running.start(listing.spec(tmp_path)))
    assert second.state is State.UNCERTAIN
    assert listing.creates == 2


@pytest.mark.parametrize("hours", [-24, -1, 1])
def test_a_clock_that_is_off_here_does_not_hide_the_order(
    listing: Tripo,
    running: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hours: int,
) -> None:
    def now() -> datetime:
        return datetime.now(UTC) + timedelta(hours=hours)

    monkeypatch.setattr(reconcile, "_now", now)
    monkeypatch.setattr(submit, "now", lambda: now().isoformat(timespec="seconds"))
    listing.lose_answers(1)
    view = end_of(running, running.start(listing.spec(tmp_path)))
    assert view.state is State.READY, view.failure
    assert listing.creates == 1


@pytest.mark.parametrize("told", ["", "soon", "Wed, 99 Foo 2026", "Fri, 01 Jan 99999 00:00:00 GMT"])
def test_an_unreadable_date_is_ignored(told: str) -> None:
    assert clock_offset(Reply(200, {"date": told} if told else {}, "")) == timedelta()


def _same_picture(listing: Tripo) -> None:
    """Remove the pictures from Tripo's tasks, which its own page allows."""
    if not isinstance(listing, Scenario):
        for task in listing.fake.creates:
            task.body.pop("input", None)


def test_a_task_of_another_job_is_not_attached(
    listing: Tripo, running: Session, tmp_path: Path
) -> None:
    first = end_of(running, running.start(listing.spec(tmp_path)))
    assert first.state is State.READY
    _same_picture(listing)
    listing.lose_orders(1)
    second = end_of(running, running.start(listing.spec(tmp_path)))
    assert second.state is State.UNCERTAIN
    assert listing.creates == 1


@pytest.mark.parametrize("apart", ["settings", "time"])
def test_tasks_of_another_time_or_other_settings_are_not_attached(
    listing: Tripo, running: Session, tmp_path: Path, apart: str
) -> None:
    settings = listing.other if apart == "settings" else {}
    end_of(running, running.start(listing.spec(tmp_path / "other", **settings)))
    (tmp_path / "mine").mkdir()
    shutil.copy(tmp_path / "other" / ".uploads.json", tmp_path / "mine")  # the same picture
    if apart == "time":
        listing.made_long_ago()
    listing.lose_orders(1)
    _same_picture(listing)
    view = end_of(running, running.start(listing.spec(tmp_path / "mine")))
    assert view.state is State.UNCERTAIN
    assert listing.creates == 1


def test_a_failed_list_request_is_repeated_on_demand(
    listing: Tripo, running: Session, tmp_path: Path
) -> None:
    listing.lose_answers(1)
    listing.fail_lists(1)
    spec = listing.spec(tmp_path)
    view = end_of(running, running.start(spec))
    assert view.state is State.UNCERTAIN
    assert view.failure
    assert view.failure.kind == "uncertain"
    running.join(5.0)
    record = Library(tmp_path).load(view.job)
    again = end_of(running, running.start(replace(spec, pictures=(), record=record)))
    assert again.state is State.READY
    assert listing.creates == 1


def test_a_large_batch_since_then_does_not_hide_the_order(
    listing: Tripo, running: Session, tmp_path: Path
) -> None:
    listing.lose_answers(1)
    listing.fail_lists(1)
    spec = listing.spec(tmp_path)
    view = end_of(running, running.start(spec))
    assert view.state is State.UNCERTAIN
    running.join(5.0)
    listing.add_tasks(450, (datetime.now(UTC) + timedelta(minutes=20)).isoformat())
    record = Library(tmp_path).load(view.job)
    again = end_of(running, running.start(replace(spec, pictures=(), record=record)))
    assert again.state is State.READY, again.failure


def test_a_list_is_read_no_further_than_the_order(
    listing: Tripo, running: Session, tmp_path: Path
) -> None:
    assert end_of(running, running.start(listing.spec(tmp_path / "a"))).state is State.READY
    listing.made_long_ago()
    listing.add_tasks(900, "2020-01-02T00:00:00Z")
    listing.lose_answers(1)
    view = end_of(running, running.start(listing.spec(tmp_path / "b")))
    assert view.state is State.READY, view.failure
    assert listing.listed == 1


def page(rows: list[datetime], following: int | None) -> reconcile.Page:
    """Return a page of a list of tasks."""
    return reconcile.Page([{"at": time.isoformat()} for time in rows], timedelta(), following)


def test_half_a_list_says_nothing() -> None:
    def refused_after(count: int) -> Any:
        return lambda number: page([NOW], number + 1) if number < count else None

    assert reconcile.rows_around(NOW, "at", refused_after(3), 0) == []
    assert reconcile.rows_around(NOW, "at", refused_after(10_000), 0) == []


def test_a_list_from_old_to_new_is_read_to_its_end() -> None:
    pages = [[NOW - timedelta(hours=2), NOW - timedelta(hours=1)], [NOW]]
    found = reconcile.rows_around(
        NOW, "at", lambda number: page(pages[number], number + 1 if number < 1 else None), 0
    )
    assert found == [{"at": NOW.isoformat()}]


# -- ids that people bring -----------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["tripo", "tripo_v2", "scenario"])
@pytest.mark.parametrize("task", ["", "  ", "a b", "../x", "a?b", "x" * 300, "ä"])
def test_an_invalid_id_is_not_attached(provider: str, task: str) -> None:
    service: Provider[Any] = get_provider(provider)
    with pytest.raises(InvalidSettings, match=r"not a valid .* ID"):
        service.attach(task, service.settings())


def test_ids_are_attached_as_they_are_polled() -> None:
    tripo, other = get_provider("tripo"), get_provider("scenario")
    assert tripo.attach(" 0196-a0 ", tripo.settings()).data == {"task": "0196-a0"}
    assert other.attach("job_1", other.settings(quad=True)).data == {"job": "job_1", "quad": True}
    aiml = get_provider("aiml_triposr")
    ticket = aiml.attach("https://cdn.aimlapi.com/a/model.glb?Expires=1", aiml.settings())
    assert (ticket.data["url"], ticket.data["format"]) == (
        "https://cdn.aimlapi.com/a/model.glb?Expires=1",
        "glb",
    )
    assert (tripo.task_field, other.task_field, aiml.task_field) == ("task", "job", "url")
    with pytest.raises(InvalidSettings, match="https"):
        aiml.attach("ftp://a/b.glb", aiml.settings())
    local = get_provider("local")
    with pytest.raises(InvalidSettings, match="cannot be attached"):
        local.attach("1", local.settings())


@pytest.mark.parametrize(
    ("told", "is_then"),
    [
        (NOW.isoformat(), True),
        ("2026-11-21T12:00:05.123Z", True),
        ("2026-11-21T12:14:00", True),
        ((NOW - timedelta(minutes=1)).timestamp(), True),
        ((NOW - timedelta(minutes=3)).isoformat(), False),
        ((NOW + timedelta(minutes=16)).isoformat(), False),
        (None, False),
        ("soon", False),
        (1e30, False),
    ],
)
def test_order_times_are_parsed(told: object, is_then: bool) -> None:
    assert is_near(told, NOW) is is_then


def test_a_task_that_contradicts_the_sent_order_is_not_attached() -> None:
    assert matches_request({"a": 1}, {}, {})
    assert matches_request({"a": 1}, {"a": 1, "more": 2}, {})
    assert matches_request({"a": 1}, {"b": 2}, {"b": 2})
    assert not matches_request({"a": 1}, {"a": 2}, {})
    assert not matches_request({}, {"b": 3}, {"b": 2})
    assert not matches_request({}, {"b": 3}, {"b": None})
    assert matches_request({}, {"seed": 3}, {"seed": None})
    assert not matches_request({"seed": 4}, {"seed": 3}, {"seed": None})
    assert matches_request({"a": 1.0}, {"a": 1}, {})
    assert matches_request({"a": "file"}, {"a": {"token": "file"}}, {})
