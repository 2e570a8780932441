# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel explains a cancel that is still charged, and clicks that start nothing."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from blender.recording import draw
from fakes import FAKES, WORKER
from fakes.glb import triangle_glb
from fakes.service import KEY, Service, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

WIDE = 900


def until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Wait until the condition is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.02)


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that takes a second, and charges for every order."""
    with serving(Service(mesh=triangle_glb(5), takes=1.0)) as running:
        yield running


@pytest.fixture
def chosen(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: Any
) -> Iterator[Any]:
    """The scene's properties, ready to generate."""
    providers = addon_module("providers")
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(FAKES / "services")])
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    monkeypatch.setenv("REHEARSAL_BASE_URL", service.url)
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    providers.all_providers.cache_clear()
    provider = providers.get_provider("rehearsal")
    monkeypatch.setattr(type(provider), "cancel", lambda *_: providers.CancelOutcome.CHARGED)
    request.getfixturevalue("addon")
    monkeypatch.setattr(addon_module("scene"), "background_command", lambda: WORKER)
    choices = bpy.context.scene.image_to_mesh
    choices.image = bpy.data.images.load(str(places.SAMPLE))
    choices.provider = "rehearsal"
    yield choices
    providers.all_providers.cache_clear()


def session() -> Any:
    """Return the add-on's session."""
    return addon_module("jobs").session()


def cancel_and_collect() -> str:
    """Start a job, cancel it once it is ordered, and wait until it is being collected."""
    job = str(addon_module("operators.generate").start(bpy.context))
    until(lambda: session().views()[0].state == "running")
    assert bpy.ops.image_to_mesh.cancel() == {"FINISHED"}
    until(lambda: job in session().collecting())
    return job


def handle_events() -> list[Any]:
    """Handle all events, as the watcher does at a tick."""
    return list(addon_module("app.watcher").handle_events(bpy.context))


def test_a_charged_cancel_says_so_and_is_collected(chosen: Any) -> None:
    job = cancel_and_collect()
    seen = draw(width=WIDE)
    sentence = "Rehearsal may still charge for this job. Its result will be added to the library."
    assert sentence in seen.text()
    button = seen.button("image_to_mesh.cancel")
    assert (button["text"], button["button"].job) == ("Stop Waiting", job)
    assert button["button"].collect is False
    assert not seen.all("progress")
    assert addon_module("app.watcher").busy()


def test_a_collected_result_is_offered_and_never_imported_automatically(chosen: Any) -> None:
    job = cancel_and_collect()
    objects = len(bpy.data.objects)
    outcomes: list[Any] = []

    def is_over() -> bool:
        outcomes.extend(handle_events())
        return not addon_module("app.watcher").busy()

    until(is_over)
    assert [outcome.level for outcome in outcomes] == ["ERROR", "INFO"]
    assert "was added to the library" in outcomes[1].message
    assert len(bpy.data.objects) == objects
    seen = draw(width=WIDE)
    assert "Added to the library after you canceled the job" in seen.text()
    button = seen.button("image_to_mesh.import_result")
    assert (button["text"], button["button"].job) == ("Import", job)
    assert not seen.buttons("image_to_mesh.cancel")


def test_the_user_can_decline_a_collected_result(chosen: Any, service: Service) -> None:
    service.takes = 60
    job = cancel_and_collect()
    with pytest.raises(RuntimeError, match="still waiting for its result"):
        bpy.ops.image_to_mesh.delete("EXEC_DEFAULT", job=job)
    assert bpy.ops.image_to_mesh.cancel(job=job, collect=False) == {"FINISHED"}
    session().join(5.0)
    handle_events()
    assert not addon_module("app.watcher").busy()
    seen = draw(width=WIDE)
    assert f"{session().views()[0].name} Canceled" in seen.text()
    assert "may still charge" not in seen.text()
    assert not seen.buttons("image_to_mesh.cancel")
    assert not bpy.ops.image_to_mesh.cancel.poll()


def test_a_job_can_be_cancelled_without_collecting_its_result(
    chosen: Any, service: Service
) -> None:
    service.takes = 60
    addon_module("operators.generate").start(bpy.context)
    until(lambda: session().views()[0].state == "running")
    assert bpy.ops.image_to_mesh.cancel(collect=False) == {"FINISHED"}
    session().join(5.0)
    assert not session().collecting()


def test_a_job_being_collected_is_not_cancelled_twice(chosen: Any, service: Service) -> None:
    service.takes = 60
    cancel_and_collect()
    assert bpy.ops.image_to_mesh.cancel() == {"CANCELLED"}
    assert session().collecting()
    assert bpy.ops.image_to_mesh.cancel(collect=False) == {"FINISHED"}


def test_a_collected_mesh_that_failed_says_why(chosen: Any, service: Service) -> None:
    service.fail = True
    cancel_and_collect()
    until(lambda: not session().collecting())
    until(lambda: [item for item in handle_events() if "could not make it" in item.message])
    seen = draw(width=WIDE)
    assert "The service could not make it. Try another picture." in seen.text()


def test_cancel_and_stop_waiting_have_different_tooltips(addon: ModuleType) -> None:
    describe = addon_module("operators.cancel").IMAGE_TO_MESH_OT_cancel.description

    class Properties:
        collect = True

    stop = describe(bpy.context, Properties)
    Properties.collect = False
    no_more = describe(bpy.context, Properties)
    assert stop != no_more
    assert not {stop[-1], no_more[-1]} & {".", "!"}


@pytest.fixture
def refused_view(chosen: Any, tmp_path: Path, service: Service) -> Any:
    """Click Generate with a picture whose file is gone."""
    chosen.image.filepath = str(tmp_path / "gone.jpg")
    click()
    assert service.requests == []
    return session().views()[0]


def click() -> None:
    """Press Generate as the panel's button does."""
    generate = addon_module("operators.generate")
    shown: list[str] = []

    class Pressed:
        again = False
        options = SimpleNamespace(is_repeat_last=False)
        target = generate.IMAGE_TO_MESH_OT_generate.target
        _start_watched = generate.IMAGE_TO_MESH_OT_generate._start_watched
        refuse = generate.IMAGE_TO_MESH_OT_generate.refuse

        def report(self, _: set[str], message: str) -> None:
            shown.append(message)

    assert Pressed()._start_watched(bpy.context) == ({"CANCELLED"} if shown else {"FINISHED"})


def test_a_click_that_starts_nothing_is_explained_by_the_button(refused_view: Any) -> None:
    seen = draw(width=WIDE)
    assert refused_view.failure.message in seen.text()
    assert "gone.jpg" in seen.text()
    assert seen.button("image_to_mesh.copy_error")
    text = addon_module("operators.messages").error_text(refused_view, refused_view.failure)
    assert "No job, provider rehearsal, error bad_image" in text
    assert "refused" not in text


def test_the_explanation_is_shown_once_and_goes_with_the_next_start(
    refused_view: Any, chosen: Any
) -> None:
    click()
    assert [view.job for view in session().views()] == [refused_view.job]
    chosen.image = bpy.data.images.load(str(places.SAMPLE), check_existing=False)
    click()
    assert refused_view.job not in {view.job for view in session().views()}
    bpy.ops.image_to_mesh.cancel(collect=False)


def test_the_explanation_can_be_dismissed(refused_view: Any) -> None:
    assert draw().button("image_to_mesh.dismiss")["button"].job == refused_view.job
    bpy.ops.image_to_mesh.dismiss(job=refused_view.job)
    assert session().views() == ()
    with pytest.raises(RuntimeError, match="no finished job"):
        bpy.ops.image_to_mesh.delete("EXEC_DEFAULT")
