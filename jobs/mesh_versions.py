# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of an object's mesh in the .blend file, and their labels.

Objects and meshes are Blender's data-blocks, and are only read here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..providers import Message
from .custom_properties import DATE, MADE_BY, VERSIONS

UPDATE = "update"
"""The value of `MADE_BY` on a mesh that an update put into the object."""
ORIGINAL = "Original, {count} faces"
LABELS = {
    "clean": "Cleaned, {count} faces",
    "decimate": "Reduced, {count} faces",
    "levels": "Levels of Detail, {count} faces",
    "quads": "Quads, {count} faces",
    UPDATE: "Updated, {count} faces",
}
"""Labels of versions, by the edit that made them; for any other edit, `ORIGINAL` is used."""
UPDATED_AT = "Updated {time}, {count} faces"


def versions_of(obj: Any) -> list[tuple[str, Any]]:
    """Return an object's existing versions, oldest first, as pairs of a key and a mesh."""
    stored = obj.get(VERSIONS)
    if not stored:
        return []
    # The mesh that is shown is stored as "". A mesh that was removed leaves a key with None.
    meshes = ((key, obj.data if mesh == "" else mesh) for key, mesh in stored.items())
    return [(key, mesh) for key, mesh in meshes if mesh]


def stored_label(obj: Any, mesh: Any) -> str:
    """Return the label of a version of an object in the .blend file.

    Several updates often have equal numbers of faces, so their labels have the local time of the
    job, such as 14:32, if it is known.
    """
    # For the mesh that is shown, the properties are on the object.
    owner = obj if mesh == obj.data else mesh
    edit, faces = str(owner.get(MADE_BY, "")), len(mesh.polygons)
    time = _local_time(str(owner.get(DATE, "")))
    if edit == UPDATE and time:
        return Message(UPDATED_AT, time=time, count=f"{faces:,}")
    return version_label(edit, faces)


def version_label(edit: str, faces: int | None) -> str:
    """Return the label of a version: the edit that made it, and its number of faces or “?”."""
    return Message(LABELS.get(edit, ORIGINAL), count="?" if faces is None else f"{faces:,}")


def _local_time(created: str) -> str:
    """Return the time of day of a date in ISO format; "" if the text is no date."""
    try:
        return f"{datetime.fromisoformat(created).astimezone():%H:%M}"
    except (ValueError, OverflowError, OSError):
        return ""
