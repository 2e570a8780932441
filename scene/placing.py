# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepared models into the artist's scene: appended, never parsed here; nothing else changes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import bpy

from .background.names import clear_name

Properties = Mapping[str, str | int | float]
# Their undo steps hold what a stroke changed in one mesh and no more.
DIFFERENCE_MODES = frozenset({"SCULPT", "PAINT_VERTEX"})


def append_model(
    context: bpy.types.Context,
    blend_path: str,
    *,
    location: Sequence[float],
    name: str,
    properties: Properties,
) -> list[str]:
    """Append the prepared model, its root at `location` in the world; return its objects' names.

    The root comes first. It is selected and made active in Object mode only; elsewhere selection,
    active object and mode stay. The undo step is the caller's: an operator with UNDO, or
    `push_undo`. Raise OSError if the file cannot be read as a .blend file.
    """
    finish_earlier_work(context)
    objects = _load_objects(blend_path)
    place_objects(context, objects, location=location, name=name, properties=properties)
    return [thing.name for thing in objects]


def finish_earlier_work(context: bpy.types.Context) -> None:
    """Make undo able to tell the artist's last strokes from what comes next.

    After a stroke in Sculpt mode, undoing to it restores that mesh's points alone: an object that
    was added since stays (seen in 4.2, 4.3 and 5.0). With a whole step in between one Ctrl+Z takes
    the object away; the next one is spent on this step and changes nothing that can be seen.
    """
    if context.mode in DIFFERENCE_MODES:
        push_undo("Before Image to Mesh")


def push_undo(message: str = "Image to Mesh") -> None:
    """Push one undo step for what was done since the last one."""
    bpy.ops.ed.undo_push(message=message)


def place_objects(
    context: bpy.types.Context,
    objects: list[bpy.types.Object],
    *,
    location: Sequence[float],
    name: str,
    properties: Properties,
) -> None:
    """Link the model's objects, root first, to the active collection, and put it in place."""
    collection = _collection(context)
    for thing in objects:
        collection.objects.link(thing)
        for key, value in properties.items():
            thing[key] = value
    root = objects[0]
    clear = clear_name(name) or root.name
    if not root.name.startswith(clear):
        root.name = clear
    root.location = location
    _deselect(context.view_layer, objects)
    if context.mode == "OBJECT":
        _select_only(context.view_layer, root)


def _load_objects(blend_path: str) -> list[bpy.types.Object]:
    """Append all objects of the file, the root first, without leaving its library behind."""
    before = {library.session_uid for library in bpy.data.libraries}
    with bpy.data.libraries.load(blend_path, link=False) as (there, here):
        here.objects = there.objects
    for library in [each for each in bpy.data.libraries if each.session_uid not in before]:
        bpy.data.libraries.remove(library)
    for thing in here.objects:
        if thing.asset_data:  # The library folder's copy is the asset.
            thing.asset_clear()
    return sorted(here.objects, key=lambda thing: thing.parent is not None)


def _collection(context: bpy.types.Context) -> bpy.types.Collection:
    """Return the active collection, or the scene's own where that is hidden or linked."""
    layer = context.view_layer.active_layer_collection
    is_usable = layer.is_visible and not layer.exclude and layer.collection.is_editable
    return layer.collection if is_usable else context.scene.collection


def _deselect(view_layer: bpy.types.ViewLayer, objects: list[bpy.types.Object]) -> None:
    """Take back the selection that the objects were saved with.

    A hidden collection's objects are not in the layer, which Blender says by an error; asking the
    layer first would not find new ones that are in it.
    """
    for thing in objects:
        with contextlib.suppress(RuntimeError):
            thing.select_set(False, view_layer=view_layer)


def _select_only(view_layer: bpy.types.ViewLayer, thing: bpy.types.Object) -> None:
    for selected in list(view_layer.objects.selected):
        selected.select_set(False, view_layer=view_layer)
    thing.select_set(True, view_layer=view_layer)
    view_layer.objects.active = thing
