# SPDX-License-Identifier: GPL-3.0-or-later
"""In every state, the panel shows the reason for each disabled button."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.recording import Layout, Seen, draw, draw_preferences, drawing_context
from fakes.served import PROVIDERS

if TYPE_CHECKING:
    from types import ModuleType

PICTURES = ("none", "generated", "movie", "udim", "lost")


def choose(kind: str) -> None:
    """Choose an image of a kind, such as "movie"; "none" clears it."""
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = None if kind == "none" else bpy.data.images.new(kind, 64, 64)
    if kind in ("movie", "udim", "lost"):
        chosen.image.source = {"movie": "MOVIE", "udim": "TILED", "lost": "FILE"}[kind]


def check(seen: Any) -> None:
    """Assert that each disabled button or setting has an explanation beside it."""
    text = seen.text()
    why = addon_module("state.preflight").why_not(bpy.context)
    for row in seen.all("operator"):
        if not row["enabled"]:
            assert row["operator"] == "image_to_mesh.generate"
            assert why, row
            assert why in text, row
    scene = bpy.context.scene
    properties = addon_module("state.scene_properties")
    settings = properties.read_settings(scene, properties.provider_of(scene))
    unused = dict(settings.inactive_fields())
    for row in seen.all("prop"):
        name = row["property"]
        if not row["active"] and name in unused:
            assert unused[name] in text, name


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_disabled_button_has_a_visible_reason(
    addon: ModuleType, preferences: Any, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    scene = bpy.context.scene
    scene.image_to_mesh.provider = provider
    declared = addon_module("providers").get_provider(provider)
    jobs, states = addon_module("jobs"), itertools.product(PICTURES, (False, True), (False, True))
    for picture, has_key, is_near in states:
        choose(picture)
        for key in (key for key in declared.keys if not key.optional):
            setattr(preferences, key.preference, "tsk_" + 40 * "a" if has_key else "")
        if declared.address:
            near = "http://127.0.0.1:9" if is_near else ""
            monkeypatch.setenv(declared.address.environment, near)
        check(draw(unfolded=True, width=2000))
        seen = draw(width=2000)
        can_run = not addon_module("state.preflight").why_not(bpy.context)
        assert bpy.ops.image_to_mesh.generate.poll() == can_run
        # Without an image, the panel has buttons that choose one in place of Generate.
        buttons = seen.buttons("image_to_mesh.generate")
        assert [row["enabled"] for row in buttons] == ([] if picture == "none" else [can_run])
    for state in ("running", "failed", "cancelled", "ready"):
        failure = jobs.Failure("failed", "It could not.") if state == "failed" else None
        jobs.session().show(
            jobs.JobView("j", provider, "cup", jobs.State(state), "Shaping", 0.1,
                         time.monotonic(), failure=failure)
        )  # fmt: skip
        check(draw(unfolded=True, width=2000))


@pytest.mark.parametrize(
    "address", ["service.example/v3", "http://service.example", "https://[::1"]
)
def test_an_invalid_address_is_shown_as_the_reason(
    addon: ModuleType, preferences: Any, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    bpy.context.scene.image_to_mesh.provider = "tripo"
    preferences.tripo_api_key = "tsk_" + 40 * "a"
    choose("generated")
    monkeypatch.setenv("TRIPO_BASE_URL", address)
    seen = draw(width=2000)
    check(seen)
    assert not seen.button("image_to_mesh.generate")["enabled"]
    assert "TRIPO_BASE_URL" in seen.text()
    preferences.tripo_base_url = address
    assert "Tripo Address in the preferences" in draw(width=2000).text()
    assert addon_module("app.resume").resume_context(bpy.context).addresses.get("tripo") is None


def test_disabled_buttons_of_the_preferences_have_visible_reasons(
    addon: ModuleType, preferences: Any
) -> None:
    gray = [row for row in draw_preferences(preferences).all("operator") if not row["enabled"]]
    assert {item["operator"] for item in gray} == {"image_to_mesh.test_key"}
    text = draw_preferences(preferences).text()
    assert "No Key" in text
    assert "Blender is offline" in text


def test_no_panel_has_a_button_that_cannot_be_pressed(addon: ModuleType) -> None:
    """Rotate and Replace are shown only if there is something to rotate or replace."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    choose("generated")
    shown: list[dict[str, Any]] = []
    addon_module("panels.import_options").draw_placement(
        Layout(shown, unfolded=True), drawing_context(2000)
    )
    check(Seen(shown))
    assert not Seen(shown).buttons("image_to_mesh.turn")
    seen = draw(unfolded=True, width=2000)
    check(seen)
    assert not seen.buttons("image_to_mesh.replace")


def test_operators_that_cannot_run_say_so_in_their_tooltip(addon: ModuleType) -> None:
    bpy.context.scene.image_to_mesh.image = None
    for name, words in (("generate", "Choose an image"), ("develop", "Choose an image"),
                        ("use_selected", "Select an empty"), ("use_original", "not created from"),
                        ("cancel", "running"), ("turn", "no generated model")):  # fmt: skip
        operator = getattr(bpy.ops.image_to_mesh, name)
        assert not operator.poll(), name
        with pytest.raises(RuntimeError, match=words):
            operator()
