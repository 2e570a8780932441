# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar and the preferences in every state, drawn on a layout that records it."""

from __future__ import annotations

import importlib
import os
import time
from typing import TYPE_CHECKING, Annotated, Any

import bpy
import pytest
from annotated_types import Interval
from blender.addon_modules import addon_module
from blender.job_views import plan_for, record, show
from blender.recording import (
    Layout,
    Seen,
    draw,
    draw_blank,
    draw_popover,
    draw_preferences,
    drawing_context,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from fakes.promised import Promised

    from image_to_mesh import providers
else:
    providers = importlib.import_module("bl_ext.user_default.image_to_mesh.providers")


class PaidSettings(providers.Settings):
    """The settings of a provider declared for these tests."""

    texture: Annotated[bool, providers.Option("Texture", "Paint it", basic=True)] = True
    pbr: Annotated[bool, providers.Option("PBR", "Material maps", basic=True)] = False
    seed: Annotated[
        int | None, Interval(ge=0, le=9), providers.Option("Seed", "Chance", basic=True)
    ] = None
    cut: Annotated[bool | None, providers.Option("Cut", "Cut it out", basic=True)] = None
    packed: Annotated[
        bool, providers.Option("Packed", "A newer format", basic=True, min_blender=(99, 0))
    ] = False

    def rules(self) -> Iterator[tuple[str, str]]:
        """PBR maps require a texture."""
        if self.pbr and not self.texture:
            yield "pbr", "PBR needs Texture"


class Paid(providers.Provider[PaidSettings]):
    """A service that wants a key and the network."""

    id = "paid"
    label = "Paid"
    description = "A service that costs money"
    key_url = "https://paid.test/keys"
    keys = (providers.KeyField("paid_api_key", "PAID_API_KEY"),)
    address = providers.Address("paid_base_url", "PAID_BASE_URL", "https://paid.test")
    views = ("front", "left", "back")
    settings = PaidSettings

    def submit(self, request: Any, uploaded: Any, http: Any) -> providers.Ticket:
        """Fail: nothing is ordered here."""
        raise AssertionError("a declared service was asked for a mesh")

    def poll(self, ticket: Any, http: Any) -> Any:
        """Fail: nothing is ordered here."""
        raise AssertionError("a declared service was asked for a mesh")


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paid]:
    """Declare the service before the add-on is enabled; its key is not set."""
    monkeypatch.delenv("PAID_API_KEY", raising=False)
    known: Any = providers.all_providers()
    known["paid"] = Paid()
    yield known["paid"]
    del known["paid"]


@pytest.fixture
def chosen(paid: Paid, addon: ModuleType) -> Any:
    """The scene's choices, with a picture."""
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("cup", 64, 64)
    return chosen


def test_without_a_picture_it_says_what_to_do(chosen: Any) -> None:
    chosen.image = None
    seen = draw()
    assert "free, no key required" in seen.text()
    for operator, text in (("open_image", "Open Image..."), ("paste", "Paste"),
                           ("use_sample", "")):  # fmt: skip
        assert seen.button(f"image_to_mesh.{operator}").get("text", "") == text
    assert seen.prop("provider")
    assert not seen.buttons("image_to_mesh.generate")  # an invitation, not a form


def test_the_sample_image_is_the_next_to_last_click(chosen: Any) -> None:
    chosen.image = None
    bpy.ops.image_to_mesh.use_sample()
    assert chosen.image.packed_file
    assert draw().button("image_to_mesh.generate")["enabled"]
    sample = chosen.image
    bpy.ops.image_to_mesh.use_sample()
    assert chosen.image == sample


def test_with_a_picture_generate_can_be_pressed(chosen: Any) -> None:
    seen = draw()
    generate = seen.button("image_to_mesh.generate")
    assert (generate["enabled"], generate["text"]) == (True, "Generate")
    assert seen.prop("provider")
    assert seen.prop("image")
    assert seen.button("image_to_mesh.open_image")


def test_the_settings_are_folded_away(chosen: Any) -> None:
    assert [row["property"] for row in draw().all("prop")] == ["image", "provider"]
    assert draw().all("menu")[-1]["menu"] == "IMAGE_TO_MESH_MT_presets"
    assert {"Quality", "Surface", "Mesh"} <= set(draw(unfolded=True).text().split())
    rows = {row["property"] for row in draw(unfolded=True).all("prop")}
    named = {setting.name for setting in providers.settings_of(chosen_model())}
    # Size scales the meshes of all providers, and a box is drawn.
    ends = {f"box_{end}" for end in ("left", "top", "right", "bottom")}
    assert named - rows == {"height"} | ends
    chosen.local.height = 2.0
    assert "height" in {row["property"] for row in draw(unfolded=True).all("prop")}


