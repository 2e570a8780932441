# SPDX-License-Identifier: GPL-3.0-or-later
"""What the background Blender is asked for when a mesh file becomes a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ._values import Record
from .assets import asset_of
from .versions import ORIGINAL, PARTS

PREVIEW = "preview.png"
LEAST = 64 << 20
"""Bytes of meshes up to which they come in at once, in some 50 ms: a million faces have more."""


def prepare_request(
    folder: Path, record: Record, mending: Mapping[str, Any] | None, *, in_parts: bool = False
) -> dict[str, Any]:
    """Return the request: plain JSON. A large model is made in parts, too, if somebody waits."""
    preview = folder / PREVIEW
    return {
        "do": "prepare",
        "mesh": str(folder / (record.mesh or "")),
        "name": record.name,
        "output": str(folder / ORIGINAL),
        "parts": {"folder": str(folder / PARTS), "least": LEAST} if in_parts else None,
        "preview": str(preview),
        "render_preview": not preview.is_file(),
        "mending": mending,
        "asset": asset_of(record),
    }
