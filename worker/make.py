# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn an image into a mesh file with one of the built-in providers ("recipes")."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .atomic_files import atomic_path
from .fresh_file import open_empty_file
from .images.read_image import read_image
from .local.subject.salient import kept_answers
from .mesh.glb import add_model, export_glb
from .progress import Report
from .refusal import Message, Refusal

RECIPES = {"local": ".local"}
"""The module of each recipe. Imported when first used, since most requests need none."""
IMAGE_SIDE = 2048
"""Longest side in pixels at which an image is read, unless the texture is to be larger."""


def make_mesh(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Write a GLB file of the mesh of `request["picture"]` to `request["output"]`.

    Return the number of `faces` and `notes` for the user. Progress reaches 0.1 after reading the
    image and 0.75 after building the mesh. Raise Refusal if the recipe is unknown, or the image
    cannot be used.
    """
    module = RECIPES.get(request["recipe"])
    if module is None:
        raise Refusal(
            "failed",
            Message(
                "The background Blender does not support the generator “{recipe}”.",
                recipe=request["recipe"],
            ),
            "Update the add-on.",
        )
    settings = {**request["settings"], "models": request.get("models", {})}
    report(0.0, "Reading the image")
    open_empty_file()
    longest_side = max(IMAGE_SIDE, settings.get("texture_size", 0))
    pixels = read_image(request["picture"], request.get("orientation", 1), longest_side)
    recipe = import_module(module, __package__)
    model = recipe.build(
        pixels,
        settings,
        lambda part, phase: report(0.1 + 0.65 * part, phase),
        kept_answers(request),
    )
    report(0.75, "Writing the mesh file")
    add_model(model, request["name"])
    with atomic_path(request["output"]) as side:
        export_glb(side)
    return {"faces": len(model.triangles), "notes": list(model.notes)}
