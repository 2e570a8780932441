# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn a mesh file into `model.blend`: imported, cleaned up, packed, with a preview."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..atomic_files import atomic_path
from ..checks.archives import unpack_archive
from ..fresh_file import open_empty_file
from ..images.png import encode_png
from ..images.read_image import read_image
from ..import_options import ImportOptions, read_import_options
from ..mesh.project_image import project_image
from ..names import short_name
from ..progress import Report
from ..refusal import OTHER_FORMAT, Message, Refusal, as_message
from .asset import mark_asset
from .chunks import write_chunks
from .cleanup import DEFAULT, clean_up, face_count, height, model_meshes, model_objects
from .importing import import_error_text, import_mesh_file
from .materials import clean_up_materials
from .preview import over_backdrop, render_preview, set_asset_preview

PREVIEW_PHASE = "Rendering the preview"
"""Phase that starts once the model is saved. `jobs` compares this string: two processes share no
code."""
SERVICE_PREVIEW_SIDE = 512
"""Longest side in pixels to which the service's own preview is scaled down."""


def prepare_model(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """Write the model of `request["mesh"]` to `request["output"]`.

    Also write the chunks of a large model and the preview, if the request asks for them. Return the
    number of `faces`, the names of `objects` and `root`, the `height` in meters, and `notes` for
    the user. Raise Refusal with the kind `bad_mesh` for an unusable file and `library` for a full
    or read-only disk.
    """
    report(0.0, "Importing the mesh")
    open_empty_file()
    options = read_import_options(request.get("mending"))
    projection = request.get("projection")
    if projection:
        projection = {**projection, "cache": request.get("cache")}
    root, notes = _import_or_refuse(request["mesh"], request["name"], options, projection)
    objects = model_objects(root)
    report(0.6, "Saving the model")
    if asked := request.get("parts"):
        with suppress(OSError, RuntimeError):  # Disk full: then it is appended in one step.
            write_chunks(Path(asked["folder"]), objects, asked["least"])
    # After the chunks: the asset mark belongs to the library's copy only.
    mark_asset(root, request.get("asset", {}))
    _write(request["output"], objects)
    if request.get("preview"):
        # The model is usable from here on: the add-on may import it while the preview renders.
        report(0.8, PREVIEW_PHASE)
        _add_preview(root, request)
    return {
        "faces": face_count(root),
        "objects": [obj.name for obj in objects],
        "root": root.name,
        "height": round(height(root), 6),
        "notes": notes,
    }


def _import_or_refuse(
    path: str, name: str, options: ImportOptions, projection: Mapping[str, Any] | None
) -> tuple[bpy.types.Object, list[str]]:
    """Import the model as `import_model` does; any unforeseen error becomes a Refusal.

    Otherwise the error would count as a failure of this machine, and the file as valid. Disk errors
    are not the file's fault and keep their own kind.
    """
    try:
        root, notes = import_model(path, name, options, projection)
        if not face_count(root):
            raise Refusal("bad_mesh", "The mesh file has no faces.", "Generate the mesh again.")
    except Refusal:
        raise
    except OSError as error:
        raise _disk_error(error) from error
    except Exception as error:
        # Goes to standard error: the parent keeps the last lines for diagnostics.
        traceback.print_exc()
        message = Message(
            "Blender cannot create a model from the mesh file: {reason}",
            reason=as_message(import_error_text(repr(error))),
        )
        raise Refusal(
            "bad_mesh", message, OTHER_FORMAT
        ) from error  # guard: inner-error-is-no-model
    return root, notes


def _write(path: str, objects: list[bpy.types.Object]) -> None:
    try:
        with atomic_path(path) as side:
            bpy.data.libraries.write(side, set(objects))
    except (RuntimeError, OSError) as error:
        raise _disk_error(error) from error  # guard: unsaved-is-no-model


def _disk_error(error: Exception) -> Refusal:
    message = Message(
        "Blender could not save the model: {reason}",
        reason=as_message(import_error_text(str(error))),
    )
    return Refusal("library", message, "Free up disk space, then resume the job.")


def _add_preview(root: bpy.types.Object, request: dict[str, Any]) -> None:
    """Write the preview image, then save the model again with that image as its asset preview.

    The service's own preview is used if it can be read and the request does not want a rendered
    one. If no preview can be made, the image file is removed. If saving fails, the model remains as
    it was.
    """
    picture = None if request.get("render_preview") else _read_service_preview(request["preview"])
    if picture is None:
        picture = render_preview(root)
    if picture is None:
        Path(request["preview"]).unlink(missing_ok=True)
        return
    with suppress(OSError), atomic_path(request["preview"]) as side, Path(side).open("xb") as file:
        file.write(
            encode_png(over_backdrop(picture))
        )  # On a full disk the model is still complete.
    set_asset_preview(root, picture)
    # Windows cannot replace a file that another process has open, such as the model being imported
    # right now: the asset then has no preview.
    with suppress(Refusal):
        _write(request["output"], model_objects(root))


def _read_service_preview(path: str) -> NDArray[np.uint8] | None:
    """Return the service's preview as (height, width, 4) uint8, or None if it cannot be read."""
    try:
        pixels = read_image(path, 1, SERVICE_PREVIEW_SIDE)
    except Refusal:
        return None
    return np.rint(pixels * np.float32(255.0)).astype(np.uint8)


def import_model(
    path: str,
    name: str,
    options: ImportOptions = DEFAULT,
    projection: Mapping[str, Any] | None = None,
) -> tuple[bpy.types.Object, list[str]]:
    """Import the mesh file into the open, empty file and clean it up.

    `projection`: the image to project onto a mesh without colors, as `project_image` takes it.
    Return the root object and notes for the user. Raise Refusal if the file is not a valid mesh.
    """
    name = short_name(name) or "mesh"
    with unpack_archive(path) as (mesh_file, home):
        format_, notes = import_mesh_file(mesh_file, home, merge_doubles=options.weld)
        root = clean_up(name, format_, options)
        if projection:
            bpy.context.view_layer.update()
            note = project_image(name, model_meshes(root), projection)
            notes += [note] if note else []
        notes += clean_up_materials(name, model_meshes(root), home, options)
    return root, notes
