# SPDX-License-Identifier: GPL-3.0-or-later
"""Import a mesh file in the artist's own Blender, for when no background Blender can start.

Blender freezes during the import, and a file that crashes the importer takes the artist's work with
it, so this is the last resort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import bpy

from .. import jobs
from ..providers import error_of_kind
from ..worker.import_options import read_import_options
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
    place: jobs.Placement | None = None,
    rotation: float = 0.0,
    mending: Mapping[str, Any] | None = None,
) -> tuple[list[str], list[str]]:
    """Import the mesh file, clean it up, and place it as `append_model` does.

    Return the objects' names, the root first, and notes for the user. If the mesh is refused, raise
    the error for that reason, such as BadMesh.
    """
    finish_earlier_work(context)
    scene = bpy.data.scenes.new("Image to Mesh")
    try:
        # Importers change selection, active object, and mode: a temporary scene keeps that from the
        # artist's.
        with context.temp_override(scene=scene, view_layer=scene.view_layers[0]):
            root, notes = import_model(mesh_path, name, read_import_options(mending))
            objects = model_objects(root)
    except Refusal as refusal:
        raise error_of_kind(refusal.kind, refusal.message, refusal.hint) from refusal
    finally:
        bpy.data.scenes.remove(scene)
    where = place or location
    place_objects(
        context, objects, place=where, name=name, properties=properties, rotation=rotation
    )
    return [obj.name for obj in objects], notes
