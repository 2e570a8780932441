# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts that the add-on has registered with Blender, and translations without a language."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import bpy
import places
import texts
from blender.addon_modules import ADDON

if TYPE_CHECKING:
    from collections.abc import Iterator

UNTRANSLATED = re.compile(r"[^A-Za-z]*|[A-Z0-9 ./+−-]{1,4}|\d+ px|[a-z]+|Tripo|Scenario")
"""Matches figures, and names that are the same in every language, such as one in small letters."""


def registered_texts() -> set[str]:
    """Return every text that a user can see of what is registered, in English."""
    shown = {text for text in _all_texts() if not UNTRANSLATED.fullmatch(text)}
    return shown - set(_names_in_data())


def _names_in_data() -> Iterator[str]:
    """Yield the names of models in the providers' files of data, which are not translated."""
    for file in texts.data_files():
        rows = json.loads((places.ROOT / file).read_text("utf-8"))
        if isinstance(rows, dict):
            yield from (
                row["name"] for row in rows.values() if isinstance(row, dict) and "name" in row
            )


def _all_texts() -> Iterator[str]:
    for name in dir(bpy.types):
        kind = getattr(bpy.types, name)
        if not name.startswith("IMAGE_TO_MESH_") or not hasattr(kind, "bl_rna"):
            continue
        for attribute in ("bl_label", "bl_description"):
            yield getattr(kind, attribute, "") or ""
        if "_OT_" in name:
            rna = getattr(bpy.ops.image_to_mesh, name.partition("_OT_")[2]).get_rna_type()
            yield from _properties(rna)
    for path in ("Scene", "WindowManager"):
        yield from _group(getattr(bpy.types, path).bl_rna.properties["image_to_mesh"].fixed_type)
    addon = bpy.context.preferences.addons["bl_ext.user_default.image_to_mesh"]
    yield from _properties(addon.preferences.bl_rna)


def _group(rna: Any) -> Iterator[str]:
    yield from _properties(rna)
    for rna_property in rna.properties:
        if rna_property.type == "POINTER" and _is_group(rna_property):
            yield from _group(rna_property.fixed_type)


def _is_group(rna_property: Any) -> bool:
    return rna_property.fixed_type.identifier.startswith("IMAGE_TO_MESH_PG")


def _properties(rna: Any) -> Iterator[str]:
    for rna_property in rna.properties:
        inherited = rna_property.identifier in ("rna_type", "name", "bl_idname", "module")
        if (
            inherited
            or rna_property.is_hidden
            or (rna_property.type == "POINTER" and _is_group(rna_property))
        ):
            continue
        yield rna_property.name
        yield rna_property.description
        for item in rna_property.enum_items_static if rna_property.type == "ENUM" else ():
            yield item.name
            yield item.description


class Translations:
    """Blender's translations, which `bpy` has, without its languages."""

    def __init__(self, locale: str) -> None:
        self.locale = locale
        self.texts: dict[tuple[str, str], str] = {}
        self.calls: list[str] = []

    def register(self, name: str, texts: dict[str, dict[tuple[str, str], str]]) -> None:
        assert name == f"{ADDON}.i18n"
        self.calls.append("register")
        self.texts = texts.get(self.locale, {})

    def unregister(self, name: str) -> None:
        assert name == f"{ADDON}.i18n"
        self.calls.append("unregister")
        self.texts = {}

    def pgettext_iface(self, text: str, context: str) -> str:
        return self.texts.get((context, text), text)
