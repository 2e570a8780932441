# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands for unfinished jobs, and the recovery of such jobs by a later process."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER
from fakes.running import end_of, order_for, spec_for
from fakes.service import Service

from image_to_mesh.cli import entry
from image_to_mesh.jobs import Ended, Library, Record, Session, State, session
from image_to_mesh.jobs.import_plan import ImportPlan
from image_to_mesh.jobs.library.recovery import ResumeContext, dismiss
from image_to_mesh.jobs.library.uncertain import submission_time
from image_to_mesh.providers import CancelOutcome, Provider, Ticket


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the command line in this process, with the fake worker and a session of its own."""
    monkeypatch.setattr(entry, "find_blender", lambda _: WORKER)
    session.cache_clear()


@pytest.fixture
def job(
    tmp_path: Path, png: bytes, rehearsal: Provider[Any], service: Service, running: Session
) -> Callable[..., str]:
    """Make a job that an earlier process left in a state."""

    def make(state: State, **changes: Any) -> str:
        taking, service.takes = service.takes, 0.0
        view = end_of(running, running.start(order_for(tmp_path, png, service)))
        service.takes = taking
        running.join(5.0)
        library = Library(tmp_path)
        record = replace(library.load(view.job), state=state, failure=None, blend=None, **changes)
        if state is not State.PREPARING:
            (library.folder(view.job) / "mesh.glb").unlink()
            record = replace(record, mesh=None)
        library.save(record)
        service.submits.clear()
        return view.job

    return make


UNSENT: dict[str, Any] = {"ticket": None, "submitted": None, "request_hash": None}


def run_command(
    capsys: pytest.CaptureFixture[str], library: Path, *words: str
) -> tuple[int, Any, str]:
    """Run a command with `--json`; return its code, the last line's object, standard error."""
    code = entry.main([*words, "--library", str(library), "--json"])
    said = capsys.readouterr()
    lines = said.out.splitlines()
    return code, json.loads(lines[-1]) if lines else None, said.err


# -- resume --------------------------------------------------------------------------------------


