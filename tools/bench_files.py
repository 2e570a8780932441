# SPDX-License-Identifier: GPL-3.0-or-later
"""Write mesh files of any size that resemble those of services: a bumpy ball with textures.

No two triangles share a vertex, as in the files of many exporters, so each point of the surface is
stored six times.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 2048


def write_ball(path: Path, triangles: int, textures: int) -> None:
    """Write a GLB of about `triangles` triangles, with this many textures.

    Each material has a color texture and a normal map. If `textures` is odd, the last material has
    no normal map.
    """
    arrays = _split(_ball(triangles))
    materials = math.ceil(textures / 2)
    pieces = np.array_split(arrays.pop("indices"), materials)
    blobs = [*arrays.values(), *pieces]
    names = list(arrays)
    pictures = [_png(number) for number in range(textures)]
    views, offset = [], 0
    for data in (*(blob.tobytes() for blob in blobs), *pictures):
        views.append({"buffer": 0, "byteOffset": offset, "byteLength": len(data)})
        # glTF aligns values to their size, here four bytes.
        offset += len(data) + -len(data) % 4
    accessors: list[dict[str, Any]] = [
        {"bufferView": number, "componentType": 5126, "count": len(blob),
         "type": f"VEC{blob.shape[1]}"}
        for number, blob in enumerate(arrays.values())
    ]  # fmt: skip
    accessors[0] |= {
        "min": arrays["POSITION"].min(0).tolist(), "max": arrays["POSITION"].max(0).tolist()
    }  # fmt: skip
    for number, part in enumerate(pieces):
        accessors.append({"bufferView": len(arrays) + number, "componentType": 5125,
                          "count": part.size, "type": "SCALAR"})  # fmt: skip
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "ball"}],
        "meshes": [{"primitives": [
            {"attributes": {name: number for number, name in enumerate(names)},
             "indices": len(arrays) + number, "material": number}
            for number in range(materials)]}],
        "materials": [_material(number, textures) for number in range(materials)],
        "textures": [{"source": number} for number in range(textures)],
        "images": [{"bufferView": len(blobs) + number, "mimeType": "image/png"}
                   for number in range(textures)],
        "buffers": [{"byteLength": offset}],
        "bufferViews": views,
        "accessors": accessors,
    }  # fmt: skip
    _write(path, document, [*(blob.tobytes() for blob in blobs), *pictures], offset)


def _ball(triangles: int) -> dict[str, NDArray[Any]]:
    rows = max(2, round(math.sqrt(triangles / 4)))
    columns = rows * 2
    v, u = np.mgrid[0 : rows + 1, 0 : columns + 1].astype(np.float32)
    u, v = u / columns, v / rows
    angle, slope = u * 2 * np.pi, v * np.pi
    radius = 1.0 + 0.05 * np.sin(angle * 12) * np.sin(slope * 9)
    way = np.stack((np.sin(slope) * np.cos(angle), np.cos(slope), np.sin(slope) * np.sin(angle)))
    points = (way * radius).astype(np.float32)
    points[:, :, -1] = points[:, :, 0]  # the rims meet exactly
    points[:, 0], points[:, -1] = points[:, 0, :1], points[:, -1, :1]
    points = np.ascontiguousarray(points.reshape(3, -1).T)
    corner = np.arange(rows * (columns + 1)).reshape(rows, columns + 1)[:, :-1].ravel()
    below = corner + columns + 1
    quads = np.stack((corner, corner + 1, below, below, corner + 1, below + 1), 1)
    return {
        "POSITION": points,
        "NORMAL": _normals(points, quads.reshape(-1, 3), columns),
        "TEXCOORD_0": np.stack((u.ravel(), v.ravel()), 1).astype(np.float32),
        "indices": quads.reshape(-1, 3).astype(np.uint32),
    }


def _split(arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays with separate vertices for each triangle.

    The indices are removed from `arrays`, which is changed in place.
    """
    corners = arrays.pop("indices").ravel()
    split = {name: values[corners] for name, values in arrays.items()}
    return {**split, "indices": np.arange(len(corners), dtype=np.uint32).reshape(-1, 3)}


def _normals(
    points: NDArray[np.float32], triangles: NDArray[Any], columns: int
) -> NDArray[np.float32]:
    """Return smooth vertex normals (n, 3), the same on both sides of the seam and at each pole."""
    corner = points[triangles]
    across = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    row, column = np.divmod(np.arange(len(points)), columns + 1)
    merged = np.where(
        row == 0, 0, np.where(row == row[-1], 1, row * columns + column % columns + 2)
    )
    owner = merged[triangles].ravel()
    repeated = np.repeat(across, 3, axis=0)
    total = np.stack([np.bincount(owner, repeated[:, axis]) for axis in range(3)], 1)[merged]
    length = np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-20)
    return np.ascontiguousarray(total / length, np.float32)


def _material(number: int, textures: int) -> dict[str, Any]:
    surface: dict[str, Any] = {
        "pbrMetallicRoughness": {"baseColorTexture": {"index": number * 2}, "metallicFactor": 0.0}
    }
    if number * 2 + 1 < textures:
        surface["normalTexture"] = {"index": number * 2 + 1}
    return surface


def _png(number: int) -> bytes:
    """Return a PNG of some megabytes, with about as much detail as a painted texture."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    noise = np.random.default_rng(number).integers(0, 3, (SIDE, SIDE, 3), np.uint8)
    waves = np.stack([(np.sin((x * (c + 2) + y * (number + 1)) / 97.0) * 100 + 115)
                      for c in range(3)], 2).astype(np.uint8)  # fmt: skip
    # Odd textures are normal maps: nearly flat, with some noise.
    if number % 2:
        waves[:] = (116, 116, 230)
    rows = np.zeros((SIDE, 1 + SIDE * 3), np.uint8)
    rows[:, 1:] = (waves + noise).reshape(SIDE, -1)
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    pieces = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in pieces
    )


def _write(path: Path, document: dict[str, Any], blobs: list[bytes], size: int) -> None:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    with path.open("wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + size))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", size, b"BIN\0"))
        for blob in blobs:
            file.write(blob + bytes(-len(blob) % 4))
