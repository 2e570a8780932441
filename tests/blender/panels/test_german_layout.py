# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels in German, which are longer: none is cut off, and none pushes Generate away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from blender.job_views import record, show
from blender.recording import draw, drawing_context
from fakes.served import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from blender.texts import Translations

WIDTHS = (220, 250, 265, 280, 320)
LANGUAGES = ("en_US", "de_DE")
BORDERS, ARROW = 54, 24
"""Pixels of the region beside its rows, and of the arrow beside the row of a setting."""
BUTTON, BARE = 21, 8
"""Pixels of a button that its text cannot use: with an icon, and without."""
TITLES, VALUES = 0.4, 0.6
"""Shares of a row that Blender gives to a title and its value."""


@pytest.fixture(params=LANGUAGES)
def chosen(addon: ModuleType, spoken: Translations, request: pytest.FixtureRequest) -> Any:
    """The scene's choices with an image, in one of the languages."""
    spoken.locale = request.param
    addon_module("i18n.translate")._reload()
    made = bpy.data.objects["Cube"]
    made["image_to_mesh_job"] = "20261120-cup-1a2b"
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("cup", 64, 64)
    return chosen


def texts_cut_off(row: dict[str, Any], width: int) -> Iterator[str]:
    """Yield the texts of a property's row that Blender would cut off in a region of this width."""
    tr, measure = addon_module("i18n.translate").tr, addon_module("panels.text_layout")._drawn_width
    declared = row["data"].bl_rna.properties[row["property"]]
    is_setting = isinstance(row["data"], bpy.types.PropertyGroup) and row["data"] in groups()
    whole = width - BORDERS - (ARROW if is_setting else 0)
    title = tr(row.get("text", declared.name))
    if row.get("expand"):
        names = [tr(item.name) for item in declared.enum_items]
        share = (VALUES if row["is_split"] else 1.0) / (len(names) if row["is_row"] else 1)
        yield from (name for name in names if measure(name) > whole * share - 21)
    elif declared.type == "BOOLEAN":
        if measure(title) > whole * (VALUES if row["is_split"] else 1.0) - ARROW:
            yield title
    elif measure(title) > whole * (TITLES if row["is_split"] else 1.0) - 4:
        yield title


def groups() -> list[Any]:
    """Return the groups of the providers' settings, whose rows have an arrow at the right."""
    chosen = bpy.context.scene.image_to_mesh
    return [getattr(chosen, name) for name in addon_module("providers").all_providers()]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_label_is_cut_off(chosen: Any, provider: str, width: int) -> None:
    chosen.provider = provider
    rows = draw(unfolded=True, width=width).all("prop")
    cut = [text for row in rows for text in texts_cut_off(row, width)]
    assert not cut
    assert {"storage", "images", "tidy", "use_size"} <= {row["property"] for row in rows}


@pytest.mark.parametrize("provider", ["local", "tripo", "hunyuan3d"])
@pytest.mark.parametrize("width", WIDTHS)
def test_no_button_is_cut_off(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch, provider: str, width: int
) -> None:
    """Those with a row to themselves: how a row is shared is up to Blender."""
    chosen.provider = provider
    text, tr = addon_module("panels.text_layout"), addon_module("i18n.translate").tr
    show(
        "failed", failure=addon_module("jobs").Failure("no_credits", "Empty.", "Buy.", "https://a")
    )
    rows = [row for row in draw(unfolded=True, width=width).all("operator") if not row["is_row"]]
    assert "image_to_mesh.keep_defaults" in {row["operator"] for row in rows}
    cut = []
    for row in rows:
        label = tr(row.get("text", label_of(row["operator"])))
        taken = BUTTON if row.get("icon", "NONE") != "NONE" else BARE
        if text._drawn_width(label) > width - BORDERS - taken:
            cut.append(label)
    assert not cut


def label_of(operator: str) -> str:
    """Return an operator's own label, which Blender draws if a button has no text."""
    space, name = operator.split(".")
    return str(getattr(getattr(bpy.ops, space), name).get_rna_type().name)


def test_choices_are_beside_their_title_or_below_each_other(chosen: Any) -> None:
    def row_of_storage(width: int) -> tuple[bool, bool]:
        row = draw(unfolded=True, width=width).prop("storage")
        return row["is_split"], row["is_row"]

    assert row_of_storage(600) == (True, True)
    assert row_of_storage(230) == (False, True)
    assert row_of_storage(150) == (False, False)


