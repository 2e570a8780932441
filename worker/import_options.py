# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person may choose about mending; every part of it can be switched off. No bpy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Mending:
    """How an imported model is mended.

    `colors`: what vertex colours become: "wired" to the base colour, "baked" into a texture, or
    "kept" as they came. `normals`: "auto" keeps the file's where they matter and smooths what came
    without, "keep" takes the file's as they are, "angle" shades smooth but for edges over `angle`
    radians. `texture_limit`: longest side in pixels, 0 for no limit.
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


def mending_of(asked: object) -> Mending:
    """Return the choices of a request; what it does not name, or names wrongly, is the default."""
    if not isinstance(asked, Mapping):
        return Mending()
    default = Mending()
    given: dict[str, Any] = {}
    for one in fields(Mending):
        value, usual = asked.get(one.name), getattr(default, one.name)
        if isinstance(usual, float) and isinstance(value, int | float):
            given[one.name] = float(value)
        elif type(value) is type(usual):
            given[one.name] = value
    return Mending(**given)
