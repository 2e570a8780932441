# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets, the marks at changed settings, and resetting them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module
from blender.recording import Layout, draw, drawing_context

if TYPE_CHECKING:
    from types import ModuleType

SHIPPED = ("Draft", "Game_Asset", "Hero", "Print")
WITH_PRESETS = sorted(
    folder.name for folder in (places.ROOT / "presets" / "image_to_mesh").iterdir()
)
MENU = "IMAGE_TO_MESH_MT_presets"


@pytest.fixture
def chosen(addon: ModuleType) -> Any:
    """The scene's properties."""
    return bpy.context.scene.image_to_mesh


def apply(provider: str, preset: str) -> None:
    """Choose a preset as Blender's menu does."""
    path = bpy.utils.preset_find(preset, f"image_to_mesh/{provider}")
    assert path, preset
    bpy.ops.script.execute_preset(filepath=path, menu_idname=MENU)


def settings_now() -> Any:
    """Return the settings as a job would take them."""
    properties = addon_module("state.scene_properties")
    scene = bpy.context.scene
    return properties.read_settings(scene, properties.provider_of(scene))


@pytest.mark.parametrize("provider", WITH_PRESETS)
def test_shipped_presets_are_valid_and_differ(chosen: Any, provider: str) -> None:
    chosen.provider = provider
    found = {}
    for preset in SHIPPED:
        apply(provider, preset)
        found[preset] = settings_now()
        assert not addon_module("state.preflight").broken_settings(found[preset])
        assert not set(dict(found[preset].inactive_fields())) & set(
            addon_module("providers").changed_values(found[preset])
        )
        assert draw(width=400).all("menu")[-1]["text"] == preset.replace("_", " ")
    assert len(set(map(repr, found.values()))) == len(SHIPPED)


def test_a_preset_begins_with_the_defaults(chosen: Any) -> None:
    apply("local", "Hero")
    chosen.local.thickness = 3.0
    apply("local", "Draft")
    defaults = addon_module("providers").get_provider("local").settings()
    changed_values = addon_module("providers").changed_values(settings_now())
    assert changed_values == {"face_count": 4000, "texture_size": 512}
    assert settings_now().thickness == defaults.thickness
    assert bpy.types.IMAGE_TO_MESH_MT_presets.bl_label == "Presets"


def test_changes_to_a_preset_are_marked_and_can_be_reset(chosen: Any) -> None:
    assert not draw().buttons("image_to_mesh.reset_settings")
    apply("local", "Draft")
    assert not draw(unfolded=True).buttons("image_to_mesh.reset_settings")
    chosen.local.face_count, chosen.local.smoothness = 5000, 0.9
    marked = [
        button["button"].__dict__.get("setting")
        for button in draw(unfolded=True).buttons("image_to_mesh.reset_settings")
    ]
    assert marked == ["face_count", "smoothness"]
    bpy.ops.image_to_mesh.reset_settings(setting="face_count")
    assert (chosen.local.face_count, round(chosen.local.smoothness, 3)) == (4000, 0.9)
    bpy.ops.image_to_mesh.reset_settings()
    assert addon_module("providers").changed_values(settings_now()) == {}
    assert draw(width=400).all("menu")[-1]["text"] == ""
    with pytest.raises(RuntimeError, match="no setting"):
        bpy.ops.image_to_mesh.reset_settings(setting="wings")


def tooltip(provider: str, preset: str) -> list[str]:
    """Return the lines of the tooltip of a preset in the menu."""
    module = addon_module("operators.presets")
    path = Path(bpy.utils.preset_find(preset, f"image_to_mesh/{provider}"))
    return str(module.describe_preset(path, addon_module("providers").get_provider(provider)))\
        .splitlines()  # fmt: skip


REST = "Default values for the other settings"


def test_the_tooltip_of_a_preset_lists_what_it_changes(chosen: Any) -> None:
    assert tooltip("local", "Draft") == ["Faces: 4,000", "Texture Size: 512", REST]
    assert tooltip("tripo", "Print") == ["Texture: Off", "PBR: Off", "Mesh Detail: HD", REST]
    chosen.provider = "tripo"
    chosen.tripo.use_face_limit, chosen.tripo.face_limit = True, 1234
    bpy.ops.image_to_mesh.preset_add(name="Saved")
    assert tooltip("tripo", "Saved") == ["Face Limit: 1,234", REST]
    bpy.ops.image_to_mesh.reset_settings()
    bpy.ops.image_to_mesh.preset_add(name="Plain")
    assert tooltip("tripo", "Plain") == ["Default values for all settings"]
    for name in ("Saved", "Plain"):
        bpy.ops.image_to_mesh.preset_add(name=name, remove_name=True)


