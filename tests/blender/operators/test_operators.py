# SPDX-License-Identifier: GPL-3.0-or-later
"""The main operators, with the built-in provider and a real worker."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from types import ModuleType

CURSOR = (3.0, -1.0, 0.5)
_finished_jobs: list[Path] = []


@pytest.fixture
def library(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of an empty library."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    return tmp_path / "library"


@pytest.fixture
def picture(library: Path) -> bpy.types.Image:
    """A photograph chosen in the scene; few faces, and the 3D cursor away from the world origin."""
    scene = bpy.context.scene
    scene.image_to_mesh.image = bpy.data.images.load(str(places.SAMPLE))
    scene.image_to_mesh.local.face_count = 1000
    scene.image_to_mesh.placement.position = "cursor"
    scene.image_to_mesh.placement.use_row = False
    scene.cursor.location = CURSOR
    return scene.image_to_mesh.image


@pytest.fixture
def finished(picture: bpy.types.Image, library: Path, tmp_path_factory: Any) -> str:
    """The id of a finished job that this session does not know; the scene holds no mesh of it.

    It is generated once for all tests and copied into each test's library.
    """
    if not _finished_jobs:
        bpy.ops.image_to_mesh.generate()
        _finished_jobs.append(tmp_path_factory.mktemp("made") / "job")
        shutil.copytree(next(library.glob("*/job.json")).parent, _finished_jobs[0])
        bpy.data.objects.remove(bpy.context.view_layer.objects.active)
        addon_module("jobs").session.cache_clear()
        addon_module("app.bring_in").unregister()
    job = str(json.loads((_finished_jobs[0] / "job.json").read_text("utf-8"))["id"])
    shutil.rmtree(library, ignore_errors=True)
    shutil.copytree(_finished_jobs[0], library / job)
    return job


def view_of(job: str, library: Path, **changes: Any) -> Any:
    """Return what a session would show of a job in the library."""
    jobs = addon_module("jobs")
    record = jobs.Library(library).load(job)
    values: dict[str, Any] = {
        "job": job,
        "provider": record.provider,
        "name": record.name,
        "state": record.state,
        "phase": "Done",
        "fraction": 1.0,
        "started": time.monotonic(),
        "record": record,
        "plan": replace(record.plan, file=addon_module("state.open_file").token()),
    }
    return jobs.JobView(**{**values, **changes})


def meshes() -> set[str]:
    """Return the names of all objects that jobs made."""
    return {obj.name for obj in bpy.data.objects if "image_to_mesh_job" in obj}


def wait_for_end(job: str, seconds: float = 10.0) -> Any:
    """Return a job's end event without handling it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        event = addon_module("jobs").session().wait(0.1)
        if isinstance(event, addon_module("jobs").Ended) and event.job == job:
            return event
    raise AssertionError(f"job {job} did not end")


