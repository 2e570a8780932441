# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep the selection while a model is imported that only lends its mesh to an object."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import bpy


@contextlib.contextmanager
def kept_selection(context: bpy.types.Context) -> Iterator[None]:
    """Restore the selection and the active object after the block.

    If the block removed the active object, the object that it made active stays active and
    selected. Outside of Object Mode, nothing is restored.
    """
    layer = context.view_layer
    selected, active = list(layer.objects.selected), layer.objects.active
    yield
    if context.mode != "OBJECT":
        return  # Importing selects in Object Mode only.
    layer.update()  # until then, it still lists removed objects
    there = set(layer.objects)
    for obj in list(layer.objects.selected):
        obj.select_set(False, view_layer=layer)
    for obj in selected:
        if obj in there:
            obj.select_set(True, view_layer=layer)
    if active is None or active in there:
        layer.objects.active = active
    elif layer.objects.active is not None:
        layer.objects.active.select_set(True, view_layer=layer)
