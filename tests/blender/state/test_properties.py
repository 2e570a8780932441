# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings are read back from scenes and files as they were declared and written."""

from __future__ import annotations

import dataclasses
import importlib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import bpy
import pytest
from annotated_types import Ge, Interval
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

    from image_to_mesh import providers
else:
    providers = importlib.import_module("bl_ext.user_default.image_to_mesh.providers")

Option = providers.Option
KEY = "sk-never-in-a-file-1234567890"


class Quality(StrEnum):
    """A choice that is declared as an enum."""

    LOW = "low"
    HIGH = "high"


class EveryKind(providers.Settings):
    """A field of every kind that can be declared."""

    flag: Annotated[bool, Option("Flag", "Yes or no")] = True
    count: Annotated[int, Interval(ge=1, le=10), Option("Count", "Few")] = 5
    huge: Annotated[int, Interval(ge=0, le=2**40), Option("Huge", "Beyond 32 bits")] = 7
    ratio: Annotated[float, Interval(ge=0.1, le=0.9), Option("Ratio", "A part", unit="factor")] = (
        0.9
    )
    free: Annotated[float, Option("Free", "Without bounds")] = -0.3
    height: Annotated[float, Ge(0.0), Option("Height", "Of the mesh", unit="length")] = 1.8
    side: Annotated[int, Ge(1), Option("Side", "Of the texture", unit="pixel")] = 1024
    text: Annotated[str, Option("Text", "Free text")] = "a"
    mode: Annotated[Literal["a", "b"], Option("Mode", "One of two")] = "b"
    number: Annotated[Literal[512, 1024], Option("Number", "A number to choose")] = 1024
    blank: Annotated[Literal["", "x"], Option("Blank", "May be empty")] = ""
    quality: Annotated[Quality, Option("Quality", "How good")] = Quality.HIGH
    seed: Annotated[int | None, Interval(ge=3, le=100), Option("Seed", "Chance")] = None
    limit: Annotated[float | None, Option("Limit", "At most")] = 0.7
    style: Annotated[Literal["x", "y"] | None, Option("Style", "Its look")] = None
    most: Annotated[int | None, Interval(ge=50, le=2_000_000), Option("Most", "Faces")] = None
    level: Annotated[Quality | None, Option("Level", "How good, if at all")] = None
    name: Annotated[str, Option("Name", "Shadows a built-in member")] = "n"
    items: Annotated[bool, Option("Items", "Shadows a built-in member")] = False


class Everything(providers.Provider[EveryKind]):
    """A service with every kind of setting."""

    id = "everything"
    label = "Everything"
    description = "A field of every kind"
    settings = EveryKind

    def submit(self, request: Any, uploaded: Any, http: Any) -> providers.Ticket:
        """Fail: nothing is ordered here."""
        raise AssertionError("a declared service was asked for a mesh")

    def poll(self, ticket: Any, http: Any) -> Any:
        """Fail: nothing is ordered here."""
        raise AssertionError("a declared service was asked for a mesh")


OTHER = EveryKind(
    flag=False,
    count=10,
    huge=2**31 - 1,
    ratio=0.1,
    free=123.456,
    height=0.001,
    side=8192,
    text="Kaffeetasse ☕",
    mode="a",
    number=512,
    blank="x",
    quality=Quality.LOW,
    seed=42,
    limit=None,
    style="y",
    most=2_000_000,
    level=Quality.LOW,
    name="m",
    items=True,
)


@pytest.fixture
def everything() -> Iterator[Everything]:
    """Declare the test's provider before the add-on is enabled."""
    known: Any = providers.all_providers()
    known["everything"] = Everything()
    yield known["everything"]
    del known["everything"]


@pytest.fixture
def properties(everything: Everything, addon: ModuleType) -> Any:
    """The room under test."""
    return addon_module("state.scene_properties")


def all_settings() -> list[providers.Settings]:
    """Return the default settings of every provider."""
    return [provider.settings() for provider in providers.all_providers().values()]


def test_defaults_are_those_declared(properties: ModuleType) -> None:
    scene = bpy.context.scene
    for provider in providers.all_providers().values():
        assert properties.read_settings(scene, provider) == provider.settings()


@pytest.mark.parametrize("values", [EveryKind(), OTHER])
def test_settings_round_trip_with_their_types(
    properties: ModuleType, everything: Everything, values: EveryKind
) -> None:
    scene = bpy.context.scene
    properties.write_settings(scene, everything, values)
    found = properties.read_settings(scene, everything)
    assert found == values
    for field in dataclasses.fields(values):
        assert type(getattr(found, field.name)) is type(getattr(values, field.name)), field.name


def test_every_choice_and_bound_of_every_provider_survives(properties: ModuleType) -> None:
    scene = bpy.context.scene
    for provider in providers.all_providers().values():
        for setting in providers.settings_of(provider.settings):
            wanted = [choice.value for choice in setting.choices]
            if setting.kind in ("int", "float"):
                kind: Any = int if setting.kind == "int" else float
                bounds = (setting.minimum, setting.maximum)
                wanted = [kind(bound) for bound in bounds if bound is not None and bound < 2**31]
            for value in (*wanted, *([None] if setting.optional else [])):
                settings = dataclasses.replace(provider.settings(), **{setting.name: value})
                properties.write_settings(scene, provider, settings)
                assert properties.read_settings(scene, provider) == settings, setting.name


