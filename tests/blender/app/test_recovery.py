# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of earlier processes are offered in one line, resumed by a click, or resolved."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from blender.clicked import discard_button, finish, open_window, resume_button
from blender.recording import draw
from fakes import FAKES, WORKER
from fakes.glb import triangle_glb
from fakes.service import KEY, Service, serving

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = pytest.mark.once

WIDE = 2000
UNSENT: dict[str, Any] = {"ticket": None, "submitted": None, "request_hash": None}


@pytest.fixture
def service() -> Iterator[Service]:
    """A fake service that finishes at once."""
    with serving(Service(takes=0.0, mesh=triangle_glb(5))) as running:
        yield running


@pytest.fixture
def library(
    addon: ModuleType, tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """An empty library, the rehearsal provider with its key, and its task ids to attach."""
    providers = addon_module("providers")
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    monkeypatch.setenv("REHEARSAL_BASE_URL", service.url)
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(FAKES / "services")])
    providers.all_providers.cache_clear()
    kind = type(providers.get_provider("rehearsal"))
    monkeypatch.setattr(kind, "lookup_name", "Task ID")
    monkeypatch.setattr(kind, "attach", lambda _, task, __: providers.Ticket({"task": task}))
    monkeypatch.setattr(addon_module("preferences"), "_names", lambda: iter(["library"]))
    monkeypatch.setattr(addon_module("scene"), "background_command", lambda: WORKER)
    yield tmp_path / "library"
    providers.all_providers.cache_clear()


def make_interrupted_job(library: Path, state: str, number: int = 0, **changes: Any) -> str:
    """Create a job as an interrupted process would leave it; return its id."""
    jobs, providers = addon_module("jobs"), addon_module("providers")
    job, picture = f"job-{number}", places.SAMPLE.read_bytes()
    digest = hashlib.sha256(picture).hexdigest()
    ticketed = {"ticket": {"task": "task-1"}, "submitted": "2026-11-21T10:00:00+00:00"}
    record = jobs.Record(
        id=job,
        state=jobs.State(state),
        provider="rehearsal",
        name=f"cup {number}",
        created="2026-11-21T09:59:00+00:00",
        pictures=(jobs.InputPicture("front", "cup", "front.png", sha256=digest),),
        settings=providers.values_of(providers.get_provider("rehearsal").settings()),
        plan=addon_module("jobs.import_plan").ImportPlan("another", "Scene"),
        **{**ticketed, "request_hash": "0123456789ab" * 4, **changes},
    )
    jobs.Library(library).create(record, {"front.png": picture})
    return job


def state_of(library: Path, job: str) -> str:
    """Return a job's state on disk."""
    return str(json.loads((library / job / "job.json").read_text())["state"])


def scan() -> Any:
    """Scan the library as after a start, wait for resumed jobs, and return what was found."""
    session = addon_module("jobs").session()
    session.recovery.scan(addon_module("app.resume").resume_context(bpy.context))
    session.recovery.join(10.0)
    end = time.monotonic() + 30
    while session.running():
        assert time.monotonic() < end
        time.sleep(0.02)
    return session.recovery.found


def test_interrupted_jobs_are_resumed_and_offered_in_one_line(
    library: Path, service: Service
) -> None:
    names = [make_interrupted_job(library, "running", number) for number in range(2)]
    assert {item.id for item in scan().arrived} == set(names)
    seen = draw(width=WIDE)
    assert "2 new results" in seen.text()
    assert not seen.buttons("image_to_mesh.import_result")
    assert len(bpy.data.objects) == 3
    assert bpy.ops.image_to_mesh.dismiss_arrivals() == {"FINISHED"}
    assert "came in" not in draw(width=WIDE).text()
    assert not bpy.ops.image_to_mesh.import_arrivals.poll()
    end = time.monotonic() + 10
    while list(addon_module("jobs").Library(library).open_jobs()):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert not service.submits


