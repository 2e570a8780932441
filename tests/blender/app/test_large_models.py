# SPDX-License-Identifier: GPL-3.0-or-later
"""The watcher brings a large model in part by part, in its turn and once."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.large_models import JOB, facts, make_job, mesh_facts, named, room

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def folder(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a finished job whose model is there in parts, each with a tick of its own."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setattr(room("scene.chunked_append"), "BYTES_PER_TICK", 1)
    return make_job(tmp_path / "library")


def plan_for(file: str, location: tuple[float, float, float]) -> Any:
    """Return the import plan of a job of this file."""
    plans = room("jobs.import_plan")
    return plans.ImportPlan(file, "Scene", plans.Placement(location))


def ended(**changes: Any) -> Any:
    jobs = room("jobs")
    record = room("app.bring_in").library_of(bpy.context, JOB).load(JOB)
    plan = plan_for(room("state.open_file").token(), (1.0, 2.0, 3.0))
    values = {
        "job": JOB, "provider": "local", "name": "photo", "state": record.state, "phase": "Done",
        "fraction": 1.0, "started": time.monotonic(), "record": record, "plan": plan,
    }  # fmt: skip
    return jobs.Ended(JOB, jobs.JobView(**{**values, **changes}))


def until_gone(path: Path) -> None:
    deadline = time.monotonic() + 20.0
    while path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def tick(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Let the watcher tick, with these new events."""

    def run(*events: Any) -> list[Any]:
        session = room("jobs").session()
        monkeypatch.setattr(session, "drain", lambda: list(events))
        found: list[Any] = room("app.watcher").handle_events(bpy.context)
        return found

    return run


def test_the_watcher_imports_a_chunk_at_each_tick(tick: Any, folder: Path) -> None:
    before, ticks = facts(), 1
    outcomes = tick(ended())
    while not outcomes:
        assert facts() == before
        assert room("app.watcher").busy()
        ticks, outcomes = ticks + 1, tick()
    assert ticks > 15
    assert [outcome.level for outcome in outcomes] == ["INFO"]
    assert tuple(bpy.data.objects["photo"].location) == (1, 2, 3)
    assert facts() == facts(hidden=True)
    until_gone(folder / "model-parts")
    assert (folder / "model.blend").is_file()
    bpy.ops.ed.undo()
    assert facts(hidden=True) == before
    bpy.ops.ed.redo()
    assert "photo 2" in bpy.data.objects


def test_the_same_model_is_not_imported_twice(tick: Any, folder: Path) -> None:
    """Its preview is drawn while it comes in; the end of the job comes later."""
    jobs, drawing = room("jobs"), room("jobs.library.file_names").DRAWING
    view = ended(state=jobs.State.PREPARING, phase=drawing).view
    tick(jobs.Progressed(JOB, view))
    while not room("app.event_queue").is_imported(JOB):
        tick()
    assert len(tick(ended())) == 1
    assert len([obj for obj in bpy.data.objects if obj.get("image_to_mesh_job") == JOB]) == 3
    assert facts() == facts(hidden=True)


def standing() -> int:
    """Count the objects of the job's model that are in the scene."""
    return len([obj for obj in bpy.data.objects if obj.get("image_to_mesh_job") == JOB])


def test_importing_a_model_while_it_arrives_adds_it_once(tick: Any, folder: Path) -> None:
    tick(ended())
    tick()
    assert bpy.ops.image_to_mesh.import_result(job=JOB) == {"FINISHED"}
    while room("app.watcher").busy():
        tick()
    assert standing() == 3
    assert facts() == facts(hidden=True)
    assert bpy.ops.image_to_mesh.import_result(job=JOB) == {"FINISHED"}  # as often as wanted
    assert standing() == 6


def test_a_script_that_waits_for_the_end_gets_the_model_once(tick: Any, folder: Path) -> None:
    jobs, drawing = room("jobs"), room("jobs.library.file_names").DRAWING
    view = ended(state=jobs.State.PREPARING, phase=drawing).view
    tick(jobs.Progressed(JOB, view))
    tick()
    assert room("app.job_events").handle(bpy.context, ended()).level == "INFO"
    while room("app.watcher").busy():
        tick()
    assert standing() == 3
    assert not room("app.event_queue").is_imported(JOB)


