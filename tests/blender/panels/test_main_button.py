# SPDX-License-Identifier: GPL-3.0-or-later
"""The main button: Generate, or Update with Generate New beside or below it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.recording import draw

ORDERS = ("image_to_mesh.update", "image_to_mesh.generate")


@pytest.fixture
def cup(addon: ModuleType) -> bpy.types.Object:
    """The active object, as a result of the scene's image and provider."""
    image = bpy.context.scene.image_to_mesh.image = bpy.data.images.new("cup", 64, 64)
    obj = bpy.data.objects["Cube"]
    obj["image_to_mesh_job"], obj["image_to_mesh_provider"] = "20261129-cup", "local"
    obj["image_to_mesh_source"] = image
    return obj


def buttons(**given: Any) -> list[str]:
    """Return the texts of the main buttons."""
    seen = draw(**given)
    return [
        button["text"]
        for name in ("update", "generate")
        for button in seen.buttons(f"image_to_mesh.{name}")
    ]


def widen(monkeypatch: pytest.MonkeyPatch, *, is_wide: bool) -> None:
    """Set whether both buttons have room for their texts."""
    monkeypatch.setattr(addon_module("panels.generate"), "fit_side_by_side", lambda *_: is_wide)


def test_a_result_of_the_image_can_be_updated(
    cup: bpy.types.Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    widen(monkeypatch, is_wide=True)
    assert buttons() == ["Update", "Generate New"]
    bpy.context.view_layer.objects.active = bpy.data.objects["Light"]
    assert buttons() == ["Generate"]
    bpy.context.view_layer.objects.active = cup
    cup["image_to_mesh_provider"] = "tripo"
    assert buttons() == ["Generate"]


def test_both_buttons_carry_the_price(
    cup: bpy.types.Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    widen(monkeypatch, is_wide=True)
    price = addon_module("panels.account_text").Price("30 Credits")
    monkeypatch.setattr(addon_module("panels.generate"), "price_of", lambda context: price)
    assert buttons() == ["Update · 30 Credits", "Generate New · 30 Credits"]


def test_neither_can_be_pressed_while_something_is_missing(
    cup: bpy.types.Object, preferences: bpy.types.AddonPreferences
) -> None:
    bpy.context.scene.image_to_mesh.provider = cup["image_to_mesh_provider"] = "tripo"
    seen = draw()
    assert not seen.button("image_to_mesh.update")["enabled"]
    assert not seen.button("image_to_mesh.generate")["enabled"]


def test_the_buttons_know_that_they_are_in_the_sidebar(cup: bpy.types.Object) -> None:
    """Blender runs them in the viewport's region, from where an order would be confirmed first."""
    assert draw().button("image_to_mesh.update")["button"].place == "sidebar"
    assert draw().button("image_to_mesh.generate")["button"].place == "sidebar"
    bpy.context.view_layer.objects.active = bpy.data.objects["Light"]
    assert draw().button("image_to_mesh.generate")["button"].place == "sidebar"


def test_in_a_narrow_region_generate_new_is_an_icon_beside_update(
    cup: bpy.types.Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    widen(monkeypatch, is_wide=False)
    assert buttons() == ["Update", ""]
    assert draw().button("image_to_mesh.generate")["icon"] == "ADD"


@pytest.mark.parametrize("width", [180, 280, 700])
def test_a_paid_generate_new_comes_where_a_row_was_kept_free(
    cup: bpy.types.Object, preferences: bpy.types.AddonPreferences, width: int
) -> None:
    """At the end of a job, nothing below the buttons moves."""

    def first_two(active: str) -> list[tuple[Any, ...]]:
        """Return the main button and what is drawn after it, and whether each is in a row."""
        bpy.context.view_layer.objects.active = bpy.data.objects[active]
        shown = draw(width=width).shown
        at = next(i for i, row in enumerate(shown) if row.get("operator") in ORDERS)
        return [(row.get("operator", row["kind"]), row["is_row"]) for row in shown[at : at + 2]]

    bpy.context.scene.image_to_mesh.provider = cup["image_to_mesh_provider"] = "tripo"
    assert first_two("Cube") == [(ORDERS[0], True), (ORDERS[1], False)]
    assert first_two("Light") == [(ORDERS[1], True), ("label", False)]
    bpy.context.scene.image_to_mesh.provider = cup["image_to_mesh_provider"] = "local"
    assert first_two("Cube") == [(ORDERS[0], True), (ORDERS[1], True)]
    assert first_two("Light")[1][0] != "label"


@pytest.mark.parametrize("price", ["", "30 Credits"])
def test_in_a_narrow_region_a_paid_generate_new_keeps_its_words_and_price(
    cup: bpy.types.Object,
    monkeypatch: pytest.MonkeyPatch,
    preferences: bpy.types.AddonPreferences,
    price: str,
) -> None:
    """No icon alone orders something that costs money: the buttons are below each other."""
    bpy.context.scene.image_to_mesh.provider = cup["image_to_mesh_provider"] = "tripo"
    named = addon_module("panels.account_text").Price(price)
    monkeypatch.setattr(addon_module("panels.generate"), "price_of", lambda context: named)
    priced = [f"{name} · {price}" for name in ("Update", "Generate New")]
    assert buttons(width=260) == (priced if price else ["Update", "Generate New"])
    for width in (150, 180):
        seen = draw(width=width)
        new = seen.button("image_to_mesh.generate")
        assert not new["is_row"], "below Update"
        assert seen.button("image_to_mesh.update")["is_row"]
        assert new["text"] == "Generate New"
        assert price in seen.text()


def test_what_disables_generate_has_the_triangle(
    cup: bpy.types.Object, preferences: bpy.types.AddonPreferences
) -> None:
    bpy.context.scene.image_to_mesh.provider = "tripo"
    (notice,) = addon_module("panels.generate").plan_action(bpy.context).notices
    assert (notice.icon, "click Add Key" in notice.text) == ("ERROR", True)


@pytest.mark.parametrize(("kind", "icon"), [("bad_key", "ERROR"), ("unreachable", "INFO")])
def test_a_refused_key_has_the_triangle_and_an_unknown_balance_the_i(
    cup: bpy.types.Object,
    preferences: bpy.types.AddonPreferences,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    icon: str,
) -> None:
    preferences.tripo_api_key = "tsk_" + 40 * "a"
    monkeypatch.setenv("TRIPO_BASE_URL", "http://127.0.0.1:9")
    bpy.context.scene.image_to_mesh.provider = "tripo"
    failure = addon_module("jobs").Failure(kind, "The service did not like it.")
    reply = addon_module("jobs").AccountAnswer(None, "", failure)
    room = addon_module("panels.provider_state").preferences
    monkeypatch.setattr(room, "answer", lambda *_: reply)
    (notice,) = addon_module("panels.generate").plan_action(bpy.context).notices
    assert notice.icon == icon


def test_update_takes_the_place_of_generate_exactly(
    cup: bpy.types.Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = addon_module("panels.generate")
    for is_wide in (True, False):
        widen(monkeypatch, is_wide=is_wide)
        heights = []
        for obj in (cup, bpy.data.objects["Light"]):
            bpy.context.view_layer.objects.active = obj
            heights.append(panel.plan_action(bpy.context).height(bpy.context))
        assert heights[0] == heights[1], "a job's end moves nothing under the pointer"
