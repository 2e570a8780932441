# SPDX-License-Identifier: GPL-3.0-or-later
"""The watcher imports a large model chunk by chunk, once and in the order of the jobs."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from blender.large_models import JOB, all_names, data_block_names, make_job, mesh_facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def folder(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a finished job with a model in chunks, each imported in its own tick."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setattr(addon_module("scene.chunked_append"), "BYTES_PER_TICK", 1)
    return make_job(tmp_path / "library")


def plan_for(file: str, location: tuple[float, float, float]) -> Any:
    """Return the import plan of a job of this file."""
    plans = addon_module("jobs.import_plan")
    return plans.ImportPlan(file, "Scene", plans.Placement(location))


def ended_event(**changes: Any) -> Any:
    jobs = addon_module("jobs")
    record = addon_module("app.bring_in").library_of(bpy.context, JOB).load(JOB)
    plan = plan_for(addon_module("state.open_file").token(), (1.0, 2.0, 3.0))
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
    """Return a function that lets the watcher tick with new events and returns the outcomes."""

    def run(*events: Any) -> list[Any]:
        session = addon_module("jobs").session()
        monkeypatch.setattr(session, "drain", lambda: list(events))
        found: list[Any] = addon_module("app.watcher").handle_events(bpy.context)
        return found

    return run


def test_the_watcher_imports_a_chunk_at_each_tick(tick: Any, folder: Path) -> None:
    before, ticks = all_names(), 1
    outcomes = tick(ended_event())
    while not outcomes:
        assert all_names() == before
        assert addon_module("app.watcher").busy()
        ticks, outcomes = ticks + 1, tick()
    assert ticks > 15
    assert [outcome.level for outcome in outcomes] == ["INFO"]
    assert tuple(bpy.data.objects["photo"].location) == (1, 2, 3)
    assert all_names() == all_names(hidden=True)
    until_gone(folder / "model-parts")
    assert (folder / "model.blend").is_file()
    bpy.ops.ed.undo()
    assert all_names(hidden=True) == before
    bpy.ops.ed.redo()
    assert "photo 2" in bpy.data.objects


def test_the_same_model_is_not_imported_twice(tick: Any, folder: Path) -> None:
    """It is imported while its preview is still drawn; the job ends later."""
    jobs, drawing = addon_module("jobs"), addon_module("jobs.steps.prepare").DRAWING
    view = ended_event(state=jobs.State.PREPARING, phase=drawing).view
    tick(jobs.Progressed(JOB, view))
    while not addon_module("app.event_queue").is_imported(JOB):
        tick()
    assert len(tick(ended_event())) == 1
    assert len([obj for obj in bpy.data.objects if obj.get("image_to_mesh_job") == JOB]) == 3
    assert all_names() == all_names(hidden=True)


def objects_in_scene() -> int:
    """Count the objects of the job in the scene."""
    return len([obj for obj in bpy.data.objects if obj.get("image_to_mesh_job") == JOB])


def test_importing_a_model_while_it_arrives_adds_it_once(tick: Any, folder: Path) -> None:
    tick(ended_event())
    tick()
    assert bpy.ops.image_to_mesh.import_result(job=JOB) == {"FINISHED"}
    while addon_module("app.watcher").busy():
        tick()
    assert objects_in_scene() == 3
    assert all_names() == all_names(hidden=True)
    assert bpy.ops.image_to_mesh.import_result(job=JOB) == {"FINISHED"}  # as often as wanted
    assert objects_in_scene() == 6


def test_a_script_that_waits_for_the_end_gets_the_model_once(tick: Any, folder: Path) -> None:
    jobs, drawing = addon_module("jobs"), addon_module("jobs.steps.prepare").DRAWING
    view = ended_event(state=jobs.State.PREPARING, phase=drawing).view
    tick(jobs.Progressed(JOB, view))
    tick()
    assert addon_module("app.job_events").handle(bpy.context, ended_event()).level == "INFO"
    while addon_module("app.watcher").busy():
        tick()
    assert objects_in_scene() == 3
    assert not addon_module("app.event_queue").is_imported(JOB)


def test_the_end_event_waits_for_the_model(tick: Any, folder: Path) -> None:
    jobs, drawing = addon_module("jobs"), addon_module("jobs.steps.prepare").DRAWING
    view = ended_event(state=jobs.State.PREPARING, phase=drawing).view
    outcomes, ticks = tick(jobs.Progressed(JOB, view), jobs.Progressed(JOB, view), ended_event()), 1
    while addon_module("app.watcher").busy():
        ticks, outcomes = ticks + 1, outcomes + tick()
    assert ticks > 15
    assert len(outcomes) == 1
    assert sorted(obj.name for obj in bpy.data.objects if obj.get("image_to_mesh_job")) == [
        "photo", "photo 1", "photo 2"]  # fmt: skip


def test_two_large_models_are_imported_one_after_the_other(
    tick: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the same time, both would double the length of each tick."""
    jobs, second = addon_module("jobs"), f"{JOB}-2"
    shutil.copytree(folder, folder.with_name(second))
    library = addon_module("app.bring_in").library_of(bpy.context, JOB)
    library.save(replace(library.load(JOB), id=second))
    view = replace(ended_event().view, job=second, record=library.load(second))
    fill, filled = addon_module("scene.chunked_append")._fill, []

    def fill_and_count(*arguments: Any) -> None:
        filled.append(arguments)
        fill(*arguments)

    monkeypatch.setattr(addon_module("scene.chunked_append"), "_fill", fill_and_count)
    outcomes, most = tick(ended_event(), jobs.Ended(second, view)), 0
    while addon_module("app.watcher").busy():
        before = len(filled)
        outcomes += tick()
        most = max(most, len(filled) - before)
    assert (len(outcomes), most) == (2, 1)
    assert {"photo", "photo.001"} < set(bpy.data.objects.keys())
    assert all_names() == all_names(hidden=True)


