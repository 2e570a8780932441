# SPDX-License-Identifier: GPL-3.0-or-later
"""Append data-blocks from a .blend file without keeping its library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy


def append(blend_path: str, kind: str, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Append data-blocks of a kind such as "objects", and return them by name.

    The keys are the names in the file; Blender may have renamed the data-blocks. `names` selects
    some of them; None means all. The value is None for a name that the file does not have. Raise
    OSError if the file is not a .blend file.
    """
    # session_uid: libraries of the same name may exist, and names may change.
    before = {library.session_uid for library in bpy.data.libraries}
    with bpy.data.libraries.load(blend_path, link=False) as (source, target):
        wanted = list(getattr(source, kind) if names is None else names)
        setattr(target, kind, list(wanted))  # Blender replaces these names with data-blocks.
    # Blender keeps a library data-block even when everything was appended and nothing linked.
    for library in [library for library in bpy.data.libraries if library.session_uid not in before]:
        bpy.data.libraries.remove(library)
    return dict(zip(wanted, getattr(target, kind), strict=True))
