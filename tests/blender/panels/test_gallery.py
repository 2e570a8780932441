# SPDX-License-Identifier: GPL-3.0-or-later
"""The gallery, the costs and times that it shows, and how long drawing may take."""

from __future__ import annotations

import builtins
import io
import os
import pathlib
import socket
import subprocess
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from blender.recording import draw, draw_blank, draw_elsewhere, draw_preferences, drawing_context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from fakes.promised import Promised

OFF_DRAW = ("open", "stat", "scandir", "listdir", "lstat")


@pytest.fixture
def library(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The path of an empty library whose index has not been read yet."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    addon_module("jobs.library.index").library_index.cache_clear()
    yield tmp_path / "library"
    addon_module("jobs.library.index").library_index.cache_clear()


def put(library: Path, number: int, **changes: Any) -> Any:
    """Put a finished job into the library."""
    jobs = addon_module("jobs")
    values: dict[str, Any] = {
        "id": f"20261120-10{number // 60:02}{number % 60:02}-cup-{number:04x}",
        "state": jobs.State.READY,
        "provider": "local",
        "name": f"cup {number}",
        "created": f"2026-11-20T10:{number // 60:02}:{number % 60:02}+00:00",
        "mesh": "mesh.glb",
        "preview": "preview.png",
        "faces": 40012,
        "seconds": 4.0,
    }
    record = jobs.Record(**{**values, **changes})
    jobs.Library(library).create(record, {"mesh.glb": b"glTF", "preview.png": b"\x89PNG"})
    return record


def show_page(by: int) -> None:
    """Change the page as a button in a sidebar of 400 pixels does."""
    operator = addon_module("operators.results.gallery").IMAGE_TO_MESH_OT_turn_page
    operator.execute(SimpleNamespace(by=by), drawing_context(400))


def show_running(number: int) -> None:
    """Let the session show a job that runs."""
    jobs = addon_module("jobs")
    jobs.session().show(
        jobs.JobView(
            job=f"job-{number}", provider="local", name=f"cup {number}",
            state=jobs.State("running"), phase="Shaping", fraction=0.4,
            started=time.monotonic() - 75,
        )
    )  # fmt: skip


def test_results_are_shown_newest_first_a_page_at_a_time(library: Path) -> None:
    assert "Finished meshes are shown here" in draw(unfolded=True).text()
    for number in range(20):
        put(library, number)
    addon_module("jobs.library.index").library_index(library).refresh()
    seen = draw(unfolded=True, width=400)
    shown = [button["button"].job for button in seen.buttons("image_to_mesh.select_result")]
    assert [job[-4:] for job in shown] == [f"{number:04x}" for number in range(19, 7, -1)]
    assert "1-12 of 20" in seen.text()
    for by, page in ((1, "13-20 of 20"), (1, "13-20 of 20"), (-5, "1-12 of 20")):
        show_page(by)
        assert page in draw(unfolded=True, width=400).text()
    show_page(1)
    shelf = bpy.context.window_manager.image_to_mesh
    shelf.text = "CUP 0003"
    (only,) = draw(unfolded=True).buttons("image_to_mesh.select_result")
    assert only["button"].job.endswith("0003")
    shelf.text = "cup"
    assert "1-12 of 20" in draw(unfolded=True, width=400).text()
    shelf.text = "vase"
    seen = draw(unfolded=True)
    assert "No results match" in seen.text()
    assert seen.buttons("image_to_mesh.show_all_results")
    assert "0 results" not in [row["text"] for row in seen.all("label")]
    bpy.ops.image_to_mesh.show_all_results()
    assert len(draw(unfolded=True).buttons("image_to_mesh.select_result")) == 6


def test_the_last_price_of_the_same_settings_is_on_the_button(
    library: Path, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPO_BASE_URL", "http://127.0.0.1:9")
    preferences.tripo_api_key = "tsk_0123456789012345678901234567890123456789"
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("cup", 64, 64)
    chosen.provider = "tripo"
    model = addon_module("providers").get_provider("tripo").settings
    used = addon_module("providers").values_of(model(quad=True))
    put(library, 1, provider="tripo", settings=used, credits=35.0, seconds=120.0)
    addon_module("jobs.library.index").library_index(library).refresh()
    generate = "image_to_mesh.generate"
    assert draw(width=280).button(generate)["text"] == "Generate · About 30 Credits"
    chosen.tripo.quad = True
    assert draw(width=280).button(generate)["text"] == "Generate · 35 Credits Last Time"
    jobs = addon_module("jobs")
    jobs.session().show(
        jobs.JobView("j", "tripo", "cup", jobs.State("running"), "Modeling", 0.1,
                     time.monotonic() - 30)
    )  # fmt: skip
    assert "30 s of about 2 min 00 s" in draw(width=600).text()


def test_thumbnails_are_loaded_outside_of_draw(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, thumbnails = addon_module("app.periodic.thumbnails"), addon_module("state.thumbnails")
    record = put(library, 1)
    (library / record.id / "preview.png").write_bytes(places.SAMPLE.read_bytes())
    addon_module("jobs.library.index").library_index(library).refresh()
    draw(unfolded=True)
    assert thumbnails.number_of(record.id) == 0
    gallery.poll(bpy.context, 0.0)
    assert record.id in thumbnails._numbers
    # `bpy` without a window numbers no icons.
    thumbnails._numbers[record.id] = 4321
    assert draw(unfolded=True).all("template_icon")[0]["icon_value"] == 4321
    thumbnails.forget(record.id)
    assert thumbnails.number_of(record.id) == 0


@pytest.fixture
def crowded(library: Path) -> None:
    """50 jobs and 200 results, with a picture chosen."""
    for number in range(200):
        put(library, number)
    addon_module("jobs.library.index").library_index(library).refresh()
    for number in range(50):
        show_running(number)
    bpy.context.scene.image_to_mesh.image = bpy.data.images.load(str(places.SAMPLE))


@pytest.mark.parametrize("provider", ["local", "tripo", "scenario", "aiml_triposr"])
def test_drawing_touches_no_file_and_starts_nothing(
    crowded: None, monkeypatch: pytest.MonkeyPatch, preferences: Any, provider: str
) -> None:
    bpy.context.scene.image_to_mesh.provider = provider
    made = bpy.data.objects.new("cup", bpy.data.meshes.new("cup"))
    made["image_to_mesh_job"] = "20261120-100000-cup-0000"
    bpy.context.scene.collection.objects.link(made)
    bpy.context.view_layer.objects.active = made
    other = bpy.data.images.new("other", 64, 64)

    def draw_all() -> tuple[Any, Any, Any]:
        seen = draw(unfolded=True, width=280)
        return seen, draw_elsewhere(other), draw_preferences(preferences)

    def previews() -> list[bool]:
        return [image.preview is not None for image in bpy.data.images]

    before = previews()
    draw_all()  # what is imported when first needed

    def raises(*arguments: object, **_: object) -> Any:
        raise AssertionError(f"drawing reaches outside: {arguments}")

    with monkeypatch.context() as patched:
        patched.setattr(builtins, "open", raises)
        patched.setattr(io, "open", raises)
        for name in OFF_DRAW:
            patched.setattr(os, name, raises)
        for name in ("open", "stat", "exists", "is_file", "is_dir", "glob", "iterdir"):
            patched.setattr(pathlib.Path, name, raises)
        patched.setattr(socket, "socket", raises)
        patched.setattr(subprocess, "Popen", raises)
        addon_module("jobs")  # is imported already
        seen, elsewhere, page = draw_all()
    assert previews() == before, "a step of the heartbeat makes previews"
    for button in ("turn", "health_card", "paste", "cancel", "use_image", "generate"):
        assert elsewhere.buttons(f"image_to_mesh.{button}"), button
    assert "Open an image first" in elsewhere.text()
    # The others are those of the Image Editor's tab.
    (bar,) = (row for row in elsewhere.all("progress") if "meshes" in row["text"])
    assert (bar["text"], round(bar["factor"], 3)) == ("50 meshes", 0.4)
    assert page.buttons("image_to_mesh.test_key")
    assert len(seen.all("progress")) == 50  # four at length, the others with a row each
    assert len({item["button"].job for item in seen.buttons("image_to_mesh.cancel")}) == 50
    assert "46 more running" in seen.text()
    icons = [row["scale"] for row in seen.all("template_icon")]
    views = addon_module("panels.views").PICTURE
    assert len(icons) - icons.count(views) == 10  # the image and nine results


def test_drawing_many_jobs_and_results_is_quick(crowded: None, promised: Promised) -> None:
    description = "draw, 50 jobs and 200 results, on a recording layout"
    promised(description, lambda: draw(unfolded=True), calls=5_500, milliseconds=5.0)


@pytest.mark.parametrize("provider", ["local", "tripo"])
def test_all_panels_together_are_quick_to_draw(
    crowded: None, promised: Promised, provider: str
) -> None:
    bpy.context.scene.image_to_mesh.provider = provider
    description = f"draw for {provider}, 50 jobs and 200 results, on a blank layout"
    promised(description, draw_blank, calls=2_800, milliseconds=1.0)