def test_an_arrived_result_is_imported_by_a_click(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_interrupted_job(library, "running")
    scan()
    # The fake worker's model.blend is not valid: the import prepares the mesh again.
    (library / job / "model.blend").unlink()
    monkeypatch.undo()
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(library))
    assert "1 new result" in draw(width=WIDE).text()
    assert bpy.ops.image_to_mesh.import_arrivals() == {"FINISHED"}
    assert len([obj for obj in bpy.data.objects if obj.get("image_to_mesh_job") == job]) == 1
    assert "came in" not in draw(width=WIDE).text()


def test_a_missing_mesh_is_reported_and_no_longer_offered(library: Path) -> None:
    job = make_interrupted_job(library, "running")
    scan()
    shutil.rmtree(library / job)
    with pytest.raises(RuntimeError, match="no job"):
        bpy.ops.image_to_mesh.import_arrivals()
    assert "came in" not in draw(width=WIDE).text()


def test_a_job_that_was_never_sent_waits_for_a_click(library: Path, service: Service) -> None:
    job = make_interrupted_job(library, "queued", **UNSENT)
    scan()
    seen = draw(width=WIDE)
    assert "cup 0: not submitted to Rehearsal" in seen.text()
    assert (state_of(library, job), service.submits) == ("queued", [])
    button = seen.button("image_to_mesh.resume")
    assert (button["text"], button["button"].job) == ("Submit...", job)
    assert "1 to resolve" in seen.text()
    # In a narrow sidebar the sentence has lines of its own, so that the button does not cut it off.
    assert "cup 0: not submitted to Rehearsal" in draw(width=220).text()
    assert bpy.ops.image_to_mesh.resume(job=job) == {"FINISHED"}
    assert (state_of(library, job), len(service.submits)) == ("ready", 1)
    assert "not submitted" not in draw(width=WIDE).text()


