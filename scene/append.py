# SPDX-License-Identifier: GPL-3.0-or-later
"""Data-blocks out of a .blend file, without leaving its library behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy


def append(blend_path: str, kind: str, names: Sequence[str] | None = None) -> dict[str, Any]:
    """Append data-blocks of a kind, "objects" for instance; return them by their names in the file.

    Those of the names, or all. Raise OSError if the file cannot be read as a .blend file.
    """
    before = {library.session_uid for library in bpy.data.libraries}
    with bpy.data.libraries.load(blend_path, link=False) as (there, here):
        asked = list(getattr(there, kind) if names is None else names)
        setattr(here, kind, list(asked))  # it becomes the data-blocks themselves
    for library in [each for each in bpy.data.libraries if each.session_uid not in before]:
        bpy.data.libraries.remove(library)
    return dict(zip(asked, getattr(here, kind), strict=True))
