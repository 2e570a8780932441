# SPDX-License-Identifier: GPL-3.0-or-later
"""A small vase as GLB, by the glTF 2.0 specification: with a texture, or with vertex colors.

The services return both kinds: most of them textures, TripoSR colors.
"""

from __future__ import annotations

import io
import json
import math
import struct
from typing import Any

from PIL import Image

AROUND, ALONG = 24, 12
FACES = AROUND * ALONG * 2
_FLOAT, _SHORT = 5126, 5123


def vase(*, textured: bool | None) -> bytes:
    """Return a vase of FACES triangles that is red below and blue above.

    `textured`: by a texture, else by vertex colors; None for a vase without colors.
    """
    rings = [
        (row / ALONG, around / AROUND) for row in range(ALONG + 1) for around in range(AROUND + 1)
    ]
    chunks = [_pack("3f", [_place(*ring) for ring in rings])]
    names = {"POSITION": ("VEC3", _FLOAT, len(rings))}
    if textured:
        chunks.append(_pack("2f", [(around, 1 - up) for up, around in rings]))
        names["TEXCOORD_0"] = ("VEC2", _FLOAT, len(rings))
    elif textured is False:
        chunks.append(_pack("4f", [(1 - up, 0.1, up, 1.0) for up, _ in rings]))
        names["COLOR_0"] = ("VEC4", _FLOAT, len(rings))
    corners = _corners()
    chunks.append(_pack("H", [(corner,) for corner in corners]))
    accessors: list[dict[str, Any]] = [
        {"bufferView": number, "type": kind, "componentType": component, "count": count}
        for number, (kind, component, count) in enumerate(
            [*names.values(), ("SCALAR", _SHORT, len(corners))]
        )
    ]
    accessors[0] |= {"min": [-0.5, 0, -0.5], "max": [0.5, 1, 0.5]}
    primitive = {"attributes": {name: n for n, name in enumerate(names)}, "indices": len(names)}
    gltf: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "tripo_node_5150"}],
        "meshes": [{"primitives": [{**primitive, "material": 0}]}],
        "materials": [{"pbrMetallicRoughness": {"metallicFactor": 0}}],
        "accessors": accessors,
    }
    if textured:
        gltf["images"] = [{"bufferView": len(chunks), "mimeType": "image/png"}]
        gltf["textures"] = [{"source": 0}]
        gltf["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"] = {"index": 0}
        chunks.append(_texture())
    return _glb(gltf, chunks)


def _place(up: float, around: float) -> tuple[float, float, float]:
    """Return where the wall of the vase is: Y is up in glTF."""
    radius = 0.3 + 0.2 * math.sin(2 * math.pi * (up * 0.9 + 0.05))
    angle = 2 * math.pi * around
    return radius * math.sin(angle), up, radius * math.cos(angle)


def _corners() -> list[int]:
    """Return the triangles between the rings, seen from outside."""
    corners: list[int] = []
    for row in range(ALONG):
        for around in range(AROUND):
            low = row * (AROUND + 1) + around
            high = low + AROUND + 1
            corners += (low, low + 1, high + 1, low, high + 1, high)
    return corners


def _pack(kind: str, rows: list[tuple[Any, ...]]) -> bytes:
    return b"".join(struct.pack(f"<{kind}", *row) for row in rows)


def _texture() -> bytes:
    """Return a picture of 64 × 64 pixels, blue above and red below."""
    picture = Image.new("RGB", (64, 64))
    picture.putdata([(4 * (n // 64), 25, 255 - 4 * (n // 64)) for n in range(64 * 64)])
    written = io.BytesIO()
    picture.save(written, "PNG")
    return written.getvalue()


def _glb(gltf: dict[str, Any], chunks: list[bytes]) -> bytes:
    """Put the description and the binary data together, both padded to four bytes."""
    data = b""
    gltf["bufferViews"] = []
    for chunk in chunks:
        view = {"buffer": 0, "byteOffset": len(data), "byteLength": len(chunk)}
        gltf["bufferViews"].append(view)
        data += chunk + bytes(-len(chunk) % 4)
    gltf["buffers"] = [{"byteLength": len(data)}]
    head = json.dumps(gltf).encode()
    head += b" " * (-len(head) % 4)
    return b"".join(
        (
            struct.pack("<4sII", b"glTF", 2, 28 + len(head) + len(data)),
            struct.pack("<I4s", len(head), b"JSON"),
            head,
            struct.pack("<I4s", len(data), b"BIN\0"),
            data,
        )
    )