def test_generate_puts_the_mesh_at_the_3d_cursor(
    picture: bpy.types.Image, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = time.monotonic()
    assert bpy.ops.image_to_mesh.generate() == {"FINISHED"}
    with capsys.disabled():
        print(f"\ngenerate, start to mesh: {time.monotonic() - start:.1f} s")
    root = bpy.context.view_layer.objects.active
    assert tuple(root.matrix_world.translation) == CURSOR
    assert root.select_get()
    assert root.name == Path(picture.name).stem
    assert (library / root["image_to_mesh_job"] / "job.json").is_file()
    assert len(meshes()) == 1
    (view,) = addon_module("jobs").session().views()
    assert (view.state, view.failure) == ("ready", None)


def test_nothing_runs_without_a_picture(library: Path) -> None:
    with pytest.raises(RuntimeError, match="Choose an image"):
        bpy.ops.image_to_mesh.generate()
    assert not library.exists()


def test_a_file_that_is_not_an_image_is_reported_in_one_sentence(
    library: Path, tmp_path: Path
) -> None:
    text_file = tmp_path / "false.png"
    text_file.write_text("this is no picture")
    bpy.context.scene.image_to_mesh.image = bpy.data.images.load(str(text_file))
    with pytest.raises(RuntimeError, match=r"false\.png” has no pixels") as raised:
        bpy.ops.image_to_mesh.generate()
    assert "Traceback" not in str(raised.value)
    assert not meshes()
    assert not list(library.glob("*"))


def test_a_missing_image_file_is_reported_in_one_sentence(
    picture: bpy.types.Image, tmp_path: Path
) -> None:
    picture.filepath = str(tmp_path / "gone.jpg")
    with pytest.raises(RuntimeError, match="is missing"):
        bpy.ops.image_to_mesh.generate()


def test_generate_leaves_edit_mode_and_selection_alone(picture: bpy.types.Image) -> None:
    cube = bpy.context.view_layer.objects.active
    selected = set(bpy.context.selected_objects)
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.image_to_mesh.generate()
    assert (bpy.context.mode, bpy.context.view_layer.objects.active) == ("EDIT_MESH", cube)
    assert len(meshes()) == 1
    assert selected <= set(bpy.context.selected_objects)


def test_an_interrupt_cancels_the_job(
    picture: bpy.types.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = addon_module("jobs").session()
    wait = session.wait
    calls = iter(range(1000))

    def interrupt(seconds: float) -> Any:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return wait(seconds)

    monkeypatch.setattr(session, "wait", interrupt)
    with pytest.raises(RuntimeError, match="Interrupted"):
        bpy.ops.image_to_mesh.generate()
    assert not session.running()
    assert not meshes()


def test_a_running_job_can_be_cancelled(picture: bpy.types.Image) -> None:
    job = addon_module("operators.generate").start(bpy.context)
    start = time.monotonic()
    assert bpy.ops.image_to_mesh.cancel() == {"FINISHED"}
    assert wait_for_end(job).view.state == "cancelled"
    assert time.monotonic() - start < 3.0  # 0.3 s on a quiet machine
    assert not bpy.ops.image_to_mesh.cancel.poll()
    with pytest.raises(RuntimeError, match="No job is running"):
        bpy.ops.image_to_mesh.cancel(job=job)


def test_starting_a_job_is_quick(
    picture: bpy.types.Image, capsys: pytest.CaptureFixture[str]
) -> None:
    generate = addon_module("operators.generate")
    first = time.perf_counter()
    first_job = generate.start(bpy.context)
    again = time.perf_counter()
    second_job = generate.start(bpy.context)
    end = time.perf_counter()
    for job in (first_job, second_job):
        addon_module("jobs").session().cancel(job)
        wait_for_end(job)
    with capsys.disabled():
        print(f"\nstart: {(again - first) * 1000:.1f} ms, again {(end - again) * 1000:.1f} ms")
    assert end - again < 1.0  # 2 ms on a quiet machine


def test_results_can_be_imported_again_from_the_library(finished: str) -> None:
    assert bpy.ops.image_to_mesh.import_result() == {"FINISHED"}
    assert bpy.ops.image_to_mesh.import_result(job=finished, location=(0, 0, 7)) == {"FINISHED"}
    places_of = {tuple(bpy.data.objects[name].location) for name in meshes()}
    assert places_of == {CURSOR, (0.0, 0.0, 7.0)}
    assert {bpy.data.objects[name]["image_to_mesh_job"] for name in meshes()} == {finished}


def test_a_job_without_a_prepared_file_is_prepared_first(finished: str, library: Path) -> None:
    (library / finished / "model.blend").unlink()
    assert bpy.ops.image_to_mesh.import_result(job=finished) == {"FINISHED"}
    assert (library / finished / "model.blend").is_file()
    assert len(meshes()) == 1


def test_without_a_worker_the_result_is_still_imported(
    finished: str, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addon_module("scene"), "background_command", lambda: ("/no/such/blender",))
    (library / finished / "model.blend").unlink()
    view = view_of(finished, library)
    addon_module("jobs").session().show(view)
    assert bpy.ops.image_to_mesh.import_result(job=finished) == {"FINISHED"}
    assert len(meshes()) == 1
    (shown,) = addon_module("jobs").session().views()
    assert any("background Blender" in note for note in shown.record.notes)


@pytest.mark.parametrize("job", ["", "20200101-000000-none-0000", "../outside"])
def test_importing_a_missing_job_is_reported(library: Path, job: str) -> None:
    with pytest.raises(RuntimeError, match=r"There is no (finished )?job"):
        bpy.ops.image_to_mesh.import_result(job=job)


def test_an_import_that_fails_is_shown_and_the_record_stays(finished: str, library: Path) -> None:
    (library / finished / "model.blend").write_bytes(b"no file of Blender's")
    addon_module("jobs.disk.signatures").mark_file(library / finished / "model.blend")
    view = view_of(finished, library)
    session = addon_module("jobs").session()
    session.show(view)
    outcome = addon_module("app.job_events").handle(
        bpy.context, addon_module("jobs").Ended(finished, view)
    )
    assert outcome.level == "ERROR"
    (shown,) = session.views()
    assert shown.failure.kind == "import"
    assert shown.failure.message in outcome.message
    assert addon_module("jobs").Library(library).load(finished).state == "ready"


def test_a_result_for_another_file_is_not_imported(finished: str, library: Path) -> None:
    view = view_of(finished, library)
    event = addon_module("jobs").Ended(finished, view)
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    outcome = addon_module("app.job_events").handle(bpy.context, event)
    assert (outcome.level, meshes()) == ("INFO", set())
    assert "another file" in outcome.message


def test_a_mesh_is_imported_into_the_scene_it_was_generated_for(
    finished: str, library: Path
) -> None:
    view = view_of(finished, library)
    view = replace(view, plan=replace(view.plan, scene="Second"))
    second = bpy.data.scenes.new("Second")
    addon_module("jobs").session().show(view)
    addon_module("app.job_events").handle(bpy.context, addon_module("jobs").Ended(finished, view))
    assert len(meshes()) == 1
    assert meshes() <= set(second.objects.keys())
    assert bpy.context.scene != second


def test_a_bad_event_does_not_stop_the_others(
    finished: str, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, events = addon_module("app.watcher"), addon_module("app.job_events")
    view = view_of(finished, library)
    good, bad = addon_module("jobs").Ended(finished, view), addon_module("jobs").Ended("bad", view)
    monkeypatch.setattr(addon_module("jobs").session(), "drain", lambda: [bad, good])
    handle = events.handle

    def failing(context: Any, event: Any) -> Any:
        if event is bad:
            raise ValueError("a bad event")
        return handle(context, event)

    monkeypatch.setattr(events, "handle", failing)
    outcomes = watch.handle_events(bpy.context)
    assert [outcome.level for outcome in outcomes] == ["INFO"]
    assert len(meshes()) == 1


def test_deleting_a_job_removes_its_folder_only(finished: str, library: Path) -> None:
    addon_module("jobs").session().show(view_of(finished, library))
    bpy.ops.image_to_mesh.import_result(job=finished)
    assert bpy.ops.image_to_mesh.delete() == {"FINISHED"}
    assert not (library / finished).exists()
    assert addon_module("jobs").session().views() == ()
    assert len(meshes()) == 1
    with pytest.raises(RuntimeError, match="no finished job"):
        bpy.ops.image_to_mesh.delete()


def test_a_running_job_is_not_deleted(picture: bpy.types.Image) -> None:
    job = addon_module("operators.generate").start(bpy.context)
    with pytest.raises(RuntimeError, match="still running"):
        bpy.ops.image_to_mesh.delete(job=job)
    addon_module("jobs").session().cancel(job)
    wait_for_end(job)


def test_an_error_can_be_copied_and_dismissed(finished: str, library: Path) -> None:
    jobs = addon_module("jobs")
    failure = jobs.Failure(
        "no_credits",
        "No credits are left.",
        "Add credits to your Tripo account.",
        "https://x.test/buy",
    )
    view = view_of(finished, library, failure=failure)
    ordered = replace(view.record, ticket={"task": "607f09f1", "url": "https://x.test"})
    jobs.session().show(replace(view, record=ordered))
    text = addon_module("operators.messages").error_text(jobs.session().views()[0], failure)
    assert "task 607f09f1" in text
    assert "https://x.test/buy" in text
    assert "https://x.test," not in text
    assert all(
        part in text
        for part in (
            "No credits are left.",
            "Add credits to your Tripo account.",
            finished,
            "local",
        )
    )
    assert bpy.ops.image_to_mesh.copy_error(job=finished) == {"FINISHED"}
    assert bpy.ops.image_to_mesh.dismiss(job=finished) == {"FINISHED"}
    assert jobs.session().views() == ()
