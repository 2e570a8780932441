# SPDX-License-Identifier: GPL-3.0-or-later
"""Every source of an image, and the queue for several of them."""

from __future__ import annotations

import contextlib
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

OPS = bpy.ops.image_to_mesh


@pytest.fixture
def chosen(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The scene's properties, with few faces and an empty library."""
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    bpy.context.scene.image_to_mesh.local.face_count = 500
    return bpy.context.scene.image_to_mesh


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a server that has only the sample photograph."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.startswith("/cup")
            data = places.SAMPLE.read_bytes() if found else b"<html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_any_image_of_the_file_can_be_used(chosen: Any) -> None:
    cup = bpy.data.images.new("cup", 64, 64)
    assert OPS.use_image(image="cup") == {"FINISHED"}
    assert chosen.image == cup
    with pytest.raises(RuntimeError, match="no image “bowl” in this"):
        OPS.use_image(image="bowl")
    assert chosen.image == cup


@pytest.mark.parametrize(("source", "words"), [("MOVIE", "a movie"), ("TILED", "not saved")])
def test_movies_and_tiles_are_refused_before_generate(chosen: Any, source: str, words: str) -> None:
    chosen.image = bpy.data.images.new("cup", 64, 64)
    chosen.image.source = source
    with pytest.raises(RuntimeError, match=words):
        OPS.generate()


def test_the_selected_reference_is_used(chosen: Any) -> None:
    assert not OPS.use_selected.poll()
    bpy.ops.object.empty_add(type="IMAGE", location=(1, 2, 3))
    assert not OPS.use_selected.poll()
    cup = bpy.data.images.new("cup", 64, 64)
    bpy.context.object.data = cup
    OPS.use_selected()
    assert chosen.image == cup
    placement = chosen.placement
    assert placement.current_position() == "reference"
    assert placement.current_reference() == bpy.context.object
    assert placement.position == "free"


def test_a_reference_counts_for_its_own_image_only(chosen: Any) -> None:
    bpy.ops.object.empty_add(type="IMAGE", location=(1, 2, 3))
    cup, bowl = (bpy.data.images.new(name, 64, 64) for name in ("cup", "bowl"))
    bpy.context.object.data = cup
    OPS.use_selected()
    placement = chosen.placement
    chosen.image = bowl
    assert placement.current_position() == "free"
    chosen.image = cup
    assert placement.current_position() == "reference"
    edited = bpy.data.images.new("cup prepared", 64, 64)
    addon_module("app.chosen_image").choose(bpy.context, edited, same_subject=True)
    assert placement.current_position() == "reference"
    OPS.leave_reference()
    assert placement.current_position() == "free"
    chosen.image = cup
    OPS.use_selected()
    placement.position = "cursor"
    assert placement.current_position() == "cursor"


def test_a_render_is_used_and_a_missing_one_is_reported(chosen: Any) -> None:
    with pytest.raises(RuntimeError, match="Render first"):
        OPS.use_render()
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    scene.render.resolution_x = scene.render.resolution_y = 64
    scene.render.resolution_percentage = 100
    bpy.ops.render.render()
    OPS.use_render()
    # A copy: it has a preview, the next render does not change it, and the mesh gets its name.
    assert (chosen.image.type, chosen.image.source) == ("IMAGE", "FILE")
    assert (chosen.image.name, bool(chosen.image.packed_file)) == ("Render", True)
    assert OPS.generate() == {"FINISHED"}
    assert bpy.context.object.name == "Render"


def test_a_mesh_of_a_chosen_render_is_not_called_render_result(chosen: Any) -> None:
    result = next(image for image in bpy.data.images if image.type == "RENDER_RESULT")
    assert addon_module("scene.image_source").picture_name(result) == "Render"


def test_an_address_becomes_a_packed_picture(chosen: Any, address: str) -> None:
    OPS.use_address(address=f"{address}/cup.jpg")
    assert (chosen.image.name, bool(chosen.image.packed_file)) == ("cup", True)
    assert tuple(chosen.image.size) > (64, 64)


def test_an_address_that_has_no_picture_is_refused(chosen: Any, address: str) -> None:
    for wrong, words in (
        (f"{address}/letter", "web page"),
        ("http://example.test/a.png", "does not start with https"),
        ("https://example.test/a.png", "online"),
        ("", "not an https URL|does not exist|folder"),
    ):
        with pytest.raises(RuntimeError, match=words):
            OPS.use_address(address=wrong)
    assert chosen.image is None


def test_without_a_window_paste_and_viewport_capture_report_an_error(chosen: Any) -> None:
    for operator, words in ((OPS.use_view, "no 3D Viewport"), (OPS.paste, "clipboard is not")):
        with pytest.raises(RuntimeError, match=words):
            operator()


@pytest.mark.parametrize("spelled", ["{}", "file://{}", '"{}"\n'])
def test_a_copied_file_is_opened(chosen: Any, tmp_path: Path, spelled: str) -> None:
    file = tmp_path / "cup.jpg"
    shutil.copy(places.SAMPLE, file)
    image = addon_module("scene.clipboard")._open_path(spelled.format(file))
    assert bpy.path.abspath(image.filepath) == str(file)


def test_clipboard_text_that_is_not_an_image_is_refused(chosen: Any, tmp_path: Path) -> None:
    clipboard = addon_module("scene.clipboard")
    for text in ("", "cup.png", str(tmp_path / "none.png"), str(tmp_path / "a.txt"), "a b"):
        assert clipboard._open_path(text) is None
    assert clipboard.find_https_address(" https://a.test/b.png\n") == "https://a.test/b.png"
    assert clipboard.find_https_address("see https://a.test") == ""
    assert clipboard.find_https_address("file:///a.png") == ""


def test_the_desktop_clipboard_tool_is_used_as_a_fallback(
    chosen: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "xclip"
    tool.write_text(
        f'#!/bin/sh\n[ "$1" = kinds ] && echo image/png || cat "{places.SAMPLE}"\n', "utf-8"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(
        addon_module("scene.clipboard"), "TOOLS", ((("xclip", "kinds"), ("xclip",)),)
    )
    image = addon_module("scene.clipboard")._paste_with_tool()
    assert (image.name, bool(image.packed_file)) == ("Clipboard", True)
    for silent in ("exit 1", "echo text/plain", "exec sleep 2"):
        tool.write_text(f"#!/bin/sh\n{silent}\n", "utf-8")
        assert addon_module("scene.clipboard")._paste_with_tool() is None
    (remaining,) = addon_module("scene.clipboard")._running_tools
    remaining.communicate(timeout=10)


def test_dropped_files_become_meshes_at_the_drop_point(chosen: Any, tmp_path: Path) -> None:
    for name in ("cup", "bowl"):
        shutil.copy(places.SAMPLE, tmp_path / f"{name}.jpg")
    files = [{"name": "cup.jpg"}, {"name": "bowl.jpg"}]
    OPS.make_here(directory=str(tmp_path), files=files, location=(1, 2, 3))
    made = [obj for obj in bpy.data.objects if "image_to_mesh_job" in obj]
    assert sorted(record.name for record in made) == ["bowl", "cup"]
    first, second = sorted(made, key=lambda obj: obj.location.x)
    assert tuple(first.location) == (1, 2, 3)
    assert second.location.yz == first.location.yz
    assert second.location.x > first.location.x + (first.dimensions.x + second.dimensions.x) / 2
    assert chosen.image is None
    with pytest.raises(RuntimeError, match="does not exist"):
        OPS.make_here(filepath=str(tmp_path / "none.png"))


def test_a_queue_starts_as_many_jobs_as_there_are_slots(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, session = addon_module("app.queue"), addon_module("jobs").session()
    running: list[Any] = []
    begun: list[Any] = []
    monkeypatch.setattr(session, "running", lambda: tuple(running))

    def begin(spec: Any) -> None:
        begun.append(spec)
        running.append(spec)

    monkeypatch.setattr(queue, "begin", begin)
    queue.add(range(5))
    assert (begun, session.queued) == ([0, 1, 2], 2)
    running.clear()
    queue.advance()
    assert (begun, session.queued) == ([0, 1, 2, 3, 4], 0)
    queue.add([5, 6])
    OPS.clear_queue()
    assert (queue.waiting(), session.queued) == (0, 0)


def test_pictures_can_be_dropped_on_the_viewport_only(chosen: Any) -> None:
    handler = addon_module("operators.images.drop_menu").IMAGE_TO_MESH_FH_pictures
    with contextlib.suppress(AttributeError):
        assert handler.poll_drop(bpy.context) is False
    assert handler.bl_import_operator == "image_to_mesh.make_here"
    assert ".png" in handler.bl_file_extensions.split(";")


def test_menu_entries_are_added_and_removed(addon: ModuleType) -> None:
    menus = addon_module("panels.menus")
    for name, entry in menus.ENTRIES:
        assert entry in getattr(bpy.types, name)._dyn_ui_initialize()
    addon.unregister()
    for name, entry in menus.ENTRIES:
        assert entry not in getattr(bpy.types, name)._dyn_ui_initialize()
    addon.register()
