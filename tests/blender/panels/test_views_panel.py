# SPDX-License-Identifier: GPL-3.0-or-later
"""Views as pictures in the sidebar and in the Image Editor's tab, and the line on what is sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.recording import Layout, Seen, draw, drawing_context

if TYPE_CHECKING:
    from types import ModuleType

OPS = bpy.ops.image_to_mesh


@pytest.fixture
def chosen(addon: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The scene's choices, for a service that takes four views and has a key."""
    monkeypatch.setenv("TRIPO_API_KEY", "tsk_0123456789")
    monkeypatch.setenv("TRIPO_BASE_URL", "http://127.0.0.1:9/v3")
    chosen = bpy.context.scene.image_to_mesh
    chosen.provider, chosen.image = "tripo", image("cup")
    return chosen


def image(name: str) -> bpy.types.Image:
    return bpy.data.images.new(name, 8, 8)


def has_preview(shown: bpy.types.Image) -> bool:
    return shown.preview is not None


def report(shown: bpy.types.Image, width: int, size: int) -> None:
    """Give an image the report of a check."""
    info = addon_module("providers").PictureInfo("png", width, 20)
    checks, key = addon_module("jobs").image_checks(), addon_module("state.preflight").picture_key
    checks._reports[key(shown)] = addon_module("jobs").ImageReport(info=info, size=size)


def beside_title() -> Seen:
    """Draw the end of the subpanel's header."""
    shown: list[dict[str, Any]] = []
    addon_module("panels.views").draw_count(Layout(shown, unfolded=True), drawing_context(220))
    return Seen(shown)


def in_image_editor(shown_there: bpy.types.Image) -> Seen:
    """Draw the tab in the Image Editor."""
    shown: list[dict[str, Any]] = []
    context = drawing_context(220)
    context.space_data = SimpleNamespace(type="IMAGE_EDITOR", image=shown_there)
    panel = SimpleNamespace(layout=Layout(shown, unfolded=True))
    addon_module("panels.menus").IMAGE_TO_MESH_PT_image_editor.draw(panel, context)
    return Seen(shown)


def test_the_title_counts_the_images_and_warns_of_foreign_ones(chosen: Any) -> None:
    assert beside_title().text() == ""
    chosen.view_left, chosen.view_back = image("side"), image("back")
    assert beside_title().text() == "3 images"
    assert [row.get("icon") for row in beside_title().all("label")] == [None]
    chosen.image = image("bowl")
    assert [row.get("icon") for row in beside_title().all("label")] == ["ERROR", None]


def test_each_view_has_a_picture_or_a_button_of_its_size(chosen: Any) -> None:
    chosen.view_back = image("back")
    seen = draw(unfolded=True)
    pictures = [row["scale"] for row in seen.all("template_icon") if row["scale"] == 4.5]
    assert len(pictures) == 2
    opened = [row["button"].view for row in seen.buttons("image_to_mesh.open_image")
              if hasattr(row["button"], "view")]  # fmt: skip
    assert sorted(opened) == ["left", "left", "right", "right"]
    assert "view_back" not in {row["property"] for row in seen.all("prop")}
    assert "Front Left Back Right" in " ".join(
        row["text"] for row in seen.all("label") if row["text"].strip() in
        ("Front", "Left", "Back", "Right"))  # fmt: skip


def test_the_names_of_side_views_have_a_line_to_themselves(chosen: Any) -> None:
    name = "IMG_20260812_back.jpg"
    chosen.view_back = image(name)
    seen = draw(unfolded=True, width=280)
    (line,) = (row for row in seen.all("label") if row["text"] == name)
    assert not line["translate"]
    opened = [row["button"].view for row in seen.buttons("image_to_mesh.open_image")
              if hasattr(row["button"], "view")]  # fmt: skip
    assert "back" in opened
    cleared = seen.button("image_to_mesh.clear_views")["button"]
    assert cleared.view == "back"
    OPS.clear_views(view=cleared.view)
    assert chosen.view_back is None
    assert chosen.image is not None


