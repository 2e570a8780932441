# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a mesh file from a picture by one of the recipes in this folder."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from .atomic_files import whole
from .fresh_file import empty_file
from .images.read_image import read_photo
from .mesh.glb import add_model, export_glb
from .refusal import Refusal

RECIPES = {"local": ".local"}
PHOTO_SIDE = 2048


def make(request: dict[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """Write the mesh of `request["picture"]` to `request["output"]`, a GLB file.

    Progress: reading up to 0.1, the recipe up to 0.75, the export the rest.
    """
    module = RECIPES.get(request["recipe"])
    if module is None:
        raise Refusal("failed", f"There is no recipe {request['recipe']!r}.", "Update the add-on.")
    settings = request["settings"]
    report(0.0, "Reading the picture")
    empty_file()
    longest_side = max(PHOTO_SIDE, settings.get("texture_size", 0))
    pixels = read_photo(request["picture"], request.get("orientation", 1), longest_side)
    recipe = import_module(module, __package__)
    model = recipe.build(pixels, settings, lambda part, phase: report(0.1 + 0.65 * part, phase))
    report(0.75, "Writing the mesh file")
    add_model(model, request["name"])
    with whole(request["output"]) as side:
        export_glb(side)
    return {"faces": len(model.triangles), "notes": list(model.notes)}
