# SPDX-License-Identifier: GPL-3.0-or-later
"""A view of another subject is never sent unnoticed, no matter how the front image changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

OPS = bpy.ops.image_to_mesh


def image(name: str) -> bpy.types.Image:
    """Return a new image."""
    return bpy.data.images.new(name, 8, 8)


@pytest.fixture
def chosen(addon: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The scene's choices, for a service that takes views; nothing is sent anywhere."""
    monkeypatch.setenv("TRIPO_API_KEY", "tsk_0123456789")
    monkeypatch.setenv("TRIPO_BASE_URL", "http://127.0.0.1:9/v3")
    bpy.context.scene.image_to_mesh.provider = "tripo"
    return bpy.context.scene.image_to_mesh


def pictures(chosen: Any) -> list[tuple[str, str]]:
    """Return an order's views and image names; raise RuntimeError if it would be refused."""
    reason = addon_module("state.preflight").why_not(bpy.context)
    if reason:
        raise RuntimeError(reason)
    provider = addon_module("providers").get_provider(chosen.provider)
    return [
        (picture.view, picture.name)
        for picture in addon_module("operators.generate")._pictures(bpy.context, provider)
    ]


def test_views_that_were_chosen_with_their_front_are_sent(chosen: Any) -> None:
    chosen.image, chosen.view_left = image("cup"), image("side")
    assert pictures(chosen) == [("front", "cup"), ("left", "side")]


def test_views_that_were_chosen_before_any_front_are_its_own(chosen: Any) -> None:
    chosen.view_left, chosen.view_back = image("side"), image("back")
    chosen.image = image("cup")
    assert len(pictures(chosen)) == 3
    chosen.image = image("bowl")
    with pytest.raises(RuntimeError, match="another image"):
        pictures(chosen)


def test_a_new_front_from_the_image_editor_is_asked_about(chosen: Any) -> None:
    chosen.image, chosen.view_left, chosen.view_back = image("cup"), image("side"), image("back")
    image("bowl")
    assert OPS.use_image(image="bowl") == {"FINISHED"}
    with pytest.raises(RuntimeError, match="belong to another image"):
        pictures(chosen)
    assert OPS.use_image(image="bowl") == {"FINISHED"}
    with pytest.raises(RuntimeError, match="belong to another image"):
        pictures(chosen)
    assert OPS.clear_views() == {"FINISHED"}
    assert pictures(chosen) == [("front", "bowl")]


def test_views_that_were_set_without_a_front_do_not_follow_an_image_that_is_used(
    chosen: Any,
) -> None:
    chosen.view_left = image("side")
    image("bowl")
    OPS.use_image(image="bowl")
    with pytest.raises(RuntimeError, match="belong to another image"):
        pictures(chosen)
    assert OPS.keep_views() == {"FINISHED"}
    assert pictures(chosen) == [("front", "bowl"), ("left", "side")]


def test_one_view_is_removed_and_the_others_stay(chosen: Any) -> None:
    chosen.image, chosen.view_left, chosen.view_back = image("cup"), image("side"), image("back")
    assert OPS.clear_views(view="left") == {"FINISHED"}
    assert pictures(chosen) == [("front", "cup"), ("back", "back")]
    assert "side" in bpy.data.images


def test_another_front_by_the_menu_or_a_script_is_asked_about(chosen: Any) -> None:
    chosen.image, chosen.view_left = image("cup"), image("side")
    chosen.image = image("bowl")
    assert addon_module("state.views").foreign(chosen) == ["left"]
    with pytest.raises(RuntimeError, match="belong to another image"):
        OPS.generate()
    assert not addon_module("jobs").session().views()
    assert OPS.keep_views() == {"FINISHED"}
    assert pictures(chosen) == [("front", "bowl"), ("left", "side")]
    chosen.image = image("vase")
    assert OPS.clear_views() == {"FINISHED"}
    assert pictures(chosen) == [("front", "vase")]


def test_a_view_that_is_set_later_does_not_bring_an_old_one_along(chosen: Any) -> None:
    chosen.image, chosen.view_left = image("cup"), image("side")
    chosen.image = image("bowl")
    chosen.view_back = image("back")
    assert addon_module("state.views").foreign(chosen) == ["left"]
    chosen.view_left = image("new side")
    assert len(pictures(chosen)) == 3


def test_views_of_a_removed_front_do_not_belong_to_the_new_one(chosen: Any) -> None:
    cup = image("cup")
    chosen.image, chosen.view_left = cup, image("side")
    bpy.data.images.remove(cup)
    chosen.image = image("bowl")
    assert addon_module("state.views").foreign(chosen) == ["left"]


def test_going_back_to_the_front_brings_its_views_back(chosen: Any) -> None:
    cup = image("cup")
    chosen.image, chosen.view_left = cup, image("side")
    chosen.image = image("bowl")
    chosen.image = cup
    assert len(pictures(chosen)) == 2


def test_a_service_that_takes_no_views_is_not_asked_about_them(chosen: Any) -> None:
    chosen.image, chosen.view_left = image("cup"), image("side")
    chosen.image = image("bowl")
    chosen.provider = "local"
    assert pictures(chosen) == [("front", "bowl")]


def test_a_cropped_picture_keeps_its_views_and_so_does_the_way_back(chosen: Any) -> None:
    cup, cropped = image("cup"), image("cup prepared")
    chosen.image, chosen.view_left = cup, image("side")
    use = addon_module("app.chosen_image").choose
    assert use(bpy.context, cropped, same_subject=True) is False
    assert len(pictures(chosen)) == 2
    assert use(bpy.context, cup, same_subject=True) is False
    assert len(pictures(chosen)) == 2
    assert use(bpy.context, image("bowl")) is True
    chosen.provider = "local"  # takes the front only
    assert use(bpy.context, image("vase")) is False


def test_the_file_keeps_which_front_they_are_of(chosen: Any, tmp_path: Path) -> None:
    chosen.image, chosen.view_left = image("cup"), image("side")
    chosen.image = image("bowl")
    for item in bpy.data.images:
        item.use_fake_user = True
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    again = bpy.context.scene.image_to_mesh
    assert addon_module("state.views").foreign(again) == ["left"]


def test_pictures_that_are_dropped_have_no_views(chosen: Any, tmp_path: Path) -> None:
    chosen.image, chosen.view_left = image("cup"), image("side")
    operator = addon_module("operators.generate_from_files").IMAGE_TO_MESH_OT_make_here
    file = tmp_path / "pot.png"
    file.write_bytes(b"x")
    dropped = type("Dropped", (), {"paths": lambda _: [str(file)]})()
    dropped.again = False
    dropped.properties = type("Set", (), {"is_property_set": lambda *_: False})()
    (spec,) = operator._specs(dropped, bpy.context)
    assert [picture.view for picture in spec.pictures] == ["front"]