@pytest.mark.parametrize("width", [220, 280])
@pytest.mark.parametrize("state", ["ready", "no key", "key refused", "offline", "views"])
def test_sentences_above_generate_take_their_room_from_the_preview(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch, state: str, width: int
) -> None:
    """Generate stays in its place, and a small preview is left."""
    chosen.provider = "tripo"
    if state != "no key":
        preferences.tripo_api_key = "tsk_" + 40 * "a"
    if state != "offline":
        monkeypatch.setenv("TRIPO_BASE_URL", "http://127.0.0.1:9")
    if state == "views":
        chosen.view_left = bpy.data.images.new("left", 64, 64)
        chosen.image = bpy.data.images.new("other", 64, 64)
    if state == "key refused":
        refusal = addon_module("providers").Message("{provider} refused the key.", provider="Tripo")
        failure = addon_module("jobs").Failure("bad_key", refusal)
        reply = addon_module("jobs").AccountAnswer(None, "", failure)
        monkeypatch.setattr(addon_module("panels.provider_state").preferences, "answer",
                            lambda *_: reply)  # fmt: skip
    context, provider = drawing_context(width), addon_module("providers").get_provider("tripo")
    action = addon_module("panels.generate").plan_action(context)
    assert action.can_run is (state in ("ready", "key refused"))
    edits = addon_module("panels.image_checks").checks_height(context, chosen.image, provider)
    image = addon_module("panels.image")
    assert action.height(context) + edits <= image.PREVIEW - image.LEAST_PREVIEW + 1e-6


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_said_about_an_order_is_not_cut_off(
    chosen: Any, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """Whether to order is decided by these sentences, so their buttons take no room from them."""
    jobs, text = addon_module("jobs"), addon_module("panels.text_layout")
    name, tr = "a mug on a wooden table by the window", addon_module("i18n.translate").tr
    unsent = record(name=name, state=jobs.State.QUEUED, provider="tripo", mesh=None)
    recovery = jobs.session().recovery
    monkeypatch.setattr(recovery, "found", replace(recovery.found, unsent=(unsent,)))
    shown = draw(width=width).shown
    at = next(i for i, row in enumerate(shown) if row.get("operator") == "image_to_mesh.resume")
    whole = tr("{}: not submitted to {}").format(name, "Tripo")
    labels = [row for row in shown[:at] if row["kind"] == "label" and row["text"]]
    lines = [row for row in labels if row["text"] in whole]
    assert " ".join(row["text"] for row in lines) == whole
    assert all(text._drawn_width(row["text"]) <= width - text.MARGIN for row in lines)
    assert not any(row["is_row"] for row in lines)


def test_a_price_without_room_on_the_button_is_above_it(
    chosen: Any, spoken: Translations, preferences: Any
) -> None:
    chosen.provider = "aiml_triposr"
    tr = addon_module("i18n.translate").tr
    price = tr("About {}").format("182,000 Credits")
    wide, narrow = draw(width=300), draw(width=220)
    button = wide.button("image_to_mesh.generate")
    assert (button["text"], button["icon"]) == (f"{tr('Generate')} · {price}", "MESH_DATA")
    assert price not in wide.text()
    assert narrow.button("image_to_mesh.generate")["text"] == tr("Generate")
    about = tr("Price: about {}").format("182,000 Credits ($0.09)")
    assert about in narrow.text()
    rows = [row.get("text", "") for row in narrow.shown]
    at = next(at for at, row in enumerate(rows) if row.startswith(about.partition(" ")[0]))
    above = [row for row in rows[at : rows.index(tr("Generate"))] if row]
    assert " ".join(above) == about, "directly above the button, below the reason"
    # A price that just fits takes the place of the icon.
    chosen.provider = "tripo"
    narrow = draw(width={"en_US": 215, "de_DE": 200}[spoken.locale])
    button, amount = narrow.button("image_to_mesh.generate"), tr("About {}").format("30 Credits")
    assert (button["text"], button["icon"]) == (f"{tr('Generate')} · {amount}", "NONE")
    assert amount not in narrow.text()


def test_a_running_job_shows_its_time_in_full(chosen: Any) -> None:
    for number in range(2):
        show("running", job=f"job-{number}")
    text = draw(width=220).text()
    assert text.count("1:15") == 2
    assert (
        addon_module("i18n.translate").tr("{} so far").format("1 min 15 s")
        in draw(width=340).text()
    )


def test_bundled_presets_have_translated_names(addon: ModuleType, spoken: Translations) -> None:
    """Blender looks the names up in the default context, in the menu of presets."""
    names = {
        bpy.path.display_name(file.name, title_case=False)
        for file in (places.ROOT / "presets").rglob("*.py")
    }
    assert names == {"Draft", "Game Asset", "Hero", "Print"}
    assert all(spoken.texts["*", name] != name for name in names)
    scene, provider = bpy.context.scene, addon_module("providers").get_provider("local")
    scene.image_to_mesh.image = bpy.data.images.new("cup", 64, 64)
    baselines = addon_module("state.preset_baseline")
    for preset, shown in (("Draft", "Entwurf"), ("My Own", "My Own")):
        baselines.keep_baseline(scene, provider, preset)
        menus = [row["text"] for row in draw(unfolded=True, width=400).all("menu")]
        assert shown in menus
        tooltip = bpy.types.IMAGE_TO_MESH_OT_reset_settings.description
        assert f"„{shown}“" in tooltip(bpy.context, type("", (), {"setting": "faces"}))