def test_what_is_sent_is_the_sum_of_all_views(chosen: Any) -> None:
    report(chosen.image, 64, 1_200_000)
    assert "images" not in draw(unfolded=True).text()
    chosen.view_left = image("side")
    assert "Sends 2 images" in draw(unfolded=True).text()
    report(chosen.view_left, 32, 300_000)
    text = draw(unfolded=True, width=400).text()
    assert "Sends 2 images, 1.5 MB" in text
    assert "64 × 20" in text
    assert "32 × 20" in text


def test_the_heartbeat_makes_previews_and_checks_the_side_views(chosen: Any) -> None:
    views = addon_module("app.periodic.view_images")
    chosen.view_left = image("side")
    assert not has_preview(chosen.view_left)
    views.poll(bpy.context, 0.0)
    assert has_preview(chosen.view_left)
    assert has_preview(chosen.image)
    checks, key = addon_module("jobs").image_checks(), addon_module("state.preflight").picture_key
    assert checks.report(key(chosen.view_left)) is not None
    assert checks.report(key(chosen.image)) is None, "another step checks it"
    views.unregister()
    views.register()


def test_the_heartbeat_leaves_views_alone_that_are_not_taken(chosen: Any) -> None:
    chosen.provider, chosen.view_left = "local", image("side")
    addon_module("app.periodic.view_images").poll(bpy.context, 0.0)
    assert not has_preview(chosen.view_left)
    assert has_preview(chosen.image), "shown until the picture of what is sent is there"


def test_the_image_editor_shows_provider_views_price_and_the_question(chosen: Any) -> None:
    chosen.view_left = image("side")
    seen = in_image_editor(chosen.image)
    assert seen.prop("provider")
    assert len(seen.all("template_icon")) == 2
    assert "Sends 2 images" in seen.text()
    assert seen.button("image_to_mesh.generate")["enabled"]
    bowl = image("bowl")
    assert in_image_editor(bowl).button("image_to_mesh.use_image")
    assert not in_image_editor(bowl).buttons("image_to_mesh.generate")
    OPS.use_image(image="bowl")
    seen = in_image_editor(bowl)
    assert not seen.button("image_to_mesh.generate")["enabled"]
    assert seen.button("image_to_mesh.keep_views")
    assert seen.button("image_to_mesh.clear_views")


def test_the_preview_gives_way_to_the_question_about_views(chosen: Any) -> None:
    def preview() -> float:
        return float(draw(width=300).all("template_icon")[0]["scale"])

    chosen.view_left = image("left")
    before = preview()
    chosen.image = image("another")
    seen = draw(width=300)
    assert seen.button("image_to_mesh.clear_views")
    views = addon_module("panels.views")
    gap = addon_module("panels.text_layout").GAP
    notices = addon_module("panels.generate").plan_action(drawing_context(300))
    assert views.foreign_height(drawing_context(300)) == 1.0 + gap
    assert preview() <= before - (1.0 + gap)
    rows = [row.get("operator") or row.get("text", "") for row in seen.shown]
    asked = next(place for place, row in enumerate(rows) if "another" in row or "other" in row)
    assert asked < rows.index("image_to_mesh.keep_views") < rows.index("image_to_mesh.generate")
    assert any("view" in notice.text.lower() for notice in notices.notices)


def test_the_tabs_are_places_of_their_own(addon: ModuleType) -> None:
    place_of = addon_module("operators.confirm_order").place_of
    tab = SimpleNamespace(type="UI", active_panel_category="Image to Mesh")
    other = SimpleNamespace(type="UI", active_panel_category="Item")
    viewport, editor = SimpleNamespace(type="VIEW_3D"), SimpleNamespace(type="IMAGE_EDITOR")
    for area, region, place in (
        (viewport, tab, "sidebar"),
        (editor, tab, "image_editor"),
        (viewport, other, "search"),
        (viewport, None, "search"),
    ):
        assert place_of(SimpleNamespace(area=area, region=region), "") == place
    assert place_of(SimpleNamespace(area=viewport, region=tab), "menu") == "menu"
