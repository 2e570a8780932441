# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operator has a button or a menu entry, and says why it cannot run.

Blender's search (F3) finds the entries of menus only, so all public operators are in one, except
for those that act on something that only their own button names.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import places
import pytest
from blender.addon_modules import ADDON, addon_module
from blender.recording import Layout, drawing_context

if TYPE_CHECKING:
    from types import ModuleType

DOCS = [*sorted((places.ROOT / "docs").glob("*.md")), places.ROOT / "README.md"]
CALLED = re.compile(r"bpy\.ops\.image_to_mesh\.(\w+)")

NO_BUTTON = {
    "watch": "runs by itself while jobs run",
}
"""Operators without a button or menu entry, and why."""

NOT_IN_MENUS = {
    "reuse": "acts on the job of its row",
    "delete": "acts on the job of its row",
    "star_result": "acts on the job of its row",
    "settle": "acts on the job of its row, and may cost",
    "bring_version": "shows the version of its entry in a list of the object's own",
}
"""Operators that are in none of Blender's menus, and why."""


def operators() -> dict[str, Any]:
    """Return the product's operators by the names that scripts use."""
    classes = [c for c in addon_module("operators")._classes if issubclass(c, bpy.types.Operator)]
    return {cls.__name__.removeprefix("IMAGE_TO_MESH_OT_"): cls for cls in classes}


def public() -> dict[str, Any]:
    """Return the operators that are not INTERNAL."""
    every = operators().items()
    return {name: cls for name, cls in every if "INTERNAL" not in getattr(cls, "bl_options", ())}


def drawing_modules() -> list[ModuleType]:
    """Return the modules that draw: all panels and menus, the preferences, dialogs of operators."""
    panels = addon_module("panels")
    names = [found.name for found in pkgutil.walk_packages(panels.__path__, f"{panels.__name__}.")]
    others = [addon_module("preferences"), addon_module("operators.presets")]
    return [*map(importlib.import_module, names), *others]


def drawn_names() -> set[str]:
    """Return the operators whose names the drawing code contains.

    Names in a loop are written without the prefix, so any text that is an operator's name counts.
    """
    found = set()
    for module in drawing_modules():
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value.removeprefix("image_to_mesh."))
    return found


class _Drawn:
    """Stands in for a menu while it is drawn, with Blender's method for lists of presets."""

    layout: Layout
    path_menu = bpy.types.Menu.path_menu


class MenuLayout(Layout):
    """A layout that also draws the product's own submenus."""

    def menu(self, menu: str, **shown: Any) -> None:
        """Draw a submenu of ours into this layout."""
        super().menu(menu, **shown)
        cls = getattr(bpy.types, menu)
        if cls.__module__.startswith(ADDON) and "draw" in vars(cls):
            own = type(menu, (_Drawn,), {k: v for k, v in vars(cls).items() if k != "__dict__"})()
            own.layout = self
            cls.draw(own, drawing_context(400))


def in_menus() -> set[str]:
    """Return the operators in Blender's menus, and thereby in its search."""
    shown: list[dict[str, Any]] = []
    for _, draw in addon_module("panels.menus").ENTRIES:
        draw(SimpleNamespace(layout=MenuLayout(shown, unfolded=True)), drawing_context(400))
    return {row["operator"].split(".")[1] for row in shown if row["kind"] == "operator"}


@pytest.mark.usefixtures("addon")
def test_every_operator_has_a_button_or_a_menu_entry() -> None:
    missing = sorted(public().keys() - drawn_names() - NO_BUTTON.keys())
    assert missing == [], "nobody can press these"


@pytest.mark.usefixtures("addon")
def test_the_list_of_operators_without_a_button_is_true() -> None:
    assert NO_BUTTON.keys() <= operators().keys()
    assert not NO_BUTTON.keys() & drawn_names()


@pytest.mark.usefixtures("addon")
def test_what_the_manual_calls_exists() -> None:
    called = {name for page in DOCS for name in CALLED.findall(page.read_text("utf-8"))}
    assert called
    assert called <= operators().keys()


@pytest.mark.usefixtures("addon")
def test_the_search_finds_every_public_operator() -> None:
    missing = sorted(public().keys() - in_menus() - NOT_IN_MENUS.keys() - NO_BUTTON.keys())
    assert missing == [], "F3 does not find these"


@pytest.mark.usefixtures("addon")
def test_the_list_of_operators_outside_of_menus_is_true() -> None:
    assert NOT_IN_MENUS.keys() <= public().keys()
    assert not NOT_IN_MENUS.keys() & in_menus()


@pytest.mark.usefixtures("addon")
def test_each_rotation_has_its_own_tooltip() -> None:
    operator = operators()["turn"]
    rna = bpy.ops.image_to_mesh.turn.get_rna_type()
    choices = [item.identifier for item in rna.properties["to"].enum_items]
    buttons = [SimpleNamespace(to=choice, bl_rna=rna) for choice in choices]
    tips = [operator.description(bpy.context, button) for button in buttons]
    assert len(set(tips)) == len(choices) == 4
    assert tips[0].splitlines() == [
        "Rotate 90° counterclockwise, as seen from above",
        "Future results from this provider use the same rotation",
    ]


@pytest.mark.usefixtures("addon")
def test_menus_are_short() -> None:
    """No menu has more than fifteen entries, and each draws without an error."""
    menus = [cls for cls in addon_module("panels.menus").classes if "_MT_" in cls.__name__]
    for cls in menus:
        shown: list[dict[str, Any]] = []
        own = SimpleNamespace(layout=Layout(shown, unfolded=True))
        cls.draw(own, drawing_context(400))
        entries = [row for row in shown if row["kind"] != "separator"]
        assert 0 < len(entries) <= 15, cls.bl_label


@pytest.mark.usefixtures("addon")
def test_an_operator_that_cannot_run_says_why() -> None:
    """In a new file, most operators have nothing to work on."""
    bpy.context.scene.image_to_mesh.image = None
    for obj in bpy.context.selected_objects:
        obj.select_set(False)
    bpy.context.view_layer.objects.active = None
    mute = []
    for name in public():
        operator = getattr(bpy.ops.image_to_mesh, name)
        if operator.poll():
            continue
        with pytest.raises(RuntimeError) as error:
            operator()
        if "context is incorrect" in str(error.value):
            mute.append(name)
    assert mute == []
