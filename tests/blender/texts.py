# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text of the interface, gathered from what is registered and from the code that draws."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import bpy
import package
import places

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAWING = (
    *("app/", "operators/", "panels/", "scene/"),
    *("preferences.py", "state/preflight.py"),
)
CALLS = {
    "tr": 0,
    "draw_text": 2,
    "_draw_sentence": 2,
    "_draw_figure": 2,
    "poll_message_set": 0,
    "report": 1,
}
"""Functions that show a text, and which of their arguments it is."""
KEYWORDS = frozenset({"text", "title", "message", "confirm_text", "heading"})
NAMES = frozenset(
    {"text", "COUNTS", "FAULTS", "GROUPS", "NO_PICTURE", "NO_SUBJECT", "OFFLINE", "PLAIN"}
)
"""Constants whose texts are shown by name."""
UNTRANSLATED = re.compile(r"[^A-Za-z]*|[A-Z0-9 ./+−-]{1,4}|\{\}[^A-Za-z]*|[Ww]idth|Tripo|Scenario")


def all_texts() -> set[str]:
    """Return every text that a person can see, in English."""
    found = {*_registered(), *_drawn()}
    return {text for text in found if not UNTRANSLATED.fullmatch(text)}


def _registered() -> Iterator[str]:
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
    for one in rna.properties:
        if one.type == "POINTER" and _is_group(one):
            yield from _group(one.fixed_type)


def _is_group(one: Any) -> bool:
    return one.fixed_type.identifier.startswith("IMAGE_TO_MESH_PG")


def _properties(rna: Any) -> Iterator[str]:
    for one in rna.properties:
        inherited = one.identifier in ("rna_type", "name", "bl_idname", "module")
        if inherited or one.is_hidden or (one.type == "POINTER" and _is_group(one)):
            continue
        yield one.name
        yield one.description
        for item in one.enum_items_static if one.type == "ENUM" else ():
            yield item.name
            yield item.description


def _drawn() -> Iterator[str]:
    for file in package.known_files():
        if package.is_product(file) and file.startswith(DRAWING) and file.endswith(".py"):
            tree = ast.parse((places.ROOT / file).read_text("utf-8"))
            yield from _of_tree(tree, drawn=file.startswith("panels/"))


def _of_tree(tree: ast.AST, *, drawn: bool) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _names(node) & NAMES:
            yield from _strings(node.value)
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        place = CALLS.get(name)
        if place is not None and len(node.args) > place:
            yield from _strings(node.args[place])
        for keyword in node.keywords if drawn else ():
            if keyword.arg in KEYWORDS:
                yield from _strings(keyword.value)


def _names(node: ast.Assign) -> set[str]:
    return {one.id for one in node.targets if isinstance(one, ast.Name)}


def _strings(node: ast.AST) -> Iterator[str]:
    """Yield the texts that an expression may be: both sides of a choice, each value of a table."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from _strings(body)
            yield from _strings(other)
        case ast.BoolOp(values=values):
            for value in values:
                yield from _strings(value)
        case ast.Dict(values=values):
            for value in values:
                yield from _strings(value)
        case ast.Tuple(elts=rows):
            for row in rows:
                if isinstance(row, ast.Tuple):  # of a key and its title
                    yield from _strings(row.elts[-1])
