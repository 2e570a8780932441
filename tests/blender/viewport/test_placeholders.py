# SPDX-License-Identifier: GPL-3.0-or-later
"""Placeholders of running jobs: their locations and sizes, their moves, and their end."""

from __future__ import annotations

import itertools
import json
import math
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from mathutils import Vector

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def viewport(addon: ModuleType) -> Any:
    """The module that holds what the viewport draws."""
    return addon_module("viewport.placeholders")


@pytest.fixture
def steps(viewport: Any) -> Any:
    """The module that keeps the placeholders up to date."""
    return addon_module("app.periodic.job_placeholders")


@pytest.fixture
def with_window(viewport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the add-on draw as in a Blender with a window."""
    app = SimpleNamespace(background=False)
    names = SimpleNamespace(app=app, types=bpy.types, context=bpy.context)
    monkeypatch.setattr(viewport, "bpy", names)


def start(job: str, *, width: int = 64, height: int = 64, **changes: Any) -> Any:
    """Let the session show a running job of an image of this size; return its view."""
    jobs = addon_module("jobs")
    info = addon_module("providers").PictureInfo(
        "png", width, height, orientation=changes.pop("orientation", 1)
    )
    picture = jobs.InputPicture(view="front", name=job, file=None, info=info)
    plan = jobs.ImportPlan(
        file=changes.pop("file", addon_module("state.open_file").token()),
        scene=changes.pop("scene", bpy.context.scene.name),
        placement=changes.pop("placement", jobs.Placement(size=2.0)),
    )
    record = jobs.Record(
        id=job, state=jobs.State.RUNNING, provider="paid", name=job,
        created="2026-11-20T10:00:00+00:00", pictures=(picture,), plan=plan,
    )  # fmt: skip
    values: dict[str, Any] = {
        "job": job, "provider": "paid", "name": job, "state": jobs.State.RUNNING,
        "phase": "Waiting", "fraction": 0.5, "started": time.monotonic(), "record": record,
        "plan": plan,
    }  # fmt: skip
    view = jobs.JobView(**{**values, **changes})
    jobs.session().show(view)
    return view


def placeholders_of(steps: Any) -> list[Any]:
    """Return the placeholders after an update."""
    steps.update(bpy.context)
    return list(addon_module("viewport.placeholders").current())


def placement(**changes: Any) -> Any:
    """Return a placement."""
    return addon_module("jobs").Placement(**changes)


def test_a_running_job_has_a_placeholder_at_its_place(steps: Any) -> None:
    start("cup", placement=placement(location=(1.0, 2.0, 3.0), rotation=0.5, size=2.0))
    (found,) = placeholders_of(steps)
    assert (found.job, found.scene) == ("cup", bpy.context.scene.name)
    assert (found.location, found.rotation) == ((1.0, 2.0, 3.0), 0.5)
    assert (found.fraction, found.text) == (0.5, "50%")


def test_a_job_of_another_file_has_none(steps: Any) -> None:
    start("cup", file="another")
    start("glass", file="")
    assert placeholders_of(steps) == []


def test_a_job_that_has_not_read_its_image_has_none_yet(steps: Any) -> None:
    start("cup", record=None)
    assert placeholders_of(steps) == []


@pytest.mark.parametrize("state", ["ready", "failed", "cancelled", "uncertain"])
def test_it_is_gone_with_the_job(steps: Any, state: str) -> None:
    jobs, view = addon_module("jobs"), start("cup")
    assert len(placeholders_of(steps)) == 1
    jobs.session().show(replace(view, state=jobs.State(state)))
    assert placeholders_of(steps) == []


def test_it_is_gone_with_an_error(steps: Any) -> None:
    jobs, view = addon_module("jobs"), start("cup")
    jobs.session().show(replace(view, failure=jobs.Failure("unreachable", "No network.")))
    assert placeholders_of(steps) == []


def test_it_stays_while_a_finished_mesh_waits_for_the_artist(steps: Any) -> None:
    jobs, view, events = addon_module("jobs"), start("cup"), addon_module("app.event_queue")
    ended = replace(view, state=jobs.State.READY, fraction=1.0)
    jobs.session().show(ended)
    events.waiting.append(jobs.Ended("cup", ended))
    assert [found.text for found in placeholders_of(steps)] == ["100%"]
    events.note_import("cup")
    assert placeholders_of(steps) == []


def test_it_stays_while_the_end_of_its_job_has_not_been_drained(
    steps: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, view = addon_module("jobs"), start("cup")
    follower = addon_module("app.periodic.placeholders")
    with monkeypatch.context() as patch:
        patch.setattr(follower, "bpy", SimpleNamespace(app=SimpleNamespace(background=False)))
        follower.follow()
    ended = replace(view, state=jobs.State.READY, fraction=1.0)
    jobs.session()._emit(jobs.Ended("cup", ended))
    follower.poll(bpy.context, 0.0)
    assert [found.text for found in placeholders_of(steps)] == ["100%"]
    assert follower.is_needed(bpy.context), "an update at the import has to remove it"
    assert [event.job for event in jobs.session().drain()] == ["cup"]
    follower.poll(bpy.context, 0.0)
    assert placeholders_of(steps) == []
    assert not follower.is_needed(bpy.context)


def test_the_preference_hides_them(steps: Any, preferences: Any) -> None:
    start("cup")
    assert len(placeholders_of(steps)) == 1
    preferences.show_placeholders = False
    assert placeholders_of(steps) == []


def test_opening_a_file_removes_them(steps: Any) -> None:
    start("cup")
    assert len(placeholders_of(steps)) == 1
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    assert placeholders_of(steps) == []


def test_undo_and_redo_leave_them(steps: Any) -> None:
    bpy.ops.ed.undo_push(message="before")
    start("cup")
    before = placeholders_of(steps)
    bpy.context.scene.cursor.location.x = 5.0
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    assert placeholders_of(steps) == before
    bpy.ops.ed.redo()
    assert placeholders_of(steps) == before


def test_progress_without_a_number_shows_the_phase(steps: Any) -> None:
    start("cup", fraction=None)
    assert [(found.fraction, found.text) for found in placeholders_of(steps)] == [(None, "Waiting")]


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({"width": 100, "height": 200}, (1.0, 2.0)),
        ({"width": 200, "height": 100}, (4.0, 2.0)),
        ({"width": 200, "height": 100, "orientation": 6}, (1.0, 2.0)),
        ({"width": 200, "height": 100, "placement": {"size": 3.0, "measure": "longest"}}, (3, 1.5)),
        ({"width": 100, "height": 200, "placement": {"size": 3.0, "measure": "longest"}}, (1.5, 3)),
        ({"placement": {}}, (1.0, 1.0)),
    ],
)
def test_its_size_is_the_expected_one(
    steps: Any, changes: dict[str, Any], size: tuple[float, float]
) -> None:
    if "placement" in changes:
        changes = {**changes, "placement": placement(**changes["placement"])}
    start("cup", **changes)
    (found,) = placeholders_of(steps)
    assert (found.size[0], found.size[2]) == pytest.approx(size)
    assert 0.0 < found.size[1] < min(size)


def test_its_size_follows_the_subject_once_that_is_known(steps: Any) -> None:
    jobs, image = addon_module("jobs"), bpy.data.images.new("cup", 64, 64)
    key = addon_module("state.preflight").picture_key(image)
    start("cup")
    steps.note_image("cup", image)
    assert placeholders_of(steps)[0].size[0] == pytest.approx(2.0)
    jobs.image_checks()._reports[key] = jobs.ImageReport(box=(0.25, 0.0, 0.75, 1.0))
    assert placeholders_of(steps)[0].size[0] == pytest.approx(1.0)


def test_lengths_are_in_scene_units(steps: Any) -> None:
    bpy.context.scene.unit_settings.scale_length = 0.01
    start("cup", placement=placement())
    assert placeholders_of(steps)[0].size[2] == pytest.approx(100.0)


def boxes(found: list[Any]) -> list[Any]:
    """Return the boxes of placeholders along the world's axes."""
    stand = addon_module("scene.placement").Stand
    return [stand(Vector(item.location), item.rotation, Vector(item.size)).box() for item in found]


def overlap(first: Any, second: Any) -> bool:
    """Return whether two boxes overlap."""
    return all(first[0][i] < second[1][i] and second[0][i] < first[1][i] for i in range(3))


def test_several_stand_in_a_row_and_none_overlaps(steps: Any) -> None:
    for number in range(6):
        angle = number * math.pi / 7
        start(f"cup {number}", width=64 * (number + 1), placement=placement(size=1, rotation=angle))
    found = placeholders_of(steps)
    assert [item.job for item in found] == [f"cup {number}" for number in range(6)]
    assert found[0].location == (0.0, 0.0, 0.0)
    assert all(item.location[1:] == (0.0, 0.0) for item in found)
    assert not any(overlap(*pair) for pair in itertools.combinations(boxes(found), 2))


def test_a_new_one_does_not_move_the_others(steps: Any) -> None:
    start("first")
    start("second")
    before = placeholders_of(steps)
    start("third")
    assert placeholders_of(steps)[:2] == before


def test_a_place_is_free_again_when_its_job_has_ended(steps: Any) -> None:
    jobs, first = addon_module("jobs"), start("first")
    start("second")
    before = placeholders_of(steps)
    jobs.session().show(replace(first, state=jobs.State.CANCELLED))
    assert placeholders_of(steps) == before[1:]
    start("third")
    assert placeholders_of(steps)[1].location == before[0].location


def test_the_mesh_goes_where_its_placeholder_stands(steps: Any) -> None:
    for name in ("first", "second"):
        start(name, placement=placement(size=1.0, spacing=0.5))
    found = {item.job: item.location for item in placeholders_of(steps)}
    assert found["first"] != found["second"]
    for view in addon_module("jobs").session().views():
        place = addon_module("jobs").session().placement_of(view)
        assert place.location == found[view.job]
        assert (place.spacing, place.free) == (None, False), "it would be moved again"


def test_on_free_ground_they_stand_beside_the_cube_and_each_other(steps: Any) -> None:
    for name in ("first", "second", "third"):
        start(name, placement=placement(size=1.0, free=True))
    found = placeholders_of(steps)
    cube = (Vector((-1.0, -1.0, -1.0)), Vector((1.0, 1.0, 1.0)))
    all_boxes = [cube, *boxes(found)]
    assert not any(overlap(*pair) for pair in itertools.combinations(all_boxes, 2))


def test_the_3d_cursor_takes_it(steps: Any) -> None:
    start("first")
    start("second")
    placeholders_of(steps)
    bpy.context.scene.cursor.location = (7.0, 8.0, 9.0)
    assert bpy.ops.image_to_mesh.place_at_cursor(job="first") == {"FINISHED"}
    bpy.context.scene.cursor.location = (0.0, 0.0, 0.0)
    assert {item.job: item.location for item in placeholders_of(steps)}["first"] == (7.0, 8.0, 9.0)
    view = next(view for view in addon_module("jobs").session().views() if view.job == "first")
    assert view.plan.placement.location == (7.0, 8.0, 9.0)
    assert view.record.plan == view.plan


def test_a_moved_one_stays_when_its_size_changes(steps: Any) -> None:
    jobs, view = addon_module("jobs"), start("cup")
    placeholders_of(steps)
    steps.move(bpy.context, "cup", (7.0, 8.0, 9.0))
    record = view.record
    info = replace(record.pictures[0].info, width=640)
    picture = replace(record.pictures[0], info=info)
    (now,) = jobs.session().views()
    jobs.session().show(replace(now, record=replace(now.record, pictures=(picture,))))
    (found,) = placeholders_of(steps)
    assert found.size[0] == pytest.approx(20.0)
    assert found.location == (7.0, 8.0, 9.0)


def test_dragging_is_undone_by_letting_go(steps: Any) -> None:
    start("cup")
    before = placeholders_of(steps)
    steps.drag(bpy.context, "cup", (1.0, 1.0, 1.0))
    assert placeholders_of(steps)[0].location == (1.0, 1.0, 1.0)
    (view,) = addon_module("jobs").session().views()
    assert view.plan.placement.location == (0.0, 0.0, 0.0)
    steps.drag(bpy.context, "cup", None)
    assert placeholders_of(steps) == before


def test_without_a_job_there_is_nothing_to_place(steps: Any) -> None:
    with pytest.raises(RuntimeError, match="No job is running"):
        bpy.ops.image_to_mesh.place_at_cursor()


@pytest.mark.usefixtures("with_window")
def test_draw_handlers_exist_only_while_there_is_a_placeholder(steps: Any, viewport: Any) -> None:
    assert viewport.handler_count() == 0
    jobs, view = addon_module("jobs"), start("cup")
    start("glass", file="another")
    placeholders_of(steps)
    placeholders_of(steps)
    assert viewport.handler_count() == 2
    jobs.session().show(replace(view, state=jobs.State.CANCELLED))
    placeholders_of(steps)
    assert viewport.handler_count() == 0


@pytest.mark.usefixtures("with_window")
def test_disabling_the_add_on_removes_the_handlers(steps: Any, viewport: Any) -> None:
    start("cup")
    placeholders_of(steps)
    assert viewport.handler_count() == 2
    addon_module("app.periodic").unregister()
    assert viewport.handler_count() == 0
    assert viewport.current() == ()
    addon_module("app.periodic").register()


def test_nothing_is_drawn_without_a_window(steps: Any, viewport: Any) -> None:
    start("cup")
    placeholders_of(steps)
    assert viewport.handler_count() == 0


def test_only_a_change_redraws(steps: Any, viewport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[set[str]] = []
    monkeypatch.setattr(viewport, "_redraw", lambda scenes: drawn.append(set(scenes)))
    jobs, view = addon_module("jobs"), start("cup", fraction=0.5)
    placeholders_of(steps)
    assert drawn == [{bpy.context.scene.name}]
    for fraction in (0.5, 0.501, 0.504):
        jobs.session().show(replace(view, fraction=fraction))
        placeholders_of(steps)
    assert len(drawn) == 1
    jobs.session().show(replace(view, fraction=0.52))
    placeholders_of(steps)
    assert len(drawn) == 2


@pytest.mark.parametrize("moved", [(3.0, -2.0, 0.5), None])
def test_a_mesh_arrives_where_its_placeholder_stands(
    steps: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moved: tuple[float, float, float] | None,
) -> None:
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path))
    scene = bpy.context.scene
    scene.image_to_mesh.image = bpy.data.images.load(str(places.SAMPLE))
    scene.image_to_mesh.local.face_count = 1000
    job = addon_module("operators.generate").start(bpy.context)
    while not placeholders_of(steps):
        time.sleep(0.01)
    if moved:
        steps.move(bpy.context, job, moved)
    (placeholder,) = placeholders_of(steps)
    assert placeholder.location == (moved or placeholder.location)
    assert addon_module("operators.running").wait_for(bpy.context, job).level == "INFO"
    made = bpy.context.view_layer.objects.active
    assert tuple(made.location) == pytest.approx(placeholder.location, abs=1e-6)
    assert tuple(made.dimensions)[::2] == pytest.approx(placeholder.size[::2], rel=0.5)
    stored = json.loads((tmp_path / job / "job.json").read_text("utf-8"))
    assert stored["place"]["location"] == pytest.approx(placeholder.location)
    assert placeholders_of(steps) == []
