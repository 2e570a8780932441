# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside of Blender: a layout that is Blender's own and keeps what is written on it.

`UILayout.introspect` tells the same, but takes Blender 5.2 down with it. Numbers are left out:
how they are written is known to Blender alone.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Recorder:
    """Stands before a layout: has it lay what it is told, and keeps the words in their order."""

    def __init__(self, layout: Any) -> None:
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "laid", [])

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.layout, name)
        return self._recorded(name, found) if callable(found) else found

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.layout, name, value)

    def words(self) -> Iterator[str]:
        """Yield what is written, in the order in which it is laid out."""
        for item in self.laid:
            if isinstance(item, Recorder):
                yield from item.words()
            else:
                yield item

    def _recorded(self, name: str, lay: Callable[..., Any]) -> Callable[..., Any]:
        def record(*args: Any, **kwargs: Any) -> Any:
            returned = lay(*args, **kwargs)
            given = {**dict(zip(_parameters(name), args, strict=False)), **kwargs}
            self.laid.extend(word for word in _written(name, given) if word)
            return self._within(returned)

        return record

    def _within(self, returned: Any) -> Any:
        """Stand before the layouts in this one too; a button is the caller's alone."""
        if isinstance(returned, tuple):
            return tuple(map(self._within, returned))
        if not isinstance(returned, bpy.types.UILayout):
            return returned
        inner = type(self)(returned)
        self.laid.append(inner)
        return inner


@functools.cache
def _parameters(name: str) -> tuple[str, ...]:
    declared = bpy.types.UILayout.bl_rna.functions[name].parameters
    return tuple(item.identifier for item in declared if not item.is_output)


def _written(name: str, given: dict[str, Any]) -> Iterator[str]:
    """Yield the words that one call of a layout's function shows."""
    kind = _kind(given)
    text = given.get("text", given.get("heading"))
    if text is not None:
        yield _shown(text, kind, given) if given.get("translate", True) else text
    elif kind is not None and not name.startswith("template_"):  # these show what is chosen alone
        yield _shown(getattr(kind, "bl_label", "") or kind.name, kind, {})
    if "property" in given:
        yield from _held(given)


def _kind(given: dict[str, Any]) -> Any:
    """Return what is laid: an operator, a property, a menu; None where it is words alone."""
    if "operator" in given:
        space, name = given["operator"].split(".")
        return getattr(getattr(bpy.ops, space), name).get_rna_type()
    if "property" in given:
        return given["data"].bl_rna.properties[given["property"]]
    return getattr(bpy.types, given["menu"]) if "menu" in given else None


def _held(given: dict[str, Any]) -> Iterator[str]:
    """Yield what a field or a menu holds, as far as it is words."""
    value, declared = getattr(given["data"], given["property"]), _kind(given)
    if declared.type == "POINTER":
        yield value.name if value else _shown("Open", None, {})
    elif declared.type == "STRING":
        yield value
    elif declared.type == "ENUM":
        chosen = set(declared.enum_items.keys()) if given.get("expand") else {value}
        for item in declared.enum_items:
            if item.identifier in chosen:
                yield _shown(item.name, declared, {})


def _shown(text: str, kind: Any, given: dict[str, Any]) -> str:
    """Translate as Blender does: in the context that was given, else in that of what is laid."""
    own = getattr(kind, "bl_translation_context", "") or getattr(kind, "translation_context", "")
    return bpy.app.translations.pgettext_iface(text, given.get("text_ctxt") or own or None)