@pytest.mark.parametrize("end", ["another file", "failed", "cancelled"])
def test_a_failed_import_leaves_no_chunks(tick: Any, folder: Path, end: str) -> None:
    jobs = addon_module("jobs")
    tick(ended_event())
    tick()
    assert all_names() != all_names(hidden=True)
    addon_module("app.event_queue").waiting.clear()
    changes: dict[str, Any] = {"state": jobs.State.CANCELLED}
    if end == "another file":
        changes = {"plan": plan_for("another", (0.0, 0.0, 0.0))}
    elif end == "failed":
        changes = {"failure": jobs.Failure("failed", "It failed."), "state": jobs.State.FAILED}
    assert len(tick(ended_event(**changes))) == 1
    until_gone(folder / "model-parts")
    assert all_names() == all_names(hidden=True)
    assert "photo" not in bpy.data.objects


def test_a_large_model_goes_from_image_to_scene(
    addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path))
    monkeypatch.setattr(addon_module("jobs.steps.prepare"), "LEAST", 0)
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.load(str(places.SAMPLE))
    chosen.local.face_count = 1000
    spec = addon_module("operators.generate").specify(
        bpy.context, addon_module("providers").get_provider("local")
    )
    assert spec.plan.in_chunks is False  # nobody watches: a script waits
    spec = replace(spec, plan=replace(spec.plan, in_chunks=True))
    job = addon_module("app.queue").begin(spec)
    outcomes: list[Any] = []
    ticks_with_hidden_meshes, deadline = 0, time.monotonic() + 50.0
    while not outcomes and time.monotonic() < deadline:
        outcomes = addon_module("app.watcher").handle_events(bpy.context)
        ticks_with_hidden_meshes += any(mesh.name[0] == "." for mesh in bpy.data.meshes)
        time.sleep(0.01)
    assert [outcome.level for outcome in outcomes] == ["INFO"]
    assert ticks_with_hidden_meshes
    (obj,) = [item for item in bpy.data.objects if item.get("image_to_mesh_job") == job]
    assert (obj.asset_data, obj.data.validate()) == (None, False)
    imported, after = mesh_facts(obj.data), all_names(hidden=True)
    until_gone(tmp_path / job / "model-parts")
    bpy.data.objects.remove(obj)
    bpy.data.orphans_purge(do_recursive=True)
    assert bpy.ops.image_to_mesh.import_result(job=job) == {"FINISHED"}
    assert mesh_facts(bpy.context.view_layer.objects.active.data) == imported
    assert data_block_names("objects") == after["objects"]
