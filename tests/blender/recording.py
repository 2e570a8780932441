# SPDX-License-Identifier: GPL-3.0-or-later
"""A layout that records what is drawn on it, and refuses what Blender would refuse."""

from __future__ import annotations

import functools
import importlib
from types import SimpleNamespace
from typing import Any

import bpy
from blender.addon_modules import ADDON, addon_module

NARROW = 180
SIGNATURES = bpy.types.UILayout.bl_rna.functions
ICONS = {item.identifier for item in SIGNATURES["label"].parameters["icon"].enum_items}


class Button:
    """An operator's button: only the operator's own properties can be set."""

    known: frozenset[str]

    def __init__(self, operator: str) -> None:
        space, name = operator.split(".")
        known = getattr(getattr(bpy.ops, space), name).get_rna_type().properties.keys()
        object.__setattr__(self, "known", frozenset(known))

    def __setattr__(self, name: str, value: object) -> None:
        assert name in self.known, name
        object.__setattr__(self, name, value)


def _can_run(operator: str) -> bool:
    """Tell whether Blender would enable an operator's button; always True for Blender's own."""
    found = _operator(operator)
    return found is None or found.poll()


@functools.cache
def _operator(operator: str) -> Any:
    """Return one of the add-on's operators by name, looked up once; None for Blender's."""
    space, name = operator.split(".")
    return getattr(bpy.ops.image_to_mesh, name) if space == "image_to_mesh" else None


