# SPDX-License-Identifier: GPL-3.0-or-later
"""The values that Tripo's fields accept (migration guide, v2 pages and SDKs, 2026-11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .tripo_server import Refused

Judge = Callable[[Any], bool]
QUADS, LOW_POLY, GENERATE_PARTS = "quad", "smart_low_poly", "generate_parts"


def one_of(*values: str) -> Judge:
    """Accept only these texts."""
    return lambda value: isinstance(value, str) and value in values


def boolean(value: Any) -> bool:
    """Accept only true and false."""
    return isinstance(value, bool)


def integer(value: Any) -> bool:
    """Accept whole numbers from 0."""
    return type(value) is int and value >= 0


SHARED: Mapping[str, Judge] = {
    "face_limit": integer,
    "texture": boolean,
    "pbr": boolean,
    "model_seed": integer,
    "texture_seed": integer,
    "texture_quality": one_of("standard", "detailed", "extreme"),
    "geometry_quality": one_of("standard", "detailed"),
    "texture_alignment": one_of("original_image", "geometry"),
    "orientation": one_of("default", "align_image"),
    "auto_size": boolean,
    QUADS: boolean,
    LOW_POLY: boolean,
    GENERATE_PARTS: boolean,
    "compress": one_of("", "geometry"),
    "export_uv": boolean,
}


def check_fields(body: Mapping[str, Any], known: Mapping[str, Judge]) -> None:
    """Refuse a field that is not documented, or has a value of another type or range."""
    for name, value in body.items():
        if name not in known:
            raise Refused(400, 1004, f"unknown parameter {name}")
        if not known[name](value):
            raise Refused(400, 1004, f"invalid {name} {value!r}")


def check_together(
    body: Mapping[str, Any], low_poly: tuple[int, int], quads: tuple[int, int]
) -> None:
    """Refuse settings that exclude each other; the ranges are those of Smart Low Poly."""
    textured = body.get("texture", True) or body.get("pbr", True)
    if body.get(GENERATE_PARTS) and textured:
        raise Refused(400, 1004, "generate_parts needs texture=false and pbr=false")
    if body.get(GENERATE_PARTS) and body.get(QUADS):
        raise Refused(400, 1004, "generate_parts is not compatible with quad")
    if not textured and "texture_quality" in body:
        raise Refused(400, 1004, "texture_quality is not allowed without texture")
    limit = body.get("face_limit")
    low, high = quads if body.get(QUADS) else low_poly
    if body.get(LOW_POLY) and limit is not None and not low <= limit <= high:
        raise Refused(400, 1004, f"face_limit must be {low} to {high}")


def check_p1(body: Mapping[str, Any]) -> None:
    """Refuse the fields that P1 does not accept even if they are false."""
    for name in (QUADS, LOW_POLY, GENERATE_PARTS, "geometry_quality"):
        if name in body:
            raise Refused(400, 1004, f"{name} is not supported by P1")
    if not 48 <= body.get("face_limit", 48) <= 20_000:
        raise Refused(400, 1004, "face_limit must be 48 to 20000")
