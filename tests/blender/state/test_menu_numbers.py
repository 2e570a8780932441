# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of menu entries: those that a click can choose, and those of version 0.1.0."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


def menus(group: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each group of properties with each of its menus."""
    for declared in group.bl_rna.properties:
        if declared.type == "ENUM":
            yield group, declared
        elif declared.type == "POINTER" and declared.identifier != "rna_type":
            inner = getattr(group, declared.identifier)
            if isinstance(inner, bpy.types.PropertyGroup):
                yield from menus(inner)


def file_values(group: Any) -> Any:
    """Return the values of a group as a file has them."""
    if bpy.app.version >= (5, 0):
        return group.bl_system_properties_get(do_create=True)
    return group


def old_number(identifier: str) -> int:
    """Return the number of an entry in version 0.1.0."""
    return zlib.crc32(identifier.encode()) & (2**31 - 1)


def test_a_click_can_choose_each_entry(addon: ModuleType) -> None:
    seen = 0
    for group in (bpy.context.scene.image_to_mesh, bpy.context.window_manager.image_to_mesh):
        for _, declared in menus(group):
            numbers = [item.value for item in declared.enum_items_static]
            as_floats = [struct.unpack("f", struct.pack("f", number))[0] for number in numbers]
            assert as_floats == numbers, declared.identifier
            assert len({*numbers}) == len(numbers), declared.identifier
            seen += len(numbers)
    assert seen > 50


@pytest.mark.parametrize("identifier", ["tripo", "json", "", "\ud800"])
def test_numbers_fit_into_a_float(addon: ModuleType, identifier: str) -> None:
    assert 0 < addon_module("state.menus.numbers").number_of(identifier) < 2**24


def test_thousands_of_files_have_numbers_of_their_own(addon: ModuleType) -> None:
    numbers = addon_module("state.menus.numbers").distinct_numbers
    names = [hashlib.md5(bytes([index % 256, index // 256])).hexdigest() for index in range(20_000)]
    alone = {name: numbers([name])[name] for name in names}
    assert len({*alone.values()}) < len(names), "none of these names share a number"
    together = numbers(names)
    assert len({*together.values()}) == len(names)
    assert all(0 < number < 2**24 for number in together.values())
    assert sum(alone[name] != together[name] for name in names) < 60


def test_choices_of_version_0_1_0_are_restored(addon: ModuleType, tmp_path: Path) -> None:
    chosen = bpy.context.scene.image_to_mesh
    file_values(chosen)["provider"] = old_number("tripo")
    file_values(chosen.tripo)["texture_quality"] = old_number("detailed")
    file_values(chosen.local)["shape"] = 99  # of nobody
    assert (chosen.provider, chosen.tripo.texture_quality, chosen.local.shape) == ("", "", "")
    path = str(tmp_path / "old.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_factory_startup=True, app_template="")
    bpy.ops.wm.open_mainfile(filepath=path)
    chosen = bpy.context.scene.image_to_mesh
    assert (chosen.provider, chosen.tripo.texture_quality) == ("tripo", "detailed")
    assert chosen.local.shape == ""


def test_choices_that_were_clicked_in_0_1_0_count_at_last(addon: ModuleType) -> None:
    chosen = bpy.context.scene.image_to_mesh
    (clicked,) = struct.unpack("f", struct.pack("f", old_number("scenario")))
    assert clicked != old_number("scenario")
    file_values(chosen)["provider"] = int(clicked)
    addon_module("state.menus.numbers").restore_choices(chosen)
    assert chosen.provider == "scenario"