@pytest.mark.parametrize("provider", WITH_PRESETS)
def test_the_tooltips_of_shipped_presets_agree_with_the_settings(
    chosen: Any, provider: str
) -> None:
    chosen.provider = provider
    for preset in SHIPPED:
        apply(provider, preset)
        changed = addon_module("providers").changed_values(settings_now())
        assert len(tooltip(provider, preset)) == len(changed) + 1


NO_PRESETS = (
    "settings.texture = os.remove('x')",
    "=",
    "\udcff",
    "settings.face_limit = " + "(" * 30_000 + ")" * 30_000,
    "settings.face_limit = " + "-" * 90_000 + "1",
    "settings.use_face_limit = True\nsettings.face_limit = 'many'",
    "settings.use_face_limit = True\nsettings.face_limit = [1]",
    "settings.use_face_limit = True\nsettings.face_limit = {}",
    "settings.model = ['a']",
    "settings.model = {}",
    "settings.texture = {1: 2}",
)


@pytest.mark.parametrize("text", NO_PRESETS, ids=lambda text: text[:40])
def test_a_file_that_is_no_preset_has_no_tooltip(chosen: Any, tmp_path: Path, text: str) -> None:
    file = tmp_path / "odd.py"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    module, provider = addon_module("operators.presets"), addon_module("providers")
    assert module.describe_preset(file, provider.get_provider("tripo")) == ""
    assert module.describe_preset(tmp_path / "none.py", provider.get_provider("tripo")) == ""


def test_the_menu_applies_presets_and_says_what_was_wrong(chosen: Any, tmp_path: Path) -> None:
    assert bpy.types.IMAGE_TO_MESH_MT_presets.preset_operator == "image_to_mesh.apply_preset"
    path = bpy.utils.preset_find("Draft", "image_to_mesh/local")
    assert bpy.ops.image_to_mesh.apply_preset(filepath=path) == {"FINISHED"}
    assert chosen.local.face_count == 4000
    (tmp_path / "broken.py").write_text("raise ValueError('no wings')")
    with pytest.raises(RuntimeError, match="no wings"):
        bpy.ops.image_to_mesh.apply_preset(filepath=str(tmp_path / "broken.py"))


def menu_actions() -> list[tuple[str, str]]:
    """Return the operators and texts below the names in the menu of presets."""
    shown: list[dict[str, Any]] = []
    presets = addon_module("operators.presets")
    presets.draw_actions(Layout(shown, unfolded=True), drawing_context(300))
    buttons = [row for row in shown if "operator" in row]
    return [(row["operator"].partition(".")[2], row.get("text", "")) for row in buttons]


def test_the_menu_saves_deletes_and_resets(chosen: Any) -> None:
    saves, resets = ("preset_add", "Save as Preset..."), ("reset_settings", "Reset to Defaults")
    files = [("import_settings", ""), ("export_settings", "")]
    assert menu_actions() == [saves, resets, *files]
    apply("local", "Draft")
    assert menu_actions() == [saves, ("preset_add", "Delete Preset"), resets, *files]


def test_a_user_preset_can_be_added_applied_and_removed(chosen: Any) -> None:
    chosen.provider = "tripo"
    chosen.tripo.use_face_limit, chosen.tripo.face_limit = True, 1234
    bpy.ops.image_to_mesh.preset_add(name="My Props")
    assert draw(width=400).all("menu")[-1]["text"] == "My Props"
    bpy.ops.image_to_mesh.reset_settings()
    assert settings_now().face_limit is None
    apply("tripo", "My_Props")
    assert settings_now().face_limit == 1234
    bpy.ops.image_to_mesh.preset_add(name="My Props", remove_name=True)
    assert not bpy.utils.preset_find("My_Props", "image_to_mesh/tripo")
    assert draw(width=400).all("menu")[-1]["text"] == ""


def test_shipped_presets_cannot_be_removed(chosen: Any) -> None:
    bpy.ops.image_to_mesh.preset_add(name="Draft", remove_name=True)
    assert bpy.utils.preset_find("Draft", "image_to_mesh/local")


@pytest.mark.parametrize("text", ["", "[", "[1]", '{"local": 3}', '{"local": ["a", 1]}'])
def test_a_broken_baseline_is_ignored(chosen: Any, text: str) -> None:
    chosen.baselines = text
    chosen.image = bpy.data.images.new("cup", 8, 8)
    assert draw().button("image_to_mesh.generate")["enabled"]
    assert addon_module("state.preset_baseline").baseline_of(
        bpy.context.scene, addon_module("providers").get_provider("local")
    ).preset == ""  # fmt: skip