def test_nothing_is_submitted_without_the_question(
    library: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, window = make_interrupted_job(library, "queued", **UNSENT), open_window(monkeypatch)
    scan()
    button = resume_button(job)
    assert button.invoke(window, None) == {"RUNNING_MODAL"}
    finish()
    assert (state_of(library, job), service.submits) == ("queued", [])
    (prompt,) = window.prompts
    assert prompt["title"] == "Submit “cup 0” to Rehearsal"
    assert prompt["message"] == "Rehearsal charges for this mesh. The price is unknown."
    assert button.execute(window) == {"FINISHED"}
    finish()
    assert len(service.submits) == 1


@pytest.mark.parametrize("name", ["resume", "settle", "discard"])
def test_repeat_last_cannot_skip_the_question(addon: ModuleType, name: str) -> None:
    """Blender repeats registered operators by `execute`, without `invoke`."""
    operator = getattr(bpy.types, f"IMAGE_TO_MESH_OT_{name}")
    assert "REGISTER" not in getattr(operator, "bl_options", ())


def test_the_question_names_the_price_of_the_jobs_own_settings(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the scene's: another provider may be chosen there."""
    own = {"provider": "tripo", "settings": {"geometry_quality": "standard"}}
    record = addon_module("jobs").Library(library).load(make_interrupted_job(library, "queued"))
    window = open_window(monkeypatch)
    ask = addon_module("operators.confirm_order").ask_to_submit
    ask(None, window, None, replace(record, **own))
    assert window.prompts[0]["message"] == (
        "Tripo charges about 30 Credits. Price according to docs.tripo3d.ai, 2026-11-20."
    )


def test_a_submitted_job_is_resumed_without_a_question(
    library: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, window = make_interrupted_job(library, "running"), open_window(monkeypatch)
    assert resume_button(job).invoke(window, None) == {"FINISHED"}
    finish()
    assert (window.prompts, service.submits) == ([], [])


@pytest.mark.parametrize(
    ("state", "changes", "warning"),
    [("queued", UNSENT, "nothing is charged"), ("running", {}, "may be charged")],
)
def test_an_unfinished_job_can_be_discarded_after_a_question(
    library: Path,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    changes: dict[str, Any],
    warning: str,
) -> None:
    job, window = make_interrupted_job(library, state, **changes), open_window(monkeypatch)
    monkeypatch.delenv("REHEARSAL_API_KEY")  # a submitted job cannot be resumed, so it waits
    scan()
    drawn = draw(width=WIDE).button("image_to_mesh.discard")
    assert (drawn["text"], drawn["button"].job) == ("Discard...", job)
    button = discard_button(job)
    assert button.invoke(window, None) == {"RUNNING_MODAL"}
    assert state_of(library, job) == state
    assert warning in window.prompts[0]["message"]
    assert bpy.ops.image_to_mesh.discard(job=job) == {"FINISHED"}
    assert (state_of(library, job), service.submits) == ("cancelled", [])
    assert not draw(width=WIDE).buttons("image_to_mesh.discard")
    notes = addon_module("jobs").Library(library).load(job).notes
    assert bool(notes) is not bool(changes), "a note only for what may be charged"


def test_a_finished_job_is_not_discarded(library: Path) -> None:
    job = make_interrupted_job(library, "failed")
    with pytest.raises(RuntimeError, match="has already ended"):
        bpy.ops.image_to_mesh.discard(job=job)
    assert state_of(library, job) == "failed"


def test_resume_without_a_name_takes_the_newest(library: Path) -> None:
    with pytest.raises(RuntimeError, match="There is no job to resume"):
        bpy.ops.image_to_mesh.resume()
    older, newer = (make_interrupted_job(library, "running", number) for number in range(2))
    assert bpy.ops.image_to_mesh.resume() == {"FINISHED"}
    assert (state_of(library, older), state_of(library, newer)) == ("running", "ready")
    with pytest.raises(RuntimeError, match="state: Ready"):
        bpy.ops.image_to_mesh.resume(job=newer)


def test_resume_reports_missing_files(
    library: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_interrupted_job(library, "running")
    monkeypatch.delenv("REHEARSAL_API_KEY")
    with pytest.raises(RuntimeError, match="needs an API key"):
        bpy.ops.image_to_mesh.resume(job=job)
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    monkeypatch.setenv("REHEARSAL_BASE_URL", "https://example.com")
    with pytest.raises(RuntimeError, match="offline"):
        bpy.ops.image_to_mesh.resume(job=job)
    assert scan().arrived == ()
    assert "cup 0: not finished by Rehearsal" in draw(width=WIDE).text()
    assert state_of(library, job) == "running"
    monkeypatch.setenv("REHEARSAL_BASE_URL", service.url)
    assert bpy.ops.image_to_mesh.resume(job=job) == {"FINISHED"}
    assert "not finished" not in draw(width=WIDE).text()


def test_jobs_of_another_blender_are_shown_as_theirs(library: Path) -> None:
    job = make_interrupted_job(library, "running")
    lock = addon_module("jobs").Library(library).lock(job)
    assert lock.take()
    assert [record.id for record in scan().theirs] == [job]
    assert "1 job running in another Blender instance" in draw(width=WIDE).text()
    with pytest.raises(RuntimeError, match="another Blender"):
        bpy.ops.image_to_mesh.resume(job=job)
    assert state_of(library, job) == "running"
    lock.release()


def test_an_uncertain_order_is_shown_with_its_choices(library: Path, service: Service) -> None:
    job = make_interrupted_job(library, "uncertain", ticket=None)
    assert [item.id for item in scan().uncertain] == [job]
    seen = draw(width=WIDE)
    sent = datetime.fromisoformat("2026-11-21T10:00:00+00:00").astimezone()
    assert f"at {sent:%Y-%m-%d %H:%M} " in seen.text()
    assert "request 0123456789ab" in seen.text()
    choices = {button["button"].how for button in seen.buttons("image_to_mesh.settle")}
    assert choices == {"ATTACH", "SUBMIT_AGAIN", "FORGET"}
    assert "1 to resolve" in seen.text()
    assert not service.submits


@pytest.mark.parametrize(
    ("how", "state", "submits"),
    [("ATTACH", "ready", 0), ("SUBMIT_AGAIN", "ready", 1), ("FORGET", "cancelled", 0)],
)
def test_an_uncertain_order_is_resolved(
    library: Path, service: Service, how: str, state: str, submits: int
) -> None:
    job = make_interrupted_job(library, "uncertain", ticket=None)
    scan()
    task = "task-1" if how == "ATTACH" else ""
    assert bpy.ops.image_to_mesh.settle("EXEC_DEFAULT", job=job, how=how, task=task) == {"FINISHED"}
    assert (state_of(library, job), len(service.submits)) == (state, submits)
    assert not draw(width=WIDE).buttons("image_to_mesh.settle")


@pytest.mark.parametrize("how", ["SUBMIT_AGAIN", "FORGET"])
def test_what_may_cost_money_for_nothing_asks_first(library: Path, how: str) -> None:
    asked: list[dict[str, str]] = []
    manager = SimpleNamespace(invoke_confirm=lambda *_, **texts: asked.append(texts))
    operator = SimpleNamespace(how=how, execute=lambda _: pytest.fail("nothing was asked"))
    invoke = addon_module("operators.settle").IMAGE_TO_MESH_OT_settle.invoke
    invoke(operator, SimpleNamespace(window_manager=manager), None)
    (texts,) = asked
    assert "charged" in texts["message"]


def test_resolving_needs_an_id_and_an_uncertain_job(library: Path) -> None:
    job = make_interrupted_job(library, "uncertain", ticket=None)
    with pytest.raises(RuntimeError, match="Task ID is empty"):
        bpy.ops.image_to_mesh.settle("EXEC_DEFAULT", job=job, how="ATTACH")
    other = make_interrupted_job(library, "running", 1)
    with pytest.raises(RuntimeError, match="does not need to be resolved"):
        bpy.ops.image_to_mesh.settle("EXEC_DEFAULT", job=other, how="FORGET")
    assert state_of(library, job) == "uncertain"


def test_an_order_that_stays_unanswered_is_shown_with_its_choices(
    library: Path, service: Service
) -> None:
    service.swallow_submit = True
    job = make_interrupted_job(library, "queued", **UNSENT)
    with pytest.raises(RuntimeError, match="no response was received"):
        bpy.ops.image_to_mesh.resume(job=job)
    seen = draw(width=WIDE)
    assert {button["button"].how for button in seen.buttons("image_to_mesh.settle")} == {
        "ATTACH",
        "SUBMIT_AGAIN",
        "FORGET",
    }
    assert not seen.buttons("image_to_mesh.resume")
    assert len(service.submits) == 1


def test_nothing_is_scanned_before_the_window_was_drawn(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovery, returning = (
        addon_module("app.periodic.recovery"),
        addon_module("jobs").session().recovery,
    )
    contexts: list[Any] = []
    monkeypatch.setattr(type(returning), "scan", lambda _, context: contexts.append(context))
    threads = threading.enumerate()
    recovery.start()
    for tick in range(recovery.UNDRAWN):
        assert recovery.is_needed(bpy.context)
        recovery.poll(bpy.context, float(tick))
    assert contexts == []
    recovery.poll(bpy.context, 3.0)
    assert recovery.is_needed(bpy.context)
    assert [context.library for context in contexts] == [library]
    assert set(contexts[0].keys) >= {"local", "rehearsal"}
    assert "tripo" not in contexts[0].keys, "it has no key here"
    recovery.poll(bpy.context, 4.0)
    assert not recovery.is_needed(bpy.context)
    assert len(contexts) == 1
    assert threading.enumerate() == threads