class Layout:
    """Stands in for Blender's layout: records what is drawn, refuses what Blender would refuse."""

    def __init__(self, shown: list[dict[str, Any]], *, unfolded: bool, parent: Any = None) -> None:
        self.shown, self.unfolded = shown, unfolded
        self.enabled: bool = parent.enabled if parent else True
        self.active: bool = parent.active if parent else True
        self.alert: bool = parent.alert if parent else False
        self.use_property_split: bool = parent.use_property_split if parent else False
        self.is_row = False
        self.scale_y = 1.0

    def _child(self, **_: object) -> Layout:
        return Layout(self.shown, unfolded=self.unfolded, parent=self)

    column = box = split = grid_flow = _child

    def row(self, **_: object) -> Layout:
        """Return a layout whose items are beside each other."""
        row = self._child()
        row.is_row = True
        return row

    def panel(self, idname: str, *, default_closed: bool = False) -> tuple[Layout, Layout | None]:
        """Return a header, and a body if it is unfolded."""
        return self._child(), self._child() if self.unfolded or not default_closed else None

    def menu(self, menu: str, **shown: Any) -> None:
        """Record a menu, which must be registered."""
        assert hasattr(bpy.types, menu)
        self._lay("menu", (menu,), {"text": "", **shown})

    def operator_enum(self, operator: str, prop: str) -> None:
        """Record a button for each choice of an operator's property."""
        space, name = operator.split(".")
        choices = getattr(getattr(bpy.ops, space), name).get_rna_type().properties[prop]
        for item in choices.enum_items:
            setattr(self.operator(operator, text=item.name), prop, item.identifier)

    def __getattr__(self, kind: str) -> Any:
        if kind not in SIGNATURES:
            raise AttributeError(kind)
        return lambda *args, **kwargs: self._lay(kind, args, kwargs)

    def _lay(self, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        parameters = [parameter.identifier for parameter in SIGNATURES[kind].parameters]
        given = {**dict(zip(parameters, args, strict=False)), **kwargs}
        assert set(given) <= set(parameters), f"{kind} takes no {set(given) - set(parameters)}"
        assert given.get("icon", "NONE") in ICONS
        if "property" in given:
            assert given["property"] in given["data"].bl_rna.properties
        button = Button(given["operator"]) if kind == "operator" else None
        enabled = self.enabled and (button is None or _can_run(given["operator"]))
        state = {
            "active": self.active,
            "enabled": enabled,
            "alert": self.alert,
            "is_split": self.use_property_split,
            "is_row": self.is_row,
        }
        self.shown.append({"kind": kind, **given, **state, "button": button})
        return button


class Seen:
    """The rows that were drawn, in order."""

    def __init__(self, shown: list[dict[str, Any]]) -> None:
        self.shown = shown

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return all rows of a kind, such as "prop"."""
        return [row for row in self.shown if row["kind"] == kind]

    def text(self) -> str:
        """Return all labels as one text."""
        return " ".join(row["text"] for row in self.all("label"))

    def prop(self, name: str) -> dict[str, Any]:
        """Return the row of a property."""
        return next(row for row in self.all("prop") if row["property"] == name)

    def buttons(self, operator: str) -> list[dict[str, Any]]:
        """Return the buttons of an operator."""
        return [row for row in self.all("operator") if row["operator"] == operator]

    def button(self, operator: str) -> dict[str, Any]:
        """Return the one button of an operator."""
        (found,) = self.buttons(operator)
        return found


class BlankLayout:
    """A layout that records nothing, to measure drawing alone; buttons are polled as by Blender."""

    def __init__(self) -> None:
        self.enabled = self.active = True
        self.alert = False

    def _take(self, *_: object, **__: object) -> BlankLayout:
        return self

    row = column = box = split = menu = separator = label = prop = progress = _take

    def __getattr__(self, kind: str) -> Any:
        if kind not in SIGNATURES:
            raise AttributeError(kind)
        return self._take

    def operator(self, operator: str, **_: object) -> BlankLayout:
        """Poll the operator of a button."""
        _can_run(operator)
        return self

    def panel(self, _idname: str, *, default_closed: bool = False) -> tuple[Any, Any]:
        """Return a header and a body, as if it is unfolded."""
        return self, self


def drawing_context(width: int) -> SimpleNamespace:
    """Return a context for `draw` methods, with a sidebar of `width` pixels."""
    return SimpleNamespace(
        scene=bpy.context.scene,
        view_layer=bpy.context.view_layer,
        preferences=bpy.context.preferences,
        window_manager=bpy.context.window_manager,
        region=SimpleNamespace(width=width),
    )


def draw(*, unfolded: bool = False, width: int = NARROW) -> Seen:
    """Draw the sidebar's main panel and its subpanels: those that are open at first, or all."""
    shown: list[dict[str, Any]] = []
    context = drawing_context(width)
    for panel in addon_module("panels.sidebar").classes:
        if "poll" in vars(panel) and not panel.poll(context):
            continue
        own = SimpleNamespace(layout=Layout(shown, unfolded=unfolded))
        if "draw_header_preset" in vars(panel):
            panel.draw_header_preset(own, context)
        if unfolded or "DEFAULT_CLOSED" not in getattr(panel, "bl_options", ()):
            panel.draw(own, context)
    return Seen(shown)


def draw_blank(width: int = NARROW) -> None:
    """Draw all panels of the sidebar, unfolded, on a layout that costs nothing itself."""
    context, own = drawing_context(width), SimpleNamespace(layout=BlankLayout())
    for panel in addon_module("panels.sidebar").classes:
        if "poll" in vars(panel) and not panel.poll(context):
            continue
        for name in ("draw_header_preset", "draw"):
            if name in vars(panel):
                getattr(panel, name)(own, context)


def draw_elsewhere(image: bpy.types.Image) -> Seen:
    """Draw the add-on's items outside of the main panel: panels, menus, the status bar's end."""
    shown: list[dict[str, Any]] = []
    context = drawing_context(NARROW)
    rooms = {
        name: importlib.import_module(f"{ADDON}.panels.{name}")
        for name in ("sidebar", "mesh_edits", "menus", "job_list.statusbar")
    }
    for draws in (
        rooms["sidebar"].IMAGE_TO_MESH_PT_placement.draw,
        rooms["mesh_edits"].IMAGE_TO_MESH_PT_care.draw,
        rooms["menus"].IMAGE_TO_MESH_MT_pictures.draw,
        rooms["menus"].IMAGE_TO_MESH_MT_object.draw,
        rooms["job_list.statusbar"].draw,
    ):
        draws(SimpleNamespace(layout=Layout(shown, unfolded=True)), context)
    for open_image in (None, image, context.scene.image_to_mesh.image):
        context.space_data = SimpleNamespace(image=open_image)
        rooms["menus"].IMAGE_TO_MESH_PT_image_editor.draw(
            SimpleNamespace(layout=Layout(shown, unfolded=True)), context
        )
    return Seen(shown)


def draw_popover() -> Seen:
    """Draw the popover with the key of the scene's provider."""
    shown: list[dict[str, Any]] = []
    context = drawing_context(NARROW)
    context.region_popup = None
    panel = addon_module("panels.keys.popover").IMAGE_TO_MESH_PT_key
    panel.draw(SimpleNamespace(layout=Layout(shown, unfolded=True)), context)
    return Seen(shown)


def draw_preferences(preferences: Any, *, unfolded: bool = True) -> Seen:
    """Draw the add-on's preferences, with the rows of all services open or as they are."""
    shown: list[dict[str, Any]] = []
    room = addon_module("preferences")
    own = SimpleNamespace(layout=Layout(shown, unfolded=True))
    names = [entry.identifier for entry in preferences.bl_rna.properties]
    for name in set(names) - {"rna_type"}:
        setattr(own, name, getattr(preferences, name))
        if (
            unfolded
            and name.startswith("show_")
            and name.endswith(("_api_key", "_header", "_token"))
        ):
            setattr(own, name, True)
    own.bl_rna = preferences.bl_rna
    room._drawing[0](own, bpy.context)
    return Seen(shown)
