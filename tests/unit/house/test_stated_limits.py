# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures that the manual states and no other test holds; docs/dev/claims.md lists them all."""

from __future__ import annotations

import struct

import pytest
from fakes.png import chunk
from unit.worker_package import load

from image_to_mesh.jobs.steps import repeated_order

Refusal = load("refusal").Refusal


def _head(side: int) -> bytes:
    """Return the head of a PNG of `side` × `side` pixels, with alpha."""
    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)


def _open_images(count: int, side: int) -> None:
    budget = load("checks.image_headers").ImageBudget()
    for _ in range(count):
        budget.add(_head(side))


def test_four_textures_of_8192_pixels_are_1_gb_and_a_fifth_is_too_much() -> None:
    _open_images(4, 8192)
    with pytest.raises(Refusal, match="GB"):
        _open_images(5, 8192)


def test_2000_objects_1000_materials_and_16_mb_of_material_file() -> None:
    assert load("checks.gltf.nodes").MAX_OBJECTS == 2_000
    assert load("checks.gltf.check").MAX_MATERIALS == 1_000
    assert load("checks.obj_references").MAX_LIBRARY == 16 * 1024 * 1024


def test_the_same_order_asks_for_ten_seconds() -> None:
    assert repeated_order.SOON == 10.0
