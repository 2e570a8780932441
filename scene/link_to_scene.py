# SPDX-License-Identifier: GPL-3.0-or-later
"""Append or link prepared models in the artist's scene. No mesh files are parsed here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence

import bpy

from .. import jobs
from ..worker.names import short_name
from . import chunked_append
from .append import append
from .placement import move_to_place

Properties = Mapping[str, str | int | float]
# Modes whose undo steps store only the changes of one mesh.
DIFFERENCE_MODES = frozenset({"SCULPT", "PAINT_VERTEX"})


def append_model(
    context: bpy.types.Context,
    blend_path: str,
    *,
    name: str,
    properties: Properties,
    location: Sequence[float] = (0.0, 0.0, 0.0),
    place: jobs.Placement | None = None,
    rotation: float = 0.0,
) -> list[str]:
    """Append the prepared model and place its root; return its objects' names, the root first.

    `place` overrides `location`, and may ask for linked meshes instead. `rotation` is the rotation
    about Z in radians that makes the provider's models face front. In Object Mode, the root becomes
    the active and only selected object; in other modes, the selection and the active object stay.
    The caller pushes the undo step, with an operator's UNDO option or `push_undo`. Raise OSError if
    the file is not a .blend file.
    """
    finish_earlier_work(context)
    linked = place is not None and place.linked
    objects = _link_objects(blend_path) if linked else _load_objects(blend_path)
    where = place or location
    place_objects(
        context, objects, place=where, name=name, properties=properties, rotation=rotation
    )
    return [obj.name for obj in objects]


def finish_earlier_work(context: bpy.types.Context) -> None:
    """In Sculpt Mode and Vertex Paint, push an undo step between the strokes and the new object.

    Undoing to a stroke restores that mesh only, so an object added since would stay
    (seen in 4.2, 4.3, and 5.0). With a full step in between, one Ctrl+Z removes the object; the
    next one is spent on this step without a visible change.
    """
    if context.mode in DIFFERENCE_MODES:
        push_undo("Before Image to Mesh")


def push_undo(message: str = "Image to Mesh") -> None:
    """Push one undo step for everything done since the last one."""
    bpy.ops.ed.undo_push(message=message)


def place_objects(
    context: bpy.types.Context,
    objects: list[bpy.types.Object],
    *,
    place: jobs.Placement | Sequence[float],
    name: str,
    properties: Properties,
    rotation: float = 0.0,
) -> None:
    """Link the model's objects, root first, to the active collection and place the root.

    If the active collection cannot be used, use the scene's root collection. `properties` are set
    as custom properties of every object. The root gets `name` unless its own name begins with that.
    In Object Mode, only the root is selected, and it becomes active.
    """
    if not isinstance(place, jobs.Placement):
        x, y, z = place
        place = jobs.Placement((x, y, z))
    # Before they are linked: looking for free ground would evaluate a large mesh, which a redraw
    # does anyway.
    move_to_place(context, objects, place, rotation)
    collection = _collection(context)
    for obj in objects:
        collection.objects.link(obj)
        for key, value in properties.items():
            obj[key] = value
    root = objects[0]
    wanted_name = short_name(name) or root.name
    # The prepared file has the right name already; appending may have added a number to it.
    if not root.name.startswith(wanted_name):
        root.name = wanted_name
    _deselect(context.view_layer, objects)
    _show_in_local_views(context, objects)
    if context.mode == "OBJECT":
        _select_only(context.view_layer, root)


def _load_objects(blend_path: str) -> list[bpy.types.Object]:
    """Return the model's objects, the root first; append them unless their chunks were appended.

    The objects are not marked as assets.
    """
    objects = chunked_append.take_objects(blend_path) or list(
        append(blend_path, "objects").values()
    )
    for obj in objects:
        if obj.asset_data:  # The copy in the library folder is the asset.
            obj.asset_clear()
    return _root_first(objects)


def _link_objects(blend_path: str) -> list[bpy.types.Object]:
    """Return new local objects that use the file's linked meshes, the root first.

    They are copies of the linked objects, since linked objects cannot be moved.
    """
    with bpy.data.libraries.load(blend_path, link=True) as (source, target):
        target.objects = source.objects
    # Copies of linked objects are local and share the linked meshes.
    own = {obj: obj.copy() for obj in target.objects}
    for obj, copy in own.items():
        if obj.parent:
            copy.parent = own[obj.parent]
            copy.matrix_parent_inverse = obj.matrix_parent_inverse.copy()
        if copy.asset_data:
            copy.asset_clear()
    for obj in target.objects:
        if not obj.users:  # The user may have linked the object itself.
            bpy.data.objects.remove(obj)
    return _root_first(own.values())


def _root_first(objects: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    return sorted(objects, key=lambda obj: obj.parent is not None)


def _collection(context: bpy.types.Context) -> bpy.types.Collection:
    """Return the collection for new objects: the active one if possible.

    If that is hidden, excluded, or not editable, return the scene's root collection.
    """
    layer = context.view_layer.active_layer_collection
    is_usable = layer.is_visible and not layer.exclude and layer.collection.is_editable
    return layer.collection if is_usable else context.scene.collection


def _deselect(view_layer: bpy.types.ViewLayer, objects: list[bpy.types.Object]) -> None:
    """Deselect the objects, which were saved as selected.

    Skip those that are not in the view layer, as in hidden collections: for them, Blender raises an
    error. Testing for membership first would miss new objects that are in the view layer.
    """
    for obj in objects:
        with contextlib.suppress(RuntimeError):
            obj.select_set(False, view_layer=view_layer)


def _show_in_local_views(context: bpy.types.Context, objects: list[bpy.types.Object]) -> None:
    """Add the objects to viewports in Local View, which would hide them otherwise."""
    manager = context.window_manager
    for window in manager.windows if manager else ():
        if window.scene != context.scene:
            continue
        for area in window.screen.areas:
            if area.type == "VIEW_3D" and area.spaces.active.local_view:
                for obj in objects:
                    # The window shows another view layer: nothing to add there.
                    with contextlib.suppress(RuntimeError):
                        obj.local_view_set(area.spaces.active, True)


def _select_only(view_layer: bpy.types.ViewLayer, obj: bpy.types.Object) -> None:
    for selected in list(view_layer.objects.selected):
        selected.select_set(False, view_layer=view_layer)
    obj.select_set(True, view_layer=view_layer)
    view_layer.objects.active = obj
