# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a mesh file into `model.blend`: imported, mended, packed, with a preview."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from .archives import unpacked
from .files import whole
from .importing import import_mesh_file
from .materials import mend_materials
from .mending import face_count, height, mend, model_objects
from .names import clear_name
from .photo import read_photo
from .png import encode_png
from .preview import render_preview, set_asset_preview
from .refusal import Refusal
from .startup import empty_file

GIVEN_SIDE = 512
"""Longest side in pixels to which a service's own preview is scaled down."""


def prepare(request: dict[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """Write the model of `request["mesh"]` to `request["output"]`, and its preview beside it."""
    report(0.0, "Importing the mesh")
    empty_file()
    root, notes = import_model(request["mesh"], request["name"])
    if not face_count(root):
        raise Refusal("bad_mesh", "The mesh file holds no faces.", "Generate the mesh again.")
    root.asset_mark()
    if request.get("preview"):
        report(0.5, "Rendering the preview")
        picture = None if request.get("render_preview") else _given_preview(request["preview"])
        if picture is None:
            picture = render_preview(root)
        with whole(request["preview"]) as side:
            Path(side).write_bytes(encode_png(picture))
        set_asset_preview(root, picture)
    report(0.9, "Saving the model")
    objects = model_objects(root)
    with whole(request["output"]) as side:
        bpy.data.libraries.write(side, set(objects))
    return {
        "faces": face_count(root),
        "objects": [thing.name for thing in objects],
        "root": root.name,
        "height": round(height(root), 6),
        "notes": notes,
    }


def _given_preview(path: str) -> NDArray[np.uint8] | None:
    """Return the service's own picture, whatever its format, or None if it cannot be read."""
    try:
        pixels = read_photo(path, 1, GIVEN_SIDE)
    except Refusal:
        return None
    return np.rint(pixels * np.float32(255.0)).astype(np.uint8)


def import_model(path: str, name: str) -> tuple[bpy.types.Object, list[str]]:
    """Import the mesh file into the open, empty file and mend it.

    Return the root object and notes for the person.
    """
    name = clear_name(name) or "mesh"
    with unpacked(path) as (mesh_file, home):
        format_, notes = import_mesh_file(mesh_file, home)
        root = mend(name, format_)
        meshes = [thing for thing in model_objects(root) if thing.type == "MESH"]
        notes += mend_materials(name, meshes, home)
    return root, notes
