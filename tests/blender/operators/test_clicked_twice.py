# SPDX-License-Identifier: GPL-3.0-or-later
"""A double click is one order, and so is the same file dropped twice."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from fakes.noted import noted_jpeg, sample_picture
from fakes.overheard import overhearing
from fakes.served import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from fakes.served import Place

ADDON = "bl_ext.user_default.image_to_mesh"
OPS = bpy.ops.image_to_mesh


def room(name: str) -> Any:
    """Return one of the add-on's modules."""
    return importlib.import_module(f"{ADDON}.{name}")


@pytest.fixture
def place(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Tripo's fake, chosen in the scene with a picture of a file."""
    with SERVICES["tripo"](2000) as served:
        monkeypatch.setenv("TRIPO_API_KEY", served.order["keys"]["tripo_api_key"])
        monkeypatch.setenv("TRIPO_BASE_URL", served.order["url"])
        monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
        (tmp_path / "cup.jpg").write_bytes(noted_jpeg())
        chosen = bpy.context.scene.image_to_mesh
        chosen.provider = "tripo"
        chosen.image = bpy.data.images.load(str(tmp_path / "cup.jpg"))
        yield served


class With:
    """Stands in for something of Blender's, with some of it changed."""

    def __init__(self, real: object, **changed: object) -> None:
        self._real = real
        self.__dict__.update(changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Window(With):
    """Stands in for the context of a window that asks: it keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        manager = With(bpy.context.window_manager, invoke_confirm=self._ask)
        super().__init__(bpy.context, window_manager=manager)

    def _ask(self, _operator: object, _event: object, **how: str) -> set[str]:
        self.asked.append(how)
        return {"RUNNING_MODAL"}


@pytest.fixture
def windowed(addon: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Window:
    """Let Generate take this for a Blender with a window."""
    shown = With(bpy, app=With(bpy.app, background=False))
    monkeypatch.setattr(room("operators.generate"), "bpy", shown)
    monkeypatch.setattr(room("app.watcher"), "begin", lambda _: None)
    return Window()


def generate_button(**how: Any) -> Any:
    """Return Generate as Blender makes it for a click."""
    made = room("operators.generate").IMAGE_TO_MESH_OT_generate
    options = SimpleNamespace(is_repeat_last=False)
    state = {"again": False, "options": options, "report": lambda *_: None, **how}
    button = SimpleNamespace(**state)
    for name in ("invoke", "execute", "run_job", "_start_watched", "refuse"):
        setattr(button, name, getattr(made, name).__get__(button))
    return button


def finish() -> None:
    """Let all jobs come to their ends."""
    session = room("jobs").session()
    while session.at_work():
        session.wait(0.1)


def test_a_repeated_order_by_a_script_is_refused_unless_it_insists(place: Place) -> None:
    assert OPS.generate() == {"FINISHED"}
    with pytest.raises(RuntimeError, match=r"a moment ago.*again=True"):
        OPS.generate()
    assert place.creates() == 1
    assert OPS.generate(again=True) == {"FINISHED"}
    assert place.creates() == 2


def test_a_double_click_is_one_order_and_asks_about_a_second(
    place: Place, windowed: Window
) -> None:
    first, second = generate_button(), generate_button()
    assert first.invoke(windowed, None) == {"FINISHED"}
    assert second.invoke(windowed, None) == {"RUNNING_MODAL"}
    assert [request["title"] for request in windowed.asked] == ["Generate Again"]
    assert "Tripo charges for it again" in windowed.asked[0]["message"]
    finish()
    assert place.creates() == 1
    assert second.execute(windowed) == {"FINISHED"}, "who confirms gets it"
    finish()
    assert place.creates() == 2


def test_other_settings_or_another_picture_are_not_asked_about(place: Place) -> None:
    generate = room("operators.generate")
    repeats = room("app.repeated_order")
    generate.start(bpy.context)
    assert repeats.is_there(bpy.context, generate.order_shown(bpy.context))
    chosen = bpy.context.scene.image_to_mesh
    chosen.tripo.quad = True
    assert not repeats.is_there(bpy.context, generate.order_shown(bpy.context))
    chosen.tripo.quad = False
    chosen.view_left = bpy.data.images.new("side", 8, 8)
    assert not repeats.is_there(bpy.context, generate.order_shown(bpy.context))
    chosen.view_left = None
    assert repeats.is_there(bpy.context, generate.order_shown(bpy.context))
    chosen.provider = "local"
    assert not repeats.is_there(bpy.context, generate.order_shown(bpy.context))
    finish()
    assert place.creates() == 1


def test_an_order_refused_by_the_thread_is_asked_about_at_the_next_click(place: Place) -> None:
    """A painted picture is told by its pixels alone, and those are read on the thread."""
    generate, repeats = room("operators.generate"), room("app.repeated_order")
    generate.start(bpy.context)
    finish()
    repeats.forget()
    generate.start(bpy.context)
    finish()
    assert place.creates() == 1
    assert repeats.is_there(bpy.context, generate.order_shown(bpy.context))


def drop(path: Path, **how: Any) -> Any:
    """Return Make 3D Here as Blender makes it for a drop."""
    made = room("operators.generate_from_files").IMAGE_TO_MESH_OT_make_here
    given = SimpleNamespace(is_property_set=lambda _: False)
    state = {"again": False, "files": [], "filepath": str(path), "directory": ""}
    dropped = SimpleNamespace(**state, properties=given, report=lambda *_: None, **how)
    for name in ("invoke", "_confirm", "_start", "_specs", "_note_specs", "_orders", "_paths"):
        setattr(dropped, name, getattr(made, name).__get__(dropped))
    return dropped


def test_the_same_file_dropped_twice_is_one_order(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def ask(_operator: Any, _context: Any, _event: Any) -> set[str]:
        asked.append(1)
        return {"RUNNING_MODAL"}

    monkeypatch.setattr(room("app.repeated_order"), "ask", ask)
    monkeypatch.setattr(room("app.watcher"), "begin", lambda _: None)
    answers = [drop(tmp_path / "cup.jpg")._confirm(bpy.context, None) for _ in range(2)]
    assert answers == [{"FINISHED"}, {"RUNNING_MODAL"}]
    finish()
    assert (place.creates(), len(asked)) == (1, 1)
    (tmp_path / "bowl.png").write_bytes(_saved())
    assert drop(tmp_path / "bowl.png")._confirm(bpy.context, None) == {"FINISHED"}
    finish()
    assert place.creates() == 2


def _saved() -> bytes:
    import io

    out = io.BytesIO()
    sample_picture((50, 40)).save(out, "png")
    return out.getvalue()


def test_no_way_to_choose_an_image_sends_metadata(place: Place, tmp_path: Path) -> None:
    """A file, a packed image, one from the clipboard or an address, one that was painted over."""
    chosen = bpy.context.scene.image_to_mesh
    pasted = room("scene.clipboard").load_image_bytes(noted_jpeg(3), "pasted")
    packed = bpy.data.images.load(str(tmp_path / "cup.jpg"))
    packed.pack()
    painted = bpy.data.images.load(str(tmp_path / "cup.jpg"))
    painted.pixels[0] = 0.25
    assert painted.is_dirty
    ways = [bpy.data.images["cup.jpg"], pasted, packed, painted]
    with overhearing() as heard:
        for image in ways:
            chosen.image = image
            assert OPS.generate(again=True) == {"FINISHED"}
        assert OPS.make_here(filepath=str(tmp_path / "cup.jpg"), again=True) == {"FINISHED"}
    assert place.creates() == len(ways) + 1
    assert heard.notes() == []


def test_a_viewport_that_shows_nothing_is_not_sent(place: Place) -> None:
    chosen = bpy.context.scene.image_to_mesh
    empty = bpy.data.images.new("Viewport", 64, 64, alpha=True)
    empty.pixels.foreach_set([0.0] * (4 * 64 * 64))
    empty.pack()
    chosen.image = empty
    with pytest.raises(RuntimeError, match="fully transparent"):
        OPS.generate()
    assert place.creates() == 0


def test_an_image_that_cannot_be_decoded_is_not_sent(place: Place, tmp_path: Path) -> None:
    sample_picture((60, 40)).save(tmp_path / "packed.tif", compression="lzma")
    with pytest.raises(RuntimeError, match="cannot unpack"):
        OPS.make_here(filepath=str(tmp_path / "packed.tif"))
    assert place.creates() == 0
