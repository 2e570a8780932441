# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a mesh file into `model.blend`: imported, mended, packed, with a preview."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..atomic_files import whole
from ..checks.archives import unpacked
from ..fresh_file import empty_file
from ..images.png import encode_png
from ..images.read_image import read_photo
from ..import_options import Mending, mending_of
from ..names import clear_name
from ..refusal import OTHER_FORMAT, Refusal
from .asset import mark_asset
from .chunks import write_parts
from .cleanup import DEFAULT, face_count, height, mend, model_meshes, model_objects
from .importing import import_mesh_file, reason_of
from .materials import mend_materials
from .preview import render_preview, set_asset_preview

DRAWING = "Drawing the preview"
"""The phase in which the model is there already; `jobs` knows it by the same words."""
GIVEN_SIDE = 512
"""Longest side in pixels to which a service's own preview is scaled down."""


def prepare(request: dict[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """Write the model of `request["mesh"]` to `request["output"]`, and its preview beside it."""
    report(0.0, "Importing the mesh")
    empty_file()
    options = mending_of(request.get("mending"))
    root, notes = _import_surely(request["mesh"], request["name"], options)
    objects = model_objects(root)
    report(0.6, "Saving the model")
    if asked := request.get("parts"):
        with suppress(OSError, RuntimeError):  # No room: without them it comes in at once.
            write_parts(Path(asked["folder"]), objects, asked["least"])
    mark_asset(root, request.get("asset", {}))
    _write(request["output"], objects)
    if request.get("preview"):
        # The artist need not wait for the rest: whoever hears of this phase may take the model.
        report(0.8, DRAWING)
        _add_preview(root, request)
    return {
        "faces": face_count(root),
        "objects": [obj.name for obj in objects],
        "root": root.name,
        "height": round(height(root), 6),
        "notes": notes,
    }


def _import_surely(path: str, name: str, options: Mending) -> tuple[bpy.types.Object, list[str]]:
    """Import the model as `import_model` does; what breaks over a file is said to be bad.

    An error that nobody foresaw must not pass for one of this machine: the file would be taken for
    whole. Errors of the disk are no fault of the file.
    """
    try:
        root, notes = import_model(path, name, options)
        if not face_count(root):
            raise Refusal("bad_mesh", "The mesh file holds no faces.", "Generate the mesh again.")
    except Refusal:
        raise
    except OSError as error:
        raise _disk_trouble(error) from error
    except Exception as error:
        traceback.print_exc()
        what = f"Blender cannot make a model of the mesh: {reason_of(repr(error))}"
        raise Refusal("bad_mesh", what, OTHER_FORMAT) from error  # guard: inner-error-is-no-model
    return root, notes


def _write(path: str, objects: list[bpy.types.Object]) -> None:
    try:
        with whole(path) as side:
            bpy.data.libraries.write(side, set(objects))
    except (RuntimeError, OSError) as error:
        raise _disk_trouble(error) from error  # guard: unsaved-is-no-model


def _disk_trouble(error: Exception) -> Refusal:
    what = f"Blender could not save the model: {reason_of(str(error))}"
    return Refusal("library", what, "Make room on the disk, then resume the job.")


def _add_preview(root: bpy.types.Object, request: dict[str, Any]) -> None:
    """Write the preview beside the model, and once more the model that shows it as an asset."""
    picture = None if request.get("render_preview") else _given_preview(request["preview"])
    if picture is None:
        picture = render_preview(root)
    if picture is None:
        Path(request["preview"]).unlink(missing_ok=True)
        return
    with suppress(OSError), whole(request["preview"]) as side, Path(side).open("xb") as file:
        file.write(encode_png(picture))  # Without room for it the model is whole.
    set_asset_preview(root, picture)
    # Windows replaces no file that somebody reads just now: then the asset has no picture.
    with suppress(Refusal):
        _write(request["output"], model_objects(root))


def _given_preview(path: str) -> NDArray[np.uint8] | None:
    """Return the service's own picture, whatever its format, or None if it cannot be read."""
    try:
        pixels = read_photo(path, 1, GIVEN_SIDE)
    except Refusal:
        return None
    return np.rint(pixels * np.float32(255.0)).astype(np.uint8)


def import_model(
    path: str, name: str, options: Mending = DEFAULT
) -> tuple[bpy.types.Object, list[str]]:
    """Import the mesh file into the open, empty file and mend it.

    Return the root object and notes for the person.
    """
    name = clear_name(name) or "mesh"
    with unpacked(path) as (mesh_file, home):
        format_, notes = import_mesh_file(mesh_file, home, to_weld=options.weld)
        root = mend(name, format_, options)
        notes += mend_materials(name, model_meshes(root), home, options)
    return root, notes
