# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of an object's mesh in the .blend file, and their labels.

Objects and meshes are Blender's data-blocks, and are only read here.
"""

from __future__ import annotations

from typing import Any

from ..providers import Message
from .custom_properties import MADE_BY, VERSIONS

ORIGINAL = "Original, {count} faces"
LABELS = {
    "clean": "Cleaned, {count} faces",
    "decimate": "Reduced, {count} faces",
    "levels": "Levels of Detail, {count} faces",
    "quads": "Quads, {count} faces",
}
"""Labels of versions, by the edit that made them; for any other edit, `ORIGINAL` is used."""


def versions_of(obj: Any) -> list[tuple[str, Any]]:
    """Return an object's existing versions, oldest first, as pairs of a key and a mesh."""
    stored = obj.get(VERSIONS)
    if not stored:
        return []
    # The mesh that is shown is stored as "". A mesh that was removed leaves a key with None.
    meshes = ((key, obj.data if mesh == "" else mesh) for key, mesh in stored.items())
    return [(key, mesh) for key, mesh in meshes if mesh]


def made_by(obj: Any, mesh: Any) -> str:
    """Return the edit that made a version of an object, such as `decimate`; "" for an original."""
    # For the mesh that is shown, the properties are on the object.
    return str((obj if mesh == obj.data else mesh).get(MADE_BY, ""))


def version_label(edit: str, faces: int | None) -> str:
    """Return the label of a version: the edit that made it, and its number of faces or “?”."""
    return Message(LABELS.get(edit, ORIGINAL), count="?" if faces is None else f"{faces:,}")
