# SPDX-License-Identifier: GPL-3.0-or-later
"""Writers of small mesh files, by the specifications of the formats."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from fakes.png import chunk

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

KINDS = {np.dtype(np.float32): 5126, np.dtype(np.uint8): 5121, np.dtype(np.uint16): 5123}
WIDTHS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
Arrays = dict[str, "NDArray[Any]"]


def ball(rings: int = 12, sides: int = 16) -> Arrays:
    """Return a unit sphere with UVs; its normals equal its positions."""
    up = np.linspace(0, np.pi, rings + 1)
    around = np.linspace(0, 2 * np.pi, sides + 1)
    tilt, angle = np.meshgrid(up, around, indexing="ij")
    points = np.stack((np.sin(tilt) * np.cos(angle), np.cos(tilt), np.sin(tilt) * np.sin(angle)), 2)
    uv = np.stack((angle / (2 * np.pi), tilt / np.pi), 2)
    first = (np.arange(rings)[:, None] * (sides + 1) + np.arange(sides)).ravel()
    upper = np.stack((first, first + 1, first + sides + 1), 1)[sides:]
    lower = np.stack((first + 1, first + sides + 2, first + sides + 1), 1)[:-sides]
    positions = points.reshape(-1, 3).astype(np.float32)
    return {
        "POSITION": positions,
        "NORMAL": positions.copy(),
        "TEXCOORD_0": uv.reshape(-1, 2).astype(np.float32),
        "indices": np.concatenate((upper, lower)).astype(np.uint16),
    }


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG of (height, width, 3 or 4)."""
    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = np.concatenate((np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)), axis=1)
    data = zlib.compress(rows.tobytes())
    body = chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


class Gltf:
    """A glTF file built step by step; each method that adds something returns its index."""

    def __init__(self) -> None:
        self.head: dict[str, Any] = {"asset": {"version": "2.0"}, "scene": 0}
        self._blob = b""

    def add(self, kind: str, **changes: Any) -> int:
        """Add an entry to one of the top-level lists."""
        items: list[Any] = self.head.setdefault(kind, [])
        items.append(changes)
        return len(items) - 1

    def accessor(self, values: NDArray[Any], *, normalized: bool = False) -> int:
        """Add an array, (n,) or (n, width)."""
        view = self._view(np.ascontiguousarray(values).tobytes())
        width = 1 if values.ndim == 1 else values.shape[1]
        bounds: dict[str, Any] = {"normalized": True} if normalized else {}
        if values.dtype == np.float32:
            finite = np.nan_to_num(values)
            bounds |= {"min": np.atleast_1d(finite.min(0)).tolist(),
                     "max": np.atleast_1d(finite.max(0)).tolist()}  # fmt: skip
        return self.add("accessors", bufferView=view, componentType=KINDS[values.dtype],
                        count=len(values), type=WIDTHS[width], **bounds)  # fmt: skip

    def mesh(self, arrays: Arrays, material: int | None = None, **more: Any) -> int:
        """Add a mesh of one primitive; `targets` are arrays of positions."""
        attributes = {
            name: self.accessor(values, normalized=values.dtype == np.uint8 and name[:5] == "COLOR")
            for name, values in arrays.items()
            if name != "indices"
        }
        primitive: dict[str, Any] = {"attributes": attributes}
        primitive["indices"] = self.accessor(arrays["indices"].reshape(-1))
        if material is not None:
            primitive["material"] = material
        if targets := more.pop("targets", None):
            primitive["targets"] = [{"POSITION": self.accessor(target)} for target in targets]
        return self.add("meshes", primitives=[primitive], **more)

    def texture(self, pixels: NDArray[np.uint8]) -> int:
        """Add a texture that repeats, from (height, width, 3 or 4)."""
        image = self.add("images", bufferView=self._view(encode_png(pixels)), mimeType="image/png")
        return self.add("textures", source=image, sampler=self.add("samplers", magFilter=9728))

    def write(self, path: Path, roots: list[int] | None = None) -> Path:
        """Write a GLB whose scene holds the nodes, all by default."""
        roots = list(range(len(self.head["nodes"]))) if roots is None else roots
        used = sorted(_extensions(self.head))
        head = self.head | {
            "scenes": [{"nodes": roots}],
            "buffers": [{"byteLength": len(self._blob)}],
        }
        text = json.dumps(head | ({"extensionsUsed": used} if used else {})).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        chunks += struct.pack("<I4s", len(self._blob), b"BIN\0") + self._blob
        path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
        return path

    def _view(self, data: bytes) -> int:
        view = self.add("bufferViews", buffer=0, byteOffset=len(self._blob), byteLength=len(data))
        self._blob += data + bytes(-len(data) % 4)
        return view


def _extensions(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set(node.get("extensions", ())).union(*map(_extensions, node.values()), set())
    return set().union(*map(_extensions, node)) if isinstance(node, list) else set()


def write_ply(path: Path, points: NDArray[Any], faces: NDArray[Any], colors: NDArray[Any]) -> Path:
    """Write an ASCII PLY with a color in bytes at each point."""
    lines = ["ply", "format ascii 1.0", f"element vertex {len(points)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"property uchar {name}" for name in ("red", "green", "blue")]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    lines += [
        " ".join(map(str, (*point, *color))) for point, color in zip(points, colors, strict=True)
    ]
    lines += [" ".join(map(str, (len(face), *face))) for face in faces]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_obj(path: Path, points: NDArray[Any], faces: NDArray[Any], **more: Any) -> Path:
    """Write an OBJ; `colors` (n, 3) stand behind the points, `material` is the text of its MTL."""
    colors = more.get("colors", np.empty((len(points), 0)))
    lines = [
        " ".join(map(str, ("v", *point, *color)))
        for point, color in zip(points, colors, strict=True)
    ]
    if material := more.get("material"):
        path.with_suffix(".mtl").write_text(f"newmtl a\n{material}\n")
        lines = [f"mtllib {path.stem}.mtl", *lines, "usemtl a"]
    lines += [" ".join(map(str, ("f", *(face + 1)))) for face in faces]
    path.write_text("\n".join([*lines, *more.get("lines", ())]) + "\n")
    return path


def write_stl(path: Path, triangles: NDArray[np.float32]) -> Path:
    """Write a binary STL of triangles (n, 3, 3)."""
    records = b"".join(
        struct.pack("<12fH", 0, 0, 0, *triangle.ravel(), 0) for triangle in triangles
    )
    path.write_bytes(bytes(80) + struct.pack("<I", len(triangles)) + records)
    return path
