# SPDX-License-Identifier: GPL-3.0-or-later
"""A small GLB file, written by the glTF 2.0 specification: one triangle, or many."""

from __future__ import annotations

import json
import struct


def triangle_glb(faces: int = 1) -> bytes:
    """Return a GLB of `faces` triangles in a strip of separate corners."""
    corners = b"".join(struct.pack("<9f", n, 0, 0, n + 1, 0, 0, n, 1, 0) for n in range(faces))
    gltf = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "triangle"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": 3 * faces,
                "type": "VEC3",
                "min": [0, 0, 0],
                "max": [faces, 1, 0],
            }
        ],
        "bufferViews": [{"buffer": 0, "byteLength": len(corners)}],
        "buffers": [{"byteLength": len(corners)}],
    }
    head = json.dumps(gltf).encode()
    head += b" " * (-len(head) % 4)
    length = 12 + 8 + len(head) + 8 + len(corners)
    return (
        struct.pack("<4sII", b"glTF", 2, length)
        + struct.pack("<I4s", len(head), b"JSON")
        + head
        + struct.pack("<I4s", len(corners), b"BIN\0")
        + corners
    )