def test_resume_continues_all_jobs_and_one_failure_stops_none(
    job: Any, tmp_path: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs_ = [job(State.RUNNING), job(State.DOWNLOADING), job(State.PREPARING)]
    library = Library(tmp_path)
    library.create(Record("0-gone", State.RUNNING, "nobody", "a", "2026", ticket={}), {})
    code, said, errors = run_command(capsys, tmp_path, "resume", "--quiet")
    assert (code, said["state"]) == (7, "ready")
    assert "no provider “nobody”" in errors
    assert [library.load(item).state for item in jobs_] == [State.READY] * 3
    assert library.load("0-gone").state is State.RUNNING
    assert not service.submits, "an order was sent"


def test_a_job_of_a_missing_provider_does_not_stop_the_others(
    job: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, other = job(State.QUEUED, **UNSENT), job(State.RUNNING)
    while other < gone:  # ids of the same second are in no order
        other = job(State.RUNNING)
    library = Library(tmp_path)
    library.save(replace(library.load(gone), provider="gone"))
    code, _, errors = run_command(capsys, tmp_path, "resume")
    assert (code, "no provider" in errors) == (2, True)
    assert library.load(other).state is State.READY


def test_resume_submits_jobs_that_were_never_sent_and_reports_it(
    job: Any, tmp_path: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = job(State.QUEUED, **UNSENT)
    code, said, errors = run_command(capsys, tmp_path, "resume")
    assert (code, said["job"], said["state"]) == (0, identity, "ready")
    assert "not submitted yet, submitting now" in errors
    assert len(service.submits) == 1


def test_resume_skips_jobs_that_another_process_works_on(
    job: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    identity = job(State.RUNNING)
    lock = Library(tmp_path).lock(identity)
    assert lock.take()
    code = entry.main(["resume", "--library", str(tmp_path)])
    assert code == 0
    assert "already running in another" in capsys.readouterr().err
    code, said, _ = run_command(capsys, tmp_path, "resume", identity)
    assert (code, said["error"]["kind"]) == (7, "library")
    assert Library(tmp_path).load(identity).state is State.RUNNING
    lock.release()


# -- cancel --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.DOWNLOADING])
def test_cancel_of_a_job_that_runs_nowhere_reaches_the_service(
    job: Any, tmp_path: Path, service: Service, capsys: pytest.CaptureFixture[str], state: State
) -> None:
    service.takes = 30
    identity = job(state, **(UNSENT if state is State.QUEUED else {}))
    code, said, _ = run_command(capsys, tmp_path, "cancel", identity)
    assert (code, said["state"]) == (0, "cancelled")
    assert Library(tmp_path).load(identity).state is State.CANCELLED
    assert len(service.cancelled) == (state is not State.QUEUED)
    assert not service.submits, "an order was sent"
    assert entry.main(["cancel", identity, "--library", str(tmp_path)]) == 0
    assert entry.main(["cancel", "nobody", "--library", str(tmp_path)]) == 2


def test_cancel_says_what_may_be_charged(
    job: Any,
    tmp_path: Path,
    rehearsal: Provider[Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(type(rehearsal), "cancel", lambda *_: CancelOutcome.CHARGED)
    code, _, errors = run_command(capsys, tmp_path, "cancel", job(State.RUNNING))
    assert code == 0
    assert "may still charge" in errors


def test_cancel_of_an_order_that_may_have_arrived_keeps_it_uncertain(
    job: Any,
    tmp_path: Path,
    rehearsal: Provider[Any],
    service: Service,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slowly(*_: Any) -> tuple[Ticket, ...]:
        time.sleep(1.0)
        return ()

    monkeypatch.setattr(type(rehearsal), "find_order", slowly)
    identity = job(State.SUBMITTING, ticket=None)
    code, said, _ = run_command(capsys, tmp_path, "cancel", identity)
    assert (code, said["state"], said["error"]["kind"]) == (6, "uncertain", "uncertain")
    assert not service.submits, "an order was sent"


def test_cancel_reaches_the_process_that_works_on_it(
    tmp_path: Path,
    png: bytes,
    rehearsal: Provider[Any],
    service: Service,
    running: Session,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service.takes = 30
    identity = running.start(order_for(tmp_path, png, service))
    until = time.monotonic() + 20
    while running.views()[0].state is not State.RUNNING and time.monotonic() < until:
        time.sleep(0.01)
    code, said, _ = run_command(capsys, tmp_path, "cancel", identity)
    assert (code, said["state"]) == (0, "cancelled")
    assert end_of(running, identity).state is State.CANCELLED
    running.join(5.0)
    assert len(service.cancelled) == 1
    assert not (tmp_path / identity / ".cancel").exists()


# -- settle --------------------------------------------------------------------------------------


@pytest.fixture
def uncertain(
    job: Any, rehearsal: Provider[Any], service: Service, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A job whose order had no answer; the service has the task “task-1”."""
    monkeypatch.setattr(type(rehearsal), "lookup_name", "Task ID")
    monkeypatch.setattr(
        type(rehearsal), "attach", lambda _, task, __: Ticket({"task": task.strip()})
    )
    return str(job(State.UNCERTAIN, ticket=None))


def test_an_uncertain_order_shows_what_is_known_about_it(
    uncertain: str, tmp_path: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    record = Library(tmp_path).load(uncertain)
    assert entry.main(["settle", uncertain, "--library", str(tmp_path)]) == 6
    said = capsys.readouterr().out
    assert record.submitted, "the record has no time of its order"
    assert datetime.fromisoformat(submission_time(record)).astimezone() == datetime.fromisoformat(
        record.submitted
    ).replace(second=0)
    assert f"at {submission_time(record)} " in said
    assert str(record.request_hash)[:12] in said
    assert "attach its Task ID" in said
    assert entry.main(["resume", uncertain, "--library", str(tmp_path)]) == 6
    assert entry.main(["resume", "--library", str(tmp_path)]) == 0
    # The address of one server would get the secrets of the others.
    for option in (["--address", "http://127.0.0.1:9"], ["--send-unencrypted"]):
        assert entry.main(["resume", *option, "--library", str(tmp_path)]) == 2
    assert f"settle {uncertain}" in capsys.readouterr().err
    assert not service.submits, "an order was sent"


def test_submit_again_orders_once_more_at_the_users_request(
    uncertain: str, tmp_path: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, errors = run_command(capsys, tmp_path, "settle", uncertain, "--submit-again")
    assert (code, said["state"]) == (0, "ready")
    assert len(service.submits) == 1
    assert "Submitted again" in errors


def test_attach_resumes_the_given_task(
    uncertain: str, tmp_path: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, errors = run_command(capsys, tmp_path, "settle", uncertain, "--attach", " task-1 ")
    assert (code, said["state"], said["job"]) == (0, "ready", uncertain)
    assert not service.submits, "an order was sent"
    assert "attached manually" in errors
    assert Library(tmp_path).load(uncertain).ticket == {"task": "task-1"}


def test_a_task_is_attached_to_one_job_only(
    uncertain: str, job: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = job(State.RUNNING, ticket={"task": "task-1"})
    code, said, _ = run_command(capsys, tmp_path, "settle", uncertain, "--attach", "task-1")
    assert (code, said["error"]["kind"]) == (2, "library")
    assert "Another job" in said["error"]["message"]
    assert Library(tmp_path).load(uncertain).state is State.UNCERTAIN
    assert Library(tmp_path).load(other).state is State.RUNNING


def test_forget_discards_the_job(
    uncertain: str, tmp_path: Path, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, errors = run_command(capsys, tmp_path, "settle", uncertain, "--forget")
    assert (code, said["state"]) == (0, "cancelled")
    assert "may still charge for it" in errors
    assert entry.main(["settle", uncertain, "--forget", "--library", str(tmp_path)]) == 2
    assert not service.submits, "an order was sent"


# -- recovery by a later process -----------------------------------------------------------------


def means(tmp_path: Path, service: Service) -> ResumeContext:
    """Return the context in which jobs at the fake service are resumed."""
    spec = order_for(tmp_path, b"", service)
    return ResumeContext(
        tmp_path, {"rehearsal": spec.keys}, {"rehearsal": service.url}, blender=WORKER
    )


def test_unfinished_jobs_are_resumed_and_nothing_is_submitted(
    job: Any, tmp_path: Path, service: Service, running: Session
) -> None:
    plan = ImportPlan("some-file")
    broken_off = [job(State.RUNNING, plan=plan), job(State.PREPARING, plan=plan)]
    unsent = job(State.QUEUED, **UNSENT)
    unclear = job(State.UNCERTAIN, ticket=None)
    theirs = job(State.RUNNING)
    seen = job(State.RUNNING, plan=ImportPlan())
    lock = Library(tmp_path).lock(theirs)
    assert lock.take()
    later = Session()
    later.recovery.scan(means(tmp_path, service))
    waiting = {*broken_off, seen}
    while waiting:
        event = later.wait(20.0)
        assert event is not None
        if isinstance(event, Ended):
            assert event.view.state is State.READY
            waiting.remove(event.job)
    later.recovery.join(5.0)
    recovered = later.recovery.found
    assert {item.id for item in recovered.arrived} == set(broken_off)
    assert [item.id for item in recovered.unsent] == [unsent]
    assert [item.id for item in recovered.uncertain] == [unclear]
    assert [their.id for their in recovered.theirs] == [theirs]
    assert {view.job for view in later.views()} == {seen}
    assert not service.submits, "an order was sent"
    lock.release()
    later.close(2.0)


def test_an_arrived_result_is_offered_until_it_is_dismissed(
    job: Any, tmp_path: Path, service: Service
) -> None:
    identity = job(State.PREPARING, plan=ImportPlan("some-file"))
    first = Session()
    first.recovery.scan(means(tmp_path, service))
    end_of(first, identity)
    first.close(2.0)
    second = Session()
    second.recovery.scan(means(tmp_path, service))
    second.recovery.join(5.0)
    assert [item.id for item in second.recovery.found.arrived] == [identity]
    second.recovery.forget(identity)
    assert second.recovery.found.arrived == ()
    dismiss(Library(tmp_path), identity)
    third = Session()
    third.recovery.scan(means(tmp_path, service))
    third.recovery.join(5.0)
    assert third.recovery.found.arrived == ()
    assert Library(tmp_path).load(identity).state is State.READY


def test_an_imported_mesh_is_not_offered(job: Any, tmp_path: Path, service: Service) -> None:
    identity = job(State.READY, plan=ImportPlan("some-file"))
    (tmp_path / identity / "imported.json").write_text("{}")
    assert not list(Library(tmp_path).open_jobs())


def test_without_key_or_network_jobs_wait(job: Any, tmp_path: Path, service: Service) -> None:
    identity = job(State.RUNNING)
    later = Session()
    later.recovery.scan(replace(means(tmp_path, service), keys={}))
    later.recovery.join(5.0)
    assert later.views() == ()
    assert [item.id for item in later.recovery.found.waiting] == [identity]
    assert Library(tmp_path).load(identity).state is State.RUNNING
    assert not [item for item in threading.enumerate() if identity in item.name]


def test_a_closed_session_resumes_no_job(job: Any, tmp_path: Path, service: Service) -> None:
    job(State.RUNNING)
    later = Session()
    later.close()
    later.recovery.scan(means(tmp_path, service))
    later.recovery.join(5.0)
    assert later.views() == ()


def test_many_jobs_are_resumed_a_few_at_a_time(
    tmp_path: Path, png: bytes, running: Session, rehearsal: Provider[Any], service: Service
) -> None:
    view = end_of(running, running.start(spec_for(tmp_path, png)))
    running.join(5.0)
    library = Library(tmp_path)
    whole = library.load(view.job)
    for number in range(9):
        copy = replace(whole, id=f"job-{number}", state=State.PREPARING, blend=None)
        mesh = (tmp_path / view.job / "mesh.glb").read_bytes()
        library.create(copy, {"mesh.glb": mesh, "front.png": png})
    later = Session()
    later.recovery.scan(replace(means(tmp_path, service), keys={"local": {}}))
    most, ended = 0, 0
    until = time.monotonic() + 60
    while ended < 9 and time.monotonic() < until:
        most = max(most, len(later.running()))
        ended = sum(row.state is State.READY for row in library.all()[0]) - 1
        time.sleep(0.01)
    assert ended == 9
    assert 1 <= most <= 4
    later.close(2.0)


def test_scanning_a_library_loads_no_network_modules(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from image_to_mesh.jobs import Library;"
        f"list(Library(Path({str(tmp_path)!r})).open_jobs());"
        "print(sorted({'requests', 'pydantic', 'filelock'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