def chosen_model() -> Any:
    """Return the settings class of the scene's provider."""
    return providers.get_provider(bpy.context.scene.image_to_mesh.provider).settings


def test_settings_without_effect_are_gray_and_say_why(chosen: Any) -> None:
    seen = draw(unfolded=True)
    assert not seen.prop("plate")["active"]
    assert seen.prop("thickness")["active"]
    (why,) = [
        why for name, why in chosen_model()(shape="inflate").inactive_fields() if name == "plate"
    ]
    assert why in seen.text()
    chosen.local.shape = "relief"
    assert draw(unfolded=True).prop("plate")["active"]


@pytest.mark.parametrize("provider", ["tripo", "tripo_v2", "scenario"])
def test_pbr_is_right_below_texture(chosen: Any, provider: str) -> None:
    chosen.provider = provider
    names = [row["property"] for row in draw(unfolded=True, width=280).all("prop")]
    assert names[names.index("texture") + 1] == "pbr"


def test_a_broken_rule_is_shown_at_its_row_and_at_the_button(chosen: Any) -> None:
    chosen.provider = "paid"
    chosen.paid.texture, chosen.paid.pbr = False, True
    assert "PBR needs Texture" not in draw().text()  # the missing key comes first
    seen = draw(unfolded=True)
    assert seen.prop("pbr")["alert"]
    assert not seen.prop("texture")["alert"]
    assert "PBR needs Texture" in seen.text()


def test_a_format_that_this_blender_cannot_read_is_refused(chosen: Any, preferences: Any) -> None:
    chosen.provider = "paid"
    preferences.paid_api_key = "k"
    preferences.paid_base_url = "http://127.0.0.1"
    assert draw().button("image_to_mesh.generate")["enabled"]
    chosen.paid.packed = True
    seen = draw(unfolded=True)
    assert seen.prop("packed")["alert"]
    assert not seen.button("image_to_mesh.generate")["enabled"]
    assert "Packed: requires Blender 99.0 or newer" in seen.text()


def test_an_optional_choice_of_yes_and_no_is_a_menu(chosen: Any) -> None:
    chosen.provider = "paid"
    settings = importlib.import_module("bl_ext.user_default.image_to_mesh.state.scene_properties")
    rows = [row["property"] for row in draw(unfolded=True).all("prop")]
    assert "choice_of_cut" in rows
    assert not {"cut", "use_cut"} & set(rows)
    for choice, value in (("ON", True), ("OFF", False), ("AUTOMATIC", None)):
        chosen.paid.choice_of_cut = choice
        assert settings.read_group(chosen.paid, PaidSettings).cut is value
        assert chosen.paid.choice_of_cut == choice
    chosen.paid.use_cut = chosen.paid.cut = True
    assert chosen.paid.choice_of_cut == "ON"


def test_the_choices_of_a_switch_have_titles_of_their_own(chosen: Any) -> None:
    declared = chosen.aiml_triposr.bl_rna.properties["choice_of_do_remove_background"]
    assert [item.name for item in declared.enum_items] == ["Automatic", "Remove", "Keep"]
    chosen.provider = "aiml_triposr"
    # Without a text of its own, Blender would draw the row's heading above the menu.
    assert "text" not in draw(unfolded=True, width=280).prop("choice_of_do_remove_background")
    declared = chosen.paid.bl_rna.properties["choice_of_cut"]
    assert [item.name for item in declared.enum_items] == ["Automatic", "On", "Off"]


def test_columns_stay_straight_when_a_reset_arrow_appears(chosen: Any) -> None:
    def ends() -> list[tuple[str, str]]:
        """Return the item at the right of each setting: its reset arrow, or empty space."""
        shown = draw(unfolded=True).shown
        names = {row["property"]: shown[at + 1] for at, row in enumerate(shown[:-1])
                 if row["kind"] == "prop"}  # fmt: skip
        return [(names[name]["kind"], names[name]["icon"]) for name in ("shape", "thickness")]

    room, arrow = ("label", "BLANK1"), ("operator", "LOOP_BACK")
    assert ends() == [room, room]
    chosen.local.thickness = 2.5
    assert ends() == [room, arrow]


def test_only_the_basic_settings_are_open_at_first(chosen: Any) -> None:
    shown = open_settings()
    assert "thickness" in {row["property"] for row in shown.all("prop")}
    assert "smoothness" not in {row["property"] for row in shown.all("prop")}
    assert {"Quality", "Surface", "Mesh"} <= {row["text"] for row in shown.all("label")}


