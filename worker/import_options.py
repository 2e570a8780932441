# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's cleanup choices for imported models. Imported by the artist's Blender, too: no bpy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options for cleaning up an imported model. Field names are keys in `job.json`.

    - `colors`: vertex colors are "wired" to the base color, "baked" into a texture, or "kept"
      unused
    - `metals`: fix metallic and roughness values
    - `tidy`: remove hierarchy, animation, and all objects but meshes, and merge equal materials
    - `weld`: merge vertices by position
    - `normals`: "auto" keeps the file's normals and smooths meshes that have no normals; "keep"
      changes nothing; "angle" shades smooth except at edges sharper than `angle` radians
    - `outward`: make faces point outward
    - `apply_transforms`: with `tidy`, apply the objects' transforms to their meshes
    - `texture_limit`: longest side in pixels; 0 for no limit
    """

    colors: str = "wired"
    metals: bool = True
    tidy: bool = True
    weld: bool = True
    normals: str = "auto"
    angle: float = math.radians(60.0)
    outward: bool = True
    apply_transforms: bool = True
    texture_limit: int = 0


def read_import_options(values: object) -> ImportOptions:
    """Return the options in a request.

    An option gets its default if its key is missing or its value has the wrong type. All options
    get their defaults if `values` is not a mapping.
    """
    if not isinstance(values, Mapping):
        return ImportOptions()
    default = ImportOptions()
    options: dict[str, Any] = {}
    for field in fields(ImportOptions):
        value, fallback = values.get(field.name), getattr(default, field.name)
        if isinstance(fallback, float) and isinstance(value, int | float):
            options[field.name] = float(value)
        # Not isinstance: a bool is an int in Python, but no texture limit.
        elif type(value) is type(fallback):
            options[field.name] = value
    return ImportOptions(**options)