def test_properties_are_clamped_to_their_bounds(
    properties: ModuleType, everything: Everything
) -> None:
    group = bpy.context.scene.image_to_mesh.everything
    group.count, group.ratio, group.seed = 99, 7.0, 0
    group.use_seed = True
    found: Any = properties.read_settings(bpy.context.scene, everything)
    assert (found.count, found.ratio, found.seed) == (10, 0.9, 3)


def test_an_optional_setting_has_a_switch(properties: ModuleType, everything: Everything) -> None:
    group = bpy.context.scene.image_to_mesh.everything
    found: Any = properties.read_settings(bpy.context.scene, everything)
    assert (group.use_seed, found.seed) == (False, None)
    assert (group.use_limit, found.limit) == (True, 0.7)
    group.use_seed, group.use_limit = True, False
    found = properties.read_settings(bpy.context.scene, everything)
    assert (found.seed, found.limit) == (3, None)
    group.use_most = True
    found = properties.read_settings(bpy.context.scene, everything)
    assert found.most == 10_000


def test_properties_use_blenders_types_and_subtypes(properties: ModuleType) -> None:
    rna = bpy.context.scene.image_to_mesh.everything.bl_rna.properties
    assert (rna["height"].unit, rna["height"].subtype) == ("LENGTH", "DISTANCE")
    assert rna["ratio"].subtype == "FACTOR"
    assert rna["side"].subtype == "PIXEL"
    assert (rna["count"].hard_min, rna["count"].hard_max) == (1, 10)
    assert [item.identifier for item in rna["number"].enum_items] == ["512", "1024"]
    own = [prop for prop in rna if prop.identifier not in ("rna_type", "name")]
    assert all(prop.name and prop.description for prop in own)
    assert not any(prop.is_animatable for prop in own)


def test_the_menu_lists_every_provider(properties: ModuleType) -> None:
    items = bpy.context.scene.image_to_mesh.bl_rna.properties["provider"].enum_items
    assert [item.identifier for item in items] == list(providers.all_providers())
    assert all(item.name and item.description for item in items)
    assert bpy.context.scene.image_to_mesh.provider == "local"


def test_files_keep_their_choice_when_a_menu_grows(properties: ModuleType) -> None:
    provider = bpy.context.scene.image_to_mesh.bl_rna.properties["provider"].enum_items
    style = bpy.context.scene.image_to_mesh.everything.bl_rna.properties["number"].enum_items
    for items in (provider, style):
        assert [item.value for item in items] != list(range(len(items)))
        assert len({item.value for item in items}) == len(items)
    assert provider["local"].value == 14059752


def test_values_survive_switching_and_saving(
    properties: ModuleType, everything: Everything, tmp_path: Path
) -> None:
    chosen = bpy.context.scene.image_to_mesh
    chosen.provider = "everything"
    chosen.image = bpy.data.images.new("front", 8, 8)
    chosen.view_left = bpy.data.images.new("left", 8, 8)
    properties.write_settings(bpy.context.scene, everything, OTHER)
    chosen.provider = "local"
    chosen.local.shape = "relief"
    chosen.provider = "everything"
    path = str(tmp_path / "kept.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    assert bpy.context.scene.image_to_mesh.local.shape == "inflate"
    bpy.ops.wm.open_mainfile(filepath=path)
    chosen = bpy.context.scene.image_to_mesh
    assert (chosen.provider, chosen.local.shape) == ("everything", "relief")
    assert (chosen.image.name, chosen.view_left.name) == ("front", "left")
    assert properties.read_settings(bpy.context.scene, everything) == OTHER


def test_settings_of_a_missing_provider_do_no_harm(properties: ModuleType) -> None:
    scene = bpy.context.scene
    if bpy.app.version >= (5, 0):
        scene.image_to_mesh.bl_system_properties_get(do_create=True)["provider"] = 99
    else:
        scene.image_to_mesh["provider"] = 99
    assert scene.image_to_mesh.provider == ""
    assert properties.provider_of(scene).id == "local"


def test_keys_never_get_into_a_file(
    preferences: bpy.types.AddonPreferences, addon: ModuleType, tmp_path: Path
) -> None:
    names = [
        field.preference
        for provider in providers.all_providers().values()
        for field in provider.keys
    ]
    for name in names:
        setattr(preferences, name, KEY)
        assert preferences.bl_rna.properties[name].subtype == "PASSWORD"
    preferences.library = f"/{KEY}"
    path = tmp_path / "shared.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
    assert KEY.encode() not in path.read_bytes()


@pytest.mark.parametrize("value", [0.9, 0.1, 1 / 3, 123.456, 1e-7, -2.5, 0.0, 1e9])
def test_floats_are_read_back_as_typed(properties: ModuleType, value: float) -> None:
    group = bpy.context.scene.image_to_mesh.everything
    group.free = value
    found = properties.round_to_declared(group.free)
    assert found == pytest.approx(value, rel=1e-6)
    assert len(repr(found)) <= len(repr(value))
