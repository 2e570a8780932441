# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer requests for previews with plain arrays, while a setting is dragged."""

from __future__ import annotations

import struct
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .checks.gltf.buffers import read_gltf
from .fresh_file import open_empty_file
from .images.read_image import read_image
from .make import IMAGE_SIDE
from .progress import Report
from .refusal import Refusal

if TYPE_CHECKING:
    from .local.preview import PreviewBuilder

PNG_SIZE = struct.Struct(">16xII")
"""Layout of the first bytes of a PNG file, to read its width and height."""


def preview_mesh(request: dict[str, Any], _report: Report) -> dict[str, Any]:
    """Write a preview's arrays to the folder `request["output"]`.

    The file `vertices` holds three 32-bit floats for each vertex, `corners` three 32-bit integers
    for each face, and `uvs` two 32-bit floats for each corner, in the byte order of this computer.
    Return the numbers of `vertices` and `faces`. If the preview would be too large, nothing is
    written, and both are 0. Raise Refusal if the image cannot be used.
    """
    size, shown = request["size"], request["shown"]
    full_side = min(max(size), max(IMAGE_SIDE, shown["texture_size"]))
    builder = _builder(
        request["picture"],
        request.get("orientation", 1),
        full_side,
        request["mesh"],
        request.get("cache", ""),
    )
    models = request.get("models", {})
    preview = builder.build({**request["settings"], "models": models}, shown)
    if preview is None:
        return {"vertices": 0, "faces": 0}
    vertices = _transform(preview.vertices, request.get("scale", 1.0), request.get("rotation", 0.0))
    folder = Path(request["output"])
    for name, values in (
        ("vertices", vertices),
        ("corners", preview.triangles),
        ("uvs", preview.uv),
    ):
        (folder / name).write_bytes(np.ascontiguousarray(values).tobytes())
    return {"vertices": len(vertices), "faces": len(preview.triangles)}


@lru_cache(maxsize=1)
def _builder(path: str, orientation: int, full_side: int, mesh: str, cache: str) -> PreviewBuilder:
    """Return the builder for an image; only the last one is cached.

    It stays valid, since the files of jobs do not change. Raise Refusal if the image cannot be
    read.
    """
    from .local.preview import PICTURE_SIDE, PreviewBuilder
    from .local.subject.salient import kept_answers

    open_empty_file()
    pixels = read_image(path, orientation, PICTURE_SIDE)
    kept = kept_answers({"picture": path, "orientation": orientation, "cache": cache})
    return PreviewBuilder(pixels, full_side, _texture_size(mesh), kept)


def _texture_size(path: str) -> tuple[int, int] | None:
    """Return height and width of the texture in a GLB file that this program wrote.

    Return None if the texture cannot be read.
    """
    with suppress(Refusal, OSError, ValueError, LookupError, TypeError, struct.error):
        file = read_gltf(path)
        view = file.all("bufferViews")[file.all("images")[0]["bufferView"]]
        start = view.get("byteOffset", 0)
        width, height = PNG_SIZE.unpack(bytes(file.buffer(0)[start : start + PNG_SIZE.size]))
        if width and height:
            return height, width
    return None


def _transform(vertices: NDArray[np.float32], scale: float, rotation: float) -> NDArray[np.float32]:
    """Return the vertices scaled, and rotated about Z by `rotation` in radians."""
    cosine, sine = np.cos(rotation), np.sin(rotation)
    matrix = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(vertices @ (matrix * scale), np.float32)