def test_a_closed_group_says_that_it_has_changes_or_a_fault(
    chosen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "changed" not in open_settings().text()
    chosen.local.smoothness = 0.9
    (mark,) = (row for row in open_settings().all("label") if "changed" in row["text"])
    assert (mark["text"], mark["icon"], mark["alert"]) == ("1 changed", "NONE", False)
    readiness = addon_module("panels.provider_settings")
    monkeypatch.setattr(readiness, "broken_settings", lambda _: {"smoothness": "Not so smooth"})
    (mark,) = (row for row in open_settings().all("label") if "changed" in row["text"])
    assert (mark["icon"], mark["alert"]) == ("ERROR", True)
    assert "Not so smooth" not in open_settings().text()


def open_settings() -> Seen:
    """Draw the subpanel of the settings with its groups as they are at first."""
    shown: list[dict[str, Any]] = []
    module = addon_module("panels.provider_settings")
    module.draw_settings(Layout(shown, unfolded=False), drawing_context(280))
    return Seen(shown)


def test_an_optional_setting_has_a_switch_and_a_gray_value(chosen: Any) -> None:
    chosen.provider = "paid"
    seen = draw(unfolded=True)
    assert seen.prop("use_seed")["active"]
    assert not seen.prop("seed")["active"]
    chosen.paid.use_seed = True
    assert draw(unfolded=True).prop("seed")["active"]


def test_other_views_are_shown_where_the_provider_takes_them(chosen: Any) -> None:
    assert slots() == []
    chosen.provider = "paid"
    assert slots() == ["view_left", "view_back"]


def slots() -> list[str]:
    """Return the fields of the side views."""
    rows = draw(unfolded=True).all("prop")
    return [row["property"] for row in rows if row["property"].startswith("view_")]


def test_a_model_that_takes_one_picture_has_no_slots_for_others(chosen: Any) -> None:
    chosen.provider = "tripo_v2"
    assert len(slots()) == 3
    chosen.tripo_v2.model_version = "Turbo-v1.0-20250506"
    assert slots() == []


def test_a_missing_key_is_reported_with_how_to_get_one(chosen: Any) -> None:
    chosen.provider = "paid"
    seen = draw()
    assert "Paid needs an API key" in seen.text()
    assert not seen.button("image_to_mesh.generate")["enabled"]
    (line,) = seen.all("popover")
    assert (line["text"], line["panel"]) == ("Add Key", "IMAGE_TO_MESH_PT_key")
    popover = draw_popover()
    assert popover.prop("paid_api_key")["placeholder"] == "Paste your key"
    assert popover.button("wm.url_open")["button"].url == "https://paid.test/keys"


def test_offline_is_reported_with_how_to_change_it(
    chosen: Any, monkeypatch: pytest.MonkeyPatch, preferences: Any
) -> None:
    chosen.provider = "paid"
    preferences.paid_api_key = "secret"
    seen = draw()
    assert not bpy.app.online_access
    assert "Allow Online Access" in seen.text()
    assert seen.button("image_to_mesh.allow_online")
    monkeypatch.setenv("PAID_BASE_URL", "http://127.0.0.1:8080")
    assert draw().button("image_to_mesh.generate")["enabled"]
    assert "secret" not in repr(draw().shown)


def test_lines_fit_a_narrow_sidebar(chosen: Any) -> None:
    text = addon_module("panels.text_layout")
    sentence = "A sentence and a pathlikewordthatislongerthanaline/and/goes/on"
    assert all(text._drawn_width(line) <= 120 for line in text.wrap_text(sentence, 120))
    assert "".join(text.wrap_text(sentence, 120)).replace(" ", "") == sentence.replace(" ", "")
    assert text.wrap_text("API-Schlüssel 2026-11-20", 80) == ("API-Schlüssel", "2026-11-20")
    assert text.wrap_text("API-Schlüssel", 60) == ("API-", "Schlüssel")
    assert text.wrap_text("", 60) == ("",)
    for unit in ("MB", "kB", "s", "min"):
        assert text.wrap_text(f"again in 7 {unit}", 70)[-1].endswith(f"7 {unit}")
    long = "x" * 20_000
    began = time.thread_time()
    lines_of = text.wrap_text(long, 200)
    assert time.thread_time() - began < 3.0
    assert "".join(lines_of) == long
    assert all(150 < text._drawn_width(line) <= 200 for line in lines_of[:-1])
    lines = {width: len(draw(width=width).all("label")) for width in (150, 600)}
    assert lines[150] > lines[600]


def test_a_title_that_would_be_cut_beside_its_value_stands_above_it(chosen: Any) -> None:
    chosen.provider = "aiml_triposr"
    assert "Background" not in draw(width=280, unfolded=True).text()  # a heading
    chosen.provider = "tripo"
    assert "Texture Detail" not in draw(width=280, unfolded=True).text()
    assert "Texture Detail" in draw(width=240, unfolded=True).text()


def test_nothing_that_a_file_holds_breaks_the_panel(chosen: Any) -> None:
    bpy.data.images.remove(chosen.image)
    assert not draw().buttons("image_to_mesh.generate")
    chosen.image = bpy.data.images.new("file", 8, 8)
    chosen.image.source = "FILE"
    assert draw().button("image_to_mesh.generate")["enabled"] is chosen.image.has_data
    show("ready", record=None, plan=plan_for(""))
    show("running", job="b", name="", phase="", fraction=7.0)
    assert draw().all("progress")


def test_drawing_is_quick_and_changes_nothing(chosen: Any, promised: Promised) -> None:
    show("running")
    show("ready", job="done", record=record())
    promised("draw", draw_blank, calls=1_250, milliseconds=0.7)


def test_preferences_say_where_a_key_comes_from(
    paid: Paid, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = draw_preferences(preferences)
    assert seen.prop("library")
    assert seen.prop("paid_api_key")["placeholder"] == "Paste your key"
    assert "https://paid.test/keys" in {
        button["button"].url for button in seen.buttons("wm.url_open")
    }
    monkeypatch.setitem(os.environ, "PAID_API_KEY", "from outside")
    placeholder = draw_preferences(preferences).prop("paid_api_key")["placeholder"]
    assert placeholder == "From PAID_API_KEY"
    preferences.paid_api_key = "from-inside"
    room = addon_module("preferences")
    assert room.keys(bpy.context, paid)["paid_api_key"].reveal() == "from-inside"


def test_preferences_fold_the_addresses_away(paid: Paid, preferences: Any) -> None:
    rows = {row["property"] for row in draw_preferences(preferences).all("prop")}
    assert "paid_base_url" not in rows
    preferences.show_addresses = True
    assert draw_preferences(preferences).prop("paid_base_url")
    room = addon_module("preferences")
    assert room.address(bpy.context, paid) == "https://paid.test"
    preferences.paid_base_url = "http://localhost:9/"
    assert room.address(bpy.context, paid) == "http://localhost:9"


SERVICES = [item.id for item in providers.all_providers().values() if item.is_remote]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_slots_for_the_views_it_takes(chosen: Any, name: str) -> None:
    chosen.provider = name
    provider = providers.get_provider(name)
    views = provider.views_for(provider.settings())
    assert sorted(slots()) == sorted(f"view_{view}" for view in views if view != "front")


def test_the_slots_follow_the_chosen_workflow(chosen: Any) -> None:
    chosen.provider = "comfyui"
    chosen.comfyui.workflow = "hunyuan3d-2.0-multiview"
    assert sorted(slots()) == ["view_back", "view_left", "view_right"]
    chosen.comfyui.workflow = "hunyuan3d-2.0"
    assert not slots()


def row_name(setting: Any) -> str:
    """Return the property that a setting's row shows."""
    if setting.optional and setting.kind == "bool":
        return f"choice_of_{setting.name}"
    return str(addon_module("state.scene_properties").property_name(setting.name))


def flips(model: Any) -> Iterator[Any]:
    """Yield settings with one or two switches flipped, or one menu at another choice."""
    declared = providers.settings_of(model)
    switches = [item for item in declared if item.kind == "bool" and not item.optional]
    for first in switches:
        for second in switches:
            names = {first.name, second.name}
            yield model(**{name: not getattr(model(), name) for name in names})
    for menu in (item for item in declared if item.kind == "enum"):
        for choice in menu.choices:
            yield model(**{menu.name: choice.value})


@pytest.mark.parametrize("name", SERVICES)
def test_every_broken_rule_is_shown_at_its_row(chosen: Any, name: str) -> None:
    properties = addon_module("state.scene_properties")
    readiness = addon_module("state.preflight")
    provider = providers.get_provider(name)
    chosen.provider = name
    for settings in flips(provider.settings):
        properties.write_settings(bpy.context.scene, provider, settings)
        broken, unused = readiness.broken_settings(settings), dict(settings.inactive_fields())
        seen = draw(unfolded=True, width=2000)
        for setting in providers.settings_of(provider.settings):
            row = seen.prop(row_name(setting))
            assert row["alert"] is (setting.name in broken), (settings, setting.name)
            if setting.name in unused and not setting.optional:
                assert not row["active"], (settings, setting.name)
        said = {**unused, **broken}
        assert all(sentence in seen.text() for sentence in said.values()), settings
