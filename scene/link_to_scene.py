# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepared models into the artist's scene: appended, never parsed here; nothing else changes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence

import bpy

from ..jobs.import_plan import Placement
from ..worker.names import clear_name
from . import chunked_append
from .append import append
from .placement import stand

Properties = Mapping[str, str | int | float]
# Their undo steps hold what a stroke changed in one mesh and no more.
DIFFERENCE_MODES = frozenset({"SCULPT", "PAINT_VERTEX"})


def append_model(
    context: bpy.types.Context,
    blend_path: str,
    *,
    name: str,
    properties: Properties,
    location: Sequence[float] = (0.0, 0.0, 0.0),
    place: Placement | None = None,
    turn: float = 0.0,
) -> list[str]:
    """Append the prepared model, its root at a place in the world; return its objects' names.

    `place` says more than `location`; `turn` is what the front of its provider's models needs.
    The root comes first. It is selected and made active in Object mode only; elsewhere selection,
    active object and mode stay. The undo step is the caller's: an operator with UNDO, or
    `push_undo`. Raise OSError if the file cannot be read as a .blend file.
    """
    finish_earlier_work(context)
    linked = place is not None and place.linked
    objects = _link_objects(blend_path) if linked else _load_objects(blend_path)
    where = place or location
    place_objects(context, objects, place=where, name=name, properties=properties, turn=turn)
    return [obj.name for obj in objects]


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
    place: Placement | Sequence[float],
    name: str,
    properties: Properties,
    turn: float = 0.0,
) -> None:
    """Link the model's objects, root first, to the active collection, and put it in place."""
    collection = _collection(context)
    for obj in objects:
        collection.objects.link(obj)
        for key, value in properties.items():
            obj[key] = value
    root = objects[0]
    clear = clear_name(name) or root.name
    if not root.name.startswith(clear):
        root.name = clear
    if not isinstance(place, Placement):
        x, y, z = place
        place = Placement((x, y, z))
    stand(context, objects, place, turn)
    _deselect(context.view_layer, objects)
    _show_in_local_views(context, objects)
    if context.mode == "OBJECT":
        _select_only(context.view_layer, root)


def _load_objects(blend_path: str) -> list[bpy.types.Object]:
    """Append all objects of the file, unless they have come in parts; the root first."""
    objects = chunked_append.take(blend_path) or list(append(blend_path, "objects").values())
    for obj in objects:
        if obj.asset_data:  # The library folder's copy is the asset.
            obj.asset_clear()
    return _root_first(objects)


def _link_objects(blend_path: str) -> list[bpy.types.Object]:
    """Make objects of the file's meshes, which stay in the file: its objects could not be moved."""
    with bpy.data.libraries.load(blend_path, link=True) as (there, here):
        here.objects = there.objects
    own = {obj: obj.copy() for obj in here.objects}
    for obj, copy in own.items():
        if obj.parent:
            copy.parent = own[obj.parent]
            copy.matrix_parent_inverse = obj.matrix_parent_inverse.copy()
        if copy.asset_data:
            copy.asset_clear()
    for obj in here.objects:
        if not obj.users:  # Somebody else may have linked it as it is.
            bpy.data.objects.remove(obj)
    return _root_first(own.values())


def _root_first(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    return sorted(objects, key=lambda obj: obj.parent is not None)


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
    for obj in objects:
        with contextlib.suppress(RuntimeError):
            obj.select_set(False, view_layer=view_layer)


def _show_in_local_views(context: bpy.types.Context, objects: list[bpy.types.Object]) -> None:
    """Let views that show a selection alone show what came, too."""
    manager = context.window_manager
    for window in manager.windows if manager else ():
        if window.scene != context.scene:
            continue
        for area in window.screen.areas:
            if area.type == "VIEW_3D" and area.spaces.active.local_view:
                for obj in objects:
                    # Of another view layer than this window's: nothing to show there.
                    with contextlib.suppress(RuntimeError):
                        obj.local_view_set(area.spaces.active, True)


def _select_only(view_layer: bpy.types.ViewLayer, obj: bpy.types.Object) -> None:
    for selected in list(view_layer.objects.selected):
        selected.select_set(False, view_layer=view_layer)
    obj.select_set(True, view_layer=view_layer)
    view_layer.objects.active = obj
