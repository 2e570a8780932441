# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside of Blender: wraps Blender's own layout and keeps the words written on it.

`UILayout.introspect` returns the same, but crashes Blender 5.2. Numbers are left out: only Blender
knows how it formats them.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import bpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Recorder:
    """Wraps a layout: passes every call on, and keeps the words in order."""

    def __init__(self, layout: Any) -> None:
        object.__setattr__(self, "layout", layout)
        object.__setattr__(self, "items", [])

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.layout, name)
        return self._record_calls(name, found) if callable(found) else found

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.layout, name, value)

    def words(self) -> Iterator[str]:
        """Yield the words in the order of the layout."""
        for item in self.items:
            if isinstance(item, Recorder):
                yield from item.words()
            else:
                yield item

    def _record_calls(self, name: str, lay: Callable[..., Any]) -> Callable[..., Any]:
        def record(*args: Any, **kwargs: Any) -> Any:
            returned = lay(*args, **kwargs)
            given = {**dict(zip(_parameters(name), args, strict=False)), **kwargs}
            self.items.extend(word for word in _words_of(name, given) if word)
            return self._within(returned)

        return record

    def _within(self, returned: Any) -> Any:
        """Wrap the layouts in this one too; return buttons as they are."""
        if isinstance(returned, tuple):
            return tuple(map(self._within, returned))
        if not isinstance(returned, bpy.types.UILayout):
            return returned
        inner = type(self)(returned)
        self.items.append(inner)
        return inner


@functools.cache
def _parameters(name: str) -> tuple[str, ...]:
    declared = bpy.types.UILayout.bl_rna.functions[name].parameters
    return tuple(item.identifier for item in declared if not item.is_output)


def _words_of(name: str, given: dict[str, Any]) -> Iterator[str]:
    """Yield the words that one call of a layout's function shows."""
    kind = _kind(given)
    text = given.get("text", given.get("heading"))
    if text is not None:
        yield _translate(text, kind, given) if given.get("translate", True) else text
    elif kind is not None and not name.startswith("template_"):  # these show what is chosen alone
        yield _translate(getattr(kind, "bl_label", "") or kind.name, kind, {})
    if "property" in given:
        yield from _value_words(given)


def _kind(given: dict[str, Any]) -> Any:
    """Return the operator, property or menu that is drawn; None for a label."""
    if "operator" in given:
        space, name = given["operator"].split(".")
        return getattr(getattr(bpy.ops, space), name).get_rna_type()
    if "property" in given:
        return given["data"].bl_rna.properties[given["property"]]
    return getattr(bpy.types, given["menu"]) if "menu" in given else None


def _value_words(given: dict[str, Any]) -> Iterator[str]:
    """Yield the value of a field or a menu if it is text."""
    value, declared = getattr(given["data"], given["property"]), _kind(given)
    if declared.type == "POINTER":
        yield value.name if value else _translate("Open", None, {})
    elif declared.type == "STRING":
        yield value
    elif declared.type == "ENUM":
        chosen = set(declared.enum_items.keys()) if given.get("expand") else {value}
        for item in declared.enum_items:
            if item.identifier in chosen:
                yield _translate(item.name, declared, {})


def _translate(text: str, kind: Any, given: dict[str, Any]) -> str:
    """Translate as Blender does: in the given context, else in that of the item."""
    own = getattr(kind, "bl_translation_context", "") or getattr(kind, "translation_context", "")
    return bpy.app.translations.pgettext_iface(text, given.get("text_ctxt") or own or None)