def test_the_end_event_waits_for_the_model(tick: Any, folder: Path) -> None:
    jobs, drawing = room("jobs"), room("jobs.library.file_names").DRAWING
    view = ended(state=jobs.State.PREPARING, phase=drawing).view
    outcomes, ticks = tick(jobs.Progressed(JOB, view), jobs.Progressed(JOB, view), ended()), 1
    while room("app.watcher").busy():
        ticks, outcomes = ticks + 1, outcomes + tick()
    assert ticks > 15
    assert len(outcomes) == 1
    assert sorted(obj.name for obj in bpy.data.objects if obj.get("image_to_mesh_job")) == [
        "photo", "photo 1", "photo 2"]  # fmt: skip


def test_two_large_models_are_imported_one_after_the_other(
    tick: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two together would take twice as long at each tick."""
    jobs, second = room("jobs"), f"{JOB}-2"
    shutil.copytree(folder, folder.with_name(second))
    library = room("app.bring_in").library_of(bpy.context, JOB)
    library.save(replace(library.load(JOB), id=second))
    view = replace(ended().view, job=second, record=library.load(second))
    fill, filled = room("scene.chunked_append")._fill, []

    def noted(*what: Any) -> None:
        filled.append(what)
        fill(*what)

    monkeypatch.setattr(room("scene.chunked_append"), "_fill", noted)
    outcomes, most = tick(ended(), jobs.Ended(second, view)), 0
    while room("app.watcher").busy():
        before = len(filled)
        outcomes += tick()
        most = max(most, len(filled) - before)
    assert (len(outcomes), most) == (2, 1)
    assert {"photo", "photo.001"} < set(bpy.data.objects.keys())
    assert facts() == facts(hidden=True)


@pytest.mark.parametrize("what", ["another file", "failed", "cancelled"])
def test_a_failed_import_leaves_no_chunks(tick: Any, folder: Path, what: str) -> None:
    jobs = room("jobs")
    tick(ended())
    tick()
    assert facts() != facts(hidden=True)
    room("app.event_queue").waiting.clear()
    changes: dict[str, Any] = {"state": jobs.State.CANCELLED}
    if what == "another file":
        changes = {"plan": plan_for("another", (0.0, 0.0, 0.0))}
    elif what == "failed":
        changes = {"failure": jobs.Failure("failed", "It failed."), "state": jobs.State.FAILED}
    assert len(tick(ended(**changes))) == 1
    until_gone(folder / "model-parts")
    assert facts() == facts(hidden=True)
    assert "photo" not in bpy.data.objects


def test_a_large_model_goes_from_image_to_scene(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path))
    monkeypatch.setattr(room("jobs.steps.prepare"), "LEAST", 0)
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.load(str(places.SAMPLE))
    chosen.local.face_count = 1000
    spec = room("operators.generate").specify(bpy.context, room("providers").get_provider("local"))
    assert spec.plan.in_chunks is False  # nobody watches: a script waits
    spec = replace(spec, plan=replace(spec.plan, in_chunks=True))
    job = room("app.queue").begin(spec)
    outcomes: list[Any] = []
    half, deadline = 0, time.monotonic() + 50.0
    while not outcomes and time.monotonic() < deadline:
        outcomes = room("app.watcher").handle_events(bpy.context)
        half += any(mesh.name[0] == "." for mesh in bpy.data.meshes)
        time.sleep(0.01)
    assert [outcome.level for outcome in outcomes] == ["INFO"]
    assert half
    (thing,) = [obj for obj in bpy.data.objects if obj.get("image_to_mesh_job") == job]
    assert (thing.asset_data, thing.data.validate()) == (None, False)
    came, after = mesh_facts(thing.data), facts(hidden=True)
    until_gone(tmp_path / job / "model-parts")
    bpy.data.objects.remove(thing)
    bpy.data.orphans_purge(do_recursive=True)
    assert bpy.ops.image_to_mesh.import_result(job=job) == {"FINISHED"}
    assert mesh_facts(bpy.context.view_layer.objects.active.data) == came
    assert named("objects") == after["objects"]
