# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepare a mesh file in the artist's own Blender, for where no background Blender can start.

Blender stands still meanwhile, and a file that crashes an importer takes the artist's work along:
the background Blender is the way, this is what is left without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bpy

from ..jobs.import_plan import Placement
from ..providers import error_of_kind
from ..worker.import_options import mending_of
from ..worker.prepare.build_model import import_model
from ..worker.prepare.cleanup import model_objects
from ..worker.refusal import Refusal
from .link_to_scene import Properties, finish_earlier_work, place_objects


def import_in_place(
    context: bpy.types.Context,
    mesh_path: str,
    *,
    name: str,
    properties: Properties,
    location: Sequence[float] = (0.0, 0.0, 0.0),
    place: Placement | None = None,
    turn: float = 0.0,
    mending: Mapping[str, Any] | None = None,
) -> tuple[list[str], list[str]]:
    """Import and mend the mesh file, place it as `append_model` does.

    Return the objects' names, the root first, and notes for the person. Raise BadMesh if the file
    cannot be imported.
    """
    finish_earlier_work(context)
    scene = bpy.data.scenes.new("Image to Mesh")
    try:
        # Importers select, activate and leave modes: let them do it in a scene of their own.
        with context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
            root, notes = import_model(mesh_path, name, mending_of(mending))
            objects = model_objects(root)
    except Refusal as refusal:
        raise error_of_kind(refusal.kind, refusal.message, refusal.hint) from refusal
    finally:
        bpy.data.scenes.remove(scene)
    where = place or location
    place_objects(context, objects, place=where, name=name, properties=properties, turn=turn)
    return [obj.name for obj in objects], notes
