# SPDX-License-Identifier: GPL-3.0-or-later
"""A double click is one order, and so is the same file dropped twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.clicked import Window, drop, finish, generate_button, open_window, remember
from fakes.noted import noted_jpeg, sample_picture
from fakes.overheard import overhearing
from fakes.served import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from fakes.served import Place

OPS = bpy.ops.image_to_mesh


@pytest.fixture
def place(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Tripo's fake, chosen in the scene with an image from a file."""
    with SERVICES["tripo"](2000) as served:
        monkeypatch.setenv("TRIPO_API_KEY", served.order["keys"]["tripo_api_key"])
        monkeypatch.setenv("TRIPO_BASE_URL", served.order["url"])
        monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
        (tmp_path / "cup.jpg").write_bytes(noted_jpeg())
        chosen = bpy.context.scene.image_to_mesh
        chosen.provider = "tripo"
        chosen.image = bpy.data.images.load(str(tmp_path / "cup.jpg"))
        yield served


@pytest.fixture
def windowed(addon: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Window:
    """Make Generate believe that Blender has a window."""
    return open_window(monkeypatch)


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
    first, second = generate_button("sidebar"), generate_button("sidebar")
    assert first.invoke(windowed, None) == {"FINISHED"}
    assert second.invoke(windowed, None) == {"RUNNING_MODAL"}
    assert [prompt["confirm_text"] for prompt in windowed.prompts] == ["Generate Again"]
    assert "was already submitted.\nTripo charges" in windowed.prompts[0]["message"]
    finish()
    assert place.creates() == 1
    assert second.execute(windowed) == {"FINISHED"}, "a confirmed order is sent"
    finish()
    assert place.creates() == 2


def test_other_settings_or_another_picture_need_no_confirmation(place: Place) -> None:
    generate = addon_module("operators.generate")
    repeats = addon_module("app.repeated_order")
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


def test_an_order_refused_by_the_thread_is_confirmed_at_the_next_click(place: Place) -> None:
    """A painted image is recognized by its pixels, which are read on the thread."""
    generate, repeats = addon_module("operators.generate"), addon_module("app.repeated_order")
    generate.start(bpy.context)
    finish()
    repeats.forget()
    generate.start(bpy.context)
    finish()
    assert place.creates() == 1
    assert repeats.is_there(bpy.context, generate.order_shown(bpy.context))


def test_the_same_file_dropped_twice_is_one_order(
    place: Place, tmp_path: Path, windowed: Window
) -> None:
    remember(windowed, "drop")
    addon_module("operators.images.drop_menu").poll(windowed, 0.0)
    answers = [drop([tmp_path / "cup.jpg"]).invoke(windowed, None) for _ in range(2)]
    assert answers == [{"FINISHED"}, {"RUNNING_MODAL"}]
    finish()
    assert (place.creates(), len(windowed.prompts)) == (1, 1)
    (tmp_path / "bowl.png").write_bytes(png_bytes())
    assert drop([tmp_path / "bowl.png"]).invoke(windowed, None) == {"FINISHED"}
    finish()
    assert place.creates() == 2


def png_bytes() -> bytes:
    import io

    out = io.BytesIO()
    sample_picture((50, 40)).save(out, "png")
    return out.getvalue()


def test_no_image_source_sends_metadata(place: Place, tmp_path: Path) -> None:
    """Neither a file, a packed, pasted or painted image, nor a dropped file."""
    chosen = bpy.context.scene.image_to_mesh
    pasted = addon_module("scene.clipboard").load_image_bytes(noted_jpeg(3), "pasted")
    packed = bpy.data.images.load(str(tmp_path / "cup.jpg"))
    packed.pack()
    painted = bpy.data.images.load(str(tmp_path / "cup.jpg"))
    painted.pixels[0] = 0.25
    assert painted.is_dirty
    images = [bpy.data.images["cup.jpg"], pasted, packed, painted]
    with overhearing() as traffic:
        for image in images:
            chosen.image = image
            assert OPS.generate(again=True) == {"FINISHED"}
        assert OPS.make_here(filepath=str(tmp_path / "cup.jpg"), again=True) == {"FINISHED"}
    assert place.creates() == len(images) + 1
    assert traffic.notes() == []


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
    with pytest.raises(RuntimeError, match="cannot decompress"):
        OPS.make_here(filepath=str(tmp_path / "packed.tif"))
    assert place.creates() == 0
