# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a mesh file into `model.blend`: imported, cleaned up, packed, with a preview."""

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
from ..refusal import OTHER_FORMAT, Message, Refusal, as_message
from .asset import mark_asset
from .chunks import write_parts
from .cleanup import DEFAULT, face_count, height, mend, model_meshes, model_objects
from .importing import import_mesh_file, reason_of
from .materials import mend_materials
from .preview import render_preview, set_asset_preview

DRAWING = "Drawing the preview"
"""Phase that starts once the model is saved. `jobs` compares this text: two processes share no
code."""
GIVEN_SIDE = 512
"""Longest side in pixels to which the service's own preview is scaled down."""


def prepare(request: dict[str, Any], report: Callable[[float, str], None]) -> dict[str, Any]:
    """Write the model of `request["mesh"]` to `request["output"]`, with its preview beside it.

    Return face count, object names, height in meters, and notes for the user. Raise Refusal with
    the kind `bad_mesh` for an unusable file and `library` for a full or read-only disk.
    """
    report(0.0, "Importing the mesh")
    empty_file()
    options = mending_of(request.get("mending"))
    root, notes = _import_surely(request["mesh"], request["name"], options)
    objects = model_objects(root)
    report(0.6, "Saving the model")
    if asked := request.get("parts"):
        with suppress(OSError, RuntimeError):  # Disk full: then it is appended in one step.
            write_parts(Path(asked["folder"]), objects, asked["least"])
    mark_asset(root, request.get("asset", {}))
    _write(request["output"], objects)
    if request.get("preview"):
        # The model is usable from here on: the add-on may import it while the preview renders.
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
    """Import the model as `import_model` does; any unforeseen error becomes a Refusal.

    An exception that nobody foresaw would otherwise count as a failure of this machine, and the
    file as valid. Disk errors are not the file's fault and keep their own kind.
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
        # Goes to standard error: the parent keeps the last lines for diagnostics.
        traceback.print_exc()
        what = Message(
            "Blender cannot make a model of the mesh: {reason}",
            reason=as_message(reason_of(repr(error))),
        )
        raise Refusal("bad_mesh", what, OTHER_FORMAT) from error  # guard: inner-error-is-no-model
    return root, notes


def _write(path: str, objects: list[bpy.types.Object]) -> None:
    try:
        with whole(path) as side:
            bpy.data.libraries.write(side, set(objects))
    except (RuntimeError, OSError) as error:
        raise _disk_trouble(error) from error  # guard: unsaved-is-no-model


def _disk_trouble(error: Exception) -> Refusal:
    what = Message(
        "Blender could not save the model: {reason}", reason=as_message(reason_of(str(error)))
    )
    return Refusal("library", what, "Make room on the disk, then resume the job.")


def _add_preview(root: bpy.types.Object, request: dict[str, Any]) -> None:
    """Write the preview image, then save the model again with that image as its asset preview."""
    picture = None if request.get("render_preview") else _given_preview(request["preview"])
    if picture is None:
        picture = render_preview(root)
    if picture is None:
        Path(request["preview"]).unlink(missing_ok=True)
        return
    with suppress(OSError), whole(request["preview"]) as side, Path(side).open("xb") as file:
        file.write(encode_png(picture))  # On a full disk the model is still complete.
    set_asset_preview(root, picture)
    # Windows cannot replace a file that another process has open, such as the model being imported
    # right now: the asset then has no preview.
    with suppress(Refusal):
        _write(request["output"], model_objects(root))


def _given_preview(path: str) -> NDArray[np.uint8] | None:
    """Return the service's preview as (height, width, 4) uint8, or None if it cannot be read."""
    try:
        pixels = read_photo(path, 1, GIVEN_SIDE)
    except Refusal:
        return None
    return np.rint(pixels * np.float32(255.0)).astype(np.uint8)


def import_model(
    path: str, name: str, options: Mending = DEFAULT
) -> tuple[bpy.types.Object, list[str]]:
    """Import the mesh file into the open, empty file and clean it up.

    Return the root object and notes for the user. Raise Refusal if the file is not a valid mesh.
    """
    name = clear_name(name) or "mesh"
    with unpacked(path) as (mesh_file, home):
        format_, notes = import_mesh_file(mesh_file, home, to_weld=options.weld)
        root = mend(name, format_, options)
        notes += mend_materials(name, model_meshes(root), home, options)
    return root, notes
