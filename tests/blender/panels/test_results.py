# SPDX-License-Identifier: GPL-3.0-or-later
"""The selected result: its details and buttons, names, stars, filters, deletion with undo."""

from __future__ import annotations

import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.recording import Layout, Seen, draw, drawing_context

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime.now(UTC).replace(microsecond=0)


class _Trash(ModuleType):
    """Stands in for the system's trash."""

    def __init__(self, folder: Path) -> None:
        super().__init__("send2trash")
        self.folder, self.refuses = folder, False

    def send2trash(self, path: Path) -> None:
        """Move a folder into the trash, or refuse to."""
        if self.refuses:
            raise OSError("no trash here")
        self.folder.mkdir(exist_ok=True)
        shutil.move(path, self.folder / path.name)


@pytest.fixture
def library(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The path of an empty library, with a trash beside it."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setitem(sys.modules, "send2trash", _Trash(tmp_path / "bin"))
    library_index = addon_module("jobs.library.index").library_index
    library_index.cache_clear()
    yield tmp_path / "library"
    addon_module("state.results.hidden").forget_all()
    library_index.cache_clear()


@pytest.fixture
def shelf(library: Path) -> Any:
    """The gallery's properties."""
    found = bpy.context.window_manager.image_to_mesh
    bpy.ops.image_to_mesh.show_all_results()
    found.selected, found.notice, found.first = "", "", 0
    return found


def put(library: Path, job: str, **changes: Any) -> Any:
    """Put a finished job into the library, and read the index."""
    jobs = addon_module("jobs")
    values: dict[str, Any] = {
        "id": job, "state": jobs.State.READY, "provider": "local", "name": "cup",
        "created": NOW.isoformat(), "mesh": "mesh.glb", "faces": 40012,
    }  # fmt: skip
    record = jobs.Record(**{**values, **changes})
    jobs.Library(library).create(record, {"mesh.glb": b"glTF"})
    index_of(library).refresh()
    return record


def index_of(library: Path) -> Any:
    """Return the index of a library."""
    return addon_module("jobs.library.index").library_index(library)


def draw_results(width: int = 300) -> Seen:
    """Draw the panel with the results alone."""
    shown: list[dict[str, Any]] = []
    panel = addon_module("panels.sidebar").IMAGE_TO_MESH_PT_results
    context = drawing_context(width)
    panel.draw(SimpleNamespace(layout=Layout(shown, unfolded=True)), context)
    return Seen(shown)


def pass_time(seconds: float) -> None:
    """Run the heartbeat's step as if this many seconds had passed."""
    step = addon_module("app.results.deleted_results")
    step.poll(bpy.context, time.monotonic() + seconds)


def settle(library: Path, seconds: float) -> None:
    """Have the step run until the thread that deletes has ended."""
    hidden, end = addon_module("state.results.hidden"), time.monotonic() + 10
    while hidden.all_hidden():
        assert time.monotonic() < end
        pass_time(seconds)
        time.sleep(0.02)


def test_the_selected_result_has_details_and_worded_buttons(library: Path, shelf: Any) -> None:
    put(library, "cup", provider="tripo", credits=30.0)
    bpy.context.view_layer.objects.active = None
    seen = draw_results()
    assert seen.button("image_to_mesh.select_result")["depress"]
    assert "40,012 faces, 30 Credits" in seen.text()
    assert "Tripo" in seen.text()
    time = NOW.astimezone()
    assert f"Today {time:%H:%M}" in seen.text()
    assert seen.button("image_to_mesh.import_result")["text"] == "Import"
    assert seen.button("image_to_mesh.import_result")["enabled"]
    assert seen.button("image_to_mesh.reuse")["text"] == "Use Settings"
    assert {row["text"] for row in seen.buttons("image_to_mesh.show_folder")} > {"Show in Folder"}
    assert not seen.buttons("image_to_mesh.replace")
    obj = bpy.data.objects.new("cube", bpy.data.meshes.new("cube"))
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.objects.active = obj
    assert draw_results().button("image_to_mesh.replace")["text"] == "Replace"


def test_the_selected_result_is_above_the_thumbnails(library: Path, shelf: Any) -> None:
    """A page of thumbnails would push it out of view."""
    put(library, "cup")
    rows = [row.get("operator") or row.get("text") for row in draw_results().shown]
    select = rows.index("image_to_mesh.select_result")
    assert rows.index("image_to_mesh.import_result") < select
    assert rows.index("image_to_mesh.delete_result") < select


def test_selecting_a_result_moves_no_thumbnail(library: Path, shelf: Any) -> None:
    """The second click of a double-click hits no button that appeared with the first."""
    for job in ("a", "b"):
        put(library, job)
    before = [(row.get("operator"), row.get("text")) for row in draw_results().shown]
    newest, other = (row["button"].job for row in
                     draw_results().buttons("image_to_mesh.select_result"))  # fmt: skip
    assert draw_results().button("image_to_mesh.delete_result")["button"].job == newest
    bpy.ops.image_to_mesh.select_result(job=other)
    assert [(row.get("operator"), row.get("text")) for row in draw_results().shown] == before
    assert draw_results().button("image_to_mesh.delete_result")["button"].job == other


def test_buttons_do_not_come_to_act_on_a_newer_result(library: Path, shelf: Any) -> None:
    put(library, "a")
    assert draw_results().button("image_to_mesh.delete_result")["button"].job == "a"
    put(library, "b", created=(NOW + timedelta(minutes=1)).isoformat())
    assert draw_results().button("image_to_mesh.delete_result")["button"].job == "a"


def test_what_is_filtered_out_is_not_selected(library: Path, shelf: Any) -> None:
    put(library, "a", provider="tripo", name="cup")
    put(library, "b", name="pot")
    bpy.ops.image_to_mesh.select_result(job="b")
    shelf.provider = "tripo"
    assert draw_results().button("image_to_mesh.delete_result")["button"].job == "a"
    shelf.title = "Mug"
    shelf.provider = "ALL"
    assert draw_results().button("image_to_mesh.delete_result")["button"].job == "b"
    titles = {row["text"] for row in draw_results().buttons("image_to_mesh.select_result")}
    assert titles == {"Mug", "pot"}
    assert shelf.title == "pot"


def test_after_a_deletion_no_other_result_is_below_the_pointer(library: Path, shelf: Any) -> None:
    for job in ("a", "b"):
        put(library, job)
    bpy.ops.image_to_mesh.delete_result(job="b")
    seen = draw_results()
    assert "Click a name to select a result" in seen.text()
    assert not seen.buttons("image_to_mesh.delete_result")


def test_dates_are_in_words(addon: ModuleType) -> None:
    when_text = addon_module("state.results.texts").when_text
    now = datetime.now().astimezone()
    yesterday = now - timedelta(days=1)
    assert when_text(now.isoformat()) == f"Today {now:%H:%M}"
    assert when_text(yesterday.isoformat()) == f"Yesterday {yesterday:%H:%M}"
    assert when_text("1999-11-28T14:05:00") == "Nov 28, 1999 14:05"
    assert when_text("1999-11-28T14:05:00", short=True) == "Nov 28, 1999"
    assert when_text(now.isoformat(), short=True) == f"Today {now:%H:%M}"
    assert ":" not in when_text(yesterday.isoformat(), short=True)
    for damaged in ("", "soon", "0001-01-01T00:00:00+00:00"):
        assert isinstance(when_text(damaged), str)


def test_a_result_is_renamed_in_its_field(library: Path, shelf: Any) -> None:
    put(library, "cup")
    bpy.ops.image_to_mesh.select_result(job="cup")
    assert shelf.title == "cup"
    shelf.title = "Red Cup"
    assert shelf.title == "Red Cup"
    assert draw_results().button("image_to_mesh.select_result")["text"] == "Red Cup"
    assert bpy.ops.image_to_mesh.rename_result(job="cup", name="") == {"FINISHED"}
    assert shelf.title == "cup"
    shutil.rmtree(library / "cup")
    shelf.title = "Gone"
    assert "There is no job" in draw_results().text()
    with pytest.raises(RuntimeError, match="no job"):
        bpy.ops.image_to_mesh.rename_result(job="cup", name="x")


def test_a_result_shows_its_changed_settings(library: Path, shelf: Any) -> None:
    put(library, "a", settings={"shape": "relief", "face_count": 4000, "height": None, "odd": [1]})
    put(library, "b")
    shelf.selected = "a"
    seen = draw_results()
    assert "Shape: Relief, Faces: 4,000" in seen.text()
    select = bpy.types.IMAGE_TO_MESH_OT_select_result
    for job, expected in (("a", "Shape: Relief, Faces: 4,000"), ("b", "Built-in (Offline)")):
        tip = select.description(bpy.context, SimpleNamespace(job=job))
        assert tip.endswith(expected), tip
    shelf.selected = "b"
    assert "Shape" not in draw_results().text()


def test_stars_and_providers_filter_the_results(library: Path, shelf: Any) -> None:
    put(library, "a", provider="tripo")
    put(library, "b")
    assert bpy.ops.image_to_mesh.star_result(job="a") == {"FINISHED"}
    star = {row["button"].job: row["icon"] for row in
            draw_results().buttons("image_to_mesh.select_result")}  # fmt: skip
    assert star == {"a": "SOLO_ON", "b": "NONE"}
    shelf.starred = True
    assert draw_results().button("image_to_mesh.select_result")["button"].job == "a"
    shelf.starred, shelf.provider = False, "local"
    assert draw_results().button("image_to_mesh.select_result")["button"].job == "b"
    shelf.starred = True
    assert "No results match" in draw_results().text()
    bpy.ops.image_to_mesh.show_all_results()
    bpy.ops.image_to_mesh.star_result(job="a")
    shelf.starred = True
    assert "No results match" in draw_results().text()


def test_a_deleted_result_can_be_brought_back(library: Path, shelf: Any, tmp_path: Path) -> None:
    put(library, "a")
    put(library, "b", name="pot")
    bpy.ops.image_to_mesh.select_result(job="b")
    assert bpy.ops.image_to_mesh.delete_result(job="b") == {"FINISHED"}
    seen = draw_results()
    assert "Deleted pot" in seen.text()
    assert seen.button("image_to_mesh.select_result")["button"].job == "a"
    assert not seen.buttons("image_to_mesh.delete_result")
    assert (library / "b").is_dir()
    pass_time(29)
    assert (library / "b").is_dir()
    assert bpy.ops.image_to_mesh.undo_delete() == {"FINISHED"}
    assert shelf.selected == "b"
    assert len(draw_results().buttons("image_to_mesh.select_result")) == 2
    pass_time(60)
    assert (library / "b").is_dir()
    assert not (tmp_path / "bin").exists()


def test_a_deleted_result_goes_to_the_trash_after_30_seconds(
    library: Path, shelf: Any, tmp_path: Path
) -> None:
    step = addon_module("app.results.deleted_results")
    put(library, "a")
    assert not step.is_needed(bpy.context)
    bpy.ops.image_to_mesh.delete_result(job="a")
    assert "Finished meshes" not in draw_results().text()  # the line with Undo is shown
    assert step.is_needed(bpy.context)
    settle(library, 31)
    assert (tmp_path / "bin" / "a" / "job.json").is_file()
    assert not step.is_needed(bpy.context)
    assert "Finished meshes are shown here" in draw_results().text()
    assert bpy.ops.image_to_mesh.undo_delete(job="a") == {"CANCELLED"}


def test_disabling_the_add_on_moves_deleted_results_at_once(
    library: Path, shelf: Any, tmp_path: Path
) -> None:
    put(library, "a")
    bpy.ops.image_to_mesh.delete_result(job="a")
    step = addon_module("app.results.deleted_results")
    step.unregister()
    step.register()
    assert (tmp_path / "bin" / "a" / "job.json").is_file()
    assert not (library / "a").exists()


def test_a_result_that_cannot_be_moved_to_the_trash_is_shown_again(
    library: Path, shelf: Any
) -> None:
    put(library, "a")
    sys.modules["send2trash"].refuses = True  # type: ignore[attr-defined]
    bpy.ops.image_to_mesh.delete_result(job="a")
    settle(library, 31)
    seen = draw_results()
    assert "cup was not deleted: its drive has no trash" in seen.text()
    bpy.ops.image_to_mesh.select_result(job="a")
    seen = draw_results()
    assert seen.button("image_to_mesh.delete")["text"] == "Delete Permanently..."
    assert not seen.buttons("image_to_mesh.delete_result")
    bpy.ops.image_to_mesh.delete(job="a")
    assert not (library / "a").exists()


def test_scripts_delete_at_once(library: Path, shelf: Any, tmp_path: Path) -> None:
    put(library, "a")
    bpy.ops.image_to_mesh.delete_result(job="a")
    assert bpy.ops.image_to_mesh.delete(job="a") == {"FINISHED"}
    assert (tmp_path / "bin" / "a").is_dir()
    assert not addon_module("state.results.hidden").all_hidden()


def test_the_newest_result_is_not_one_that_was_deleted(library: Path, shelf: Any) -> None:
    put(library, "a")
    put(library, "b")
    find = addon_module("app.import_result").find
    assert find(bpy.context, "").id == "b"
    bpy.ops.image_to_mesh.delete_result(job="b")
    assert find(bpy.context, "").id == "a"


def test_a_missing_mesh_disables_import_and_says_why(library: Path, shelf: Any) -> None:
    record = put(library, "a")
    (library / record.id / "mesh.glb").unlink()
    index_of(library).reread("a")
    bpy.ops.image_to_mesh.select_result(job="a")
    seen = draw_results()
    assert "Its mesh file is missing" in seen.text()
    assert not seen.button("image_to_mesh.import_result")["enabled"]
    assert seen.button("image_to_mesh.reuse")["enabled"]
    assert seen.button("image_to_mesh.delete_result")["enabled"]


def test_results_of_others_say_why_they_cannot_be_imported(library: Path, shelf: Any) -> None:
    put(library, "a", own=False)
    bpy.ops.image_to_mesh.select_result(job="a")
    seen = draw_results()
    assert "Created by someone else" in seen.text()
    assert not seen.button("image_to_mesh.import_result")["enabled"]
    assert seen.button("image_to_mesh.trust_library")["enabled"]
    index_of(library).trusted = True
    seen = draw_results()
    assert seen.button("image_to_mesh.import_result")["enabled"]
    assert not seen.buttons("image_to_mesh.trust_library")


def test_a_damaged_record_is_shown_and_can_be_deleted(
    library: Path, shelf: Any, tmp_path: Path
) -> None:
    put(library, "a")
    (library / "a" / "job.json").write_text("{")
    index_of(library).refresh()
    seen = draw_results()
    assert "Damaged" in seen.text()
    bpy.ops.image_to_mesh.select_result(job="a")
    seen = draw_results()
    assert "The record of job “a” cannot be read" in seen.text()
    assert not seen.buttons("image_to_mesh.import_result")
    bpy.ops.image_to_mesh.delete_result(job="a")
    settle(library, 31)
    assert (tmp_path / "bin" / "a").is_dir()


def test_an_unreadable_library_says_what_to_do(library: Path, shelf: Any) -> None:
    put(library, "a")
    library.rename(library.with_name("unplugged"))
    index = index_of(library)
    index.refresh_soon()
    end = time.monotonic() + 10
    while index.failure is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    seen = draw_results()
    assert "was not found" in seen.text()
    assert "Connect its drive" in seen.text()
    assert seen.button("image_to_mesh.open_preferences")


def test_versions_of_a_result_are_in_a_menu(library: Path, shelf: Any) -> None:
    put(library, "a")
    versions = addon_module("jobs.library.versions")
    (library / "a" / "model-v2.blend").write_bytes(b"BLENDER")
    versions.remember(library / "a", versions.Version("model-v2.blend", made_by="decimate"))
    index_of(library).reread("a")
    bpy.ops.image_to_mesh.select_result(job="a")
    (menu,) = draw_results().all("menu")
    assert menu["text"] == "Versions (2)"
    shown: list[dict[str, Any]] = []
    drawn = SimpleNamespace(layout=Layout(shown, unfolded=True))
    addon_module("panels.results.details").IMAGE_TO_MESH_MT_result_versions.draw(
        drawn, drawing_context(300)
    )
    rows = [(row["text"], row["button"].version) for row in Seen(shown).all("operator")]
    assert rows == [("Original", ""), ("Version 2: Decimate", "model-v2.blend")]


def test_more_fit_beside_each_other_in_a_wider_sidebar(addon: ModuleType) -> None:
    columns = addon_module("state.results.listing").columns
    widths = (220, 280, 300, 500, 2000, 100)
    assert [columns(drawing_context(width)) for width in widths] == [2, 3, 3, 5, 6, 2]


def test_a_page_starts_where_it_was_when_its_size_changes(addon: ModuleType) -> None:
    page_start = addon_module("state.results.listing").page_start
    assert page_start(9, 200, 6) == 9
    assert page_start(500, 200, 9) == 198
    assert page_start(5, 6, 9) == 0
    assert page_start(0, 0, 9) == 0


def test_nothing_is_drawn_of_a_page_that_is_not_shown(library: Path, shelf: Any) -> None:
    for number in range(8):
        put(library, f"job-{number}")
    seen = draw(unfolded=True, width=220)
    assert len(seen.buttons("image_to_mesh.select_result")) == 6


def test_a_new_asset_browser_shows_the_library_once_it_was_drawn(addon: ModuleType) -> None:
    step = addon_module("app.results.asset_browser")
    space = SimpleNamespace(params=None)
    redrawn: list[int] = []
    area = SimpleNamespace(
        ui_type="ASSETS",
        spaces=SimpleNamespace(active=space),
        tag_redraw=lambda: redrawn.append(1),
    )
    window = SimpleNamespace(screen=SimpleNamespace(areas=[area]))
    context = SimpleNamespace(window_manager=SimpleNamespace(windows=[window]))
    step.show_soon("Image to Mesh")
    step.poll(context, 0.0)
    assert not redrawn
    space.params = SimpleNamespace(asset_library_reference="ALL")
    for _ in range(step.CHOICES):
        assert step.is_needed(context)
        step.poll(context, 0.0)
    assert space.params.asset_library_reference == "Image to Mesh"
    assert len(redrawn) == step.CHOICES
    assert not step.is_needed(context)


def test_a_closed_asset_browser_is_not_awaited_for_long(addon: ModuleType) -> None:
    step = addon_module("app.results.asset_browser")
    context = SimpleNamespace(window_manager=SimpleNamespace(windows=[]))
    step.show_soon("Image to Mesh")
    for _ in range(step.ATTEMPTS):
        assert step.is_needed(context)
        step.poll(context, 0.0)
    assert not step.is_needed(context)
