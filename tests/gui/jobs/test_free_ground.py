# SPDX-License-Identifier: GPL-3.0-or-later
"""Many meshes, generated one by one or from images dropped together, do not overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gui import pictures
from gui.artist import GENERATED
from gui.interface.test_image_sources import FEW_FACES
from gui.interface.test_orders import drop

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

pytestmark = pytest.mark.timeout(600)
BOXES = f"""
from mathutils import Vector
bpy.context.view_layer.update()
boxes = []
for name in [*{GENERATED}, 'Cube']:
    obj = bpy.data.objects[name]
    corners = [obj.matrix_world @ Vector(corner) for corner in obj.bound_box]
    boxes.append([[pick(corner[axis] for corner in corners) for axis in range(3)]
                  for pick in (min, max)])
boxes
"""
FRAME = """
with within('WINDOW'):
    result = bpy.ops.image_to_mesh.frame_results()
sorted(result)
"""
IN_VIEW = f"""
from bpy_extras import view3d_utils
from mathutils import Vector
area, where = view3d(), region()
side = next((r for r in area.regions if r.type == "UI" and r.width > 1), None)
right = side.x - where.x if side else where.width
spots = {{}}
for name in {GENERATED}:
    obj = bpy.data.objects[name]
    corners = [obj.matrix_world @ Vector(corner) for corner in obj.bound_box]
    flat = [view3d_utils.location_3d_to_region_2d(where, area.spaces.active.region_3d, corner)
            for corner in corners]
    spots[name] = [p is not None and 0 <= p.x < right and 0 <= p.y < where.height for p in flat]
sorted(name for name, inside in spots.items() if all(inside))
"""
LOWEST = 0.001
"""Meters by which a mesh may stand in the ground or in its neighbor."""


@pytest.fixture
def studio(artist: Artist) -> Artist:
    """The factory scene with its cube, where meshes are made quickly."""
    artist.new_file()
    artist.session.run(FEW_FACES)
    return artist


def assert_apart(artist: Artist, count: int) -> None:
    """Fail unless `count` meshes stand apart from each other and from the cube."""
    artist.session.wait_for(f"len({GENERATED}) == {count} and not running_jobs()", 60 + 30 * count)
    boxes = artist.session.run(BOXES)
    assert len(boxes) == count + 1
    for number, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[number + 1 :]:
            shared = [min(high[axis], other_high[axis]) - max(low[axis], other_low[axis])
                      for axis in range(3)]  # fmt: skip
            assert min(shared) <= LOWEST, (boxes, shared)


def test_nine_times_the_same(studio: Artist, photograph: Path) -> None:
    studio.choose(photograph)
    for number in range(9):
        studio.press_generate()
        studio.session.wait_for(f"len({GENERATED}) == {number + 1}", 60)
        studio.session.wait_for("not running_jobs()", 60)
    studio.session.screenshot("free-ground-nine")
    assert_apart(studio, 9)
    assert studio.session.run(FRAME) == ["FINISHED"]
    studio.point_at_view()
    studio.session.screenshot("free-ground-framed")
    assert len(studio.session.run(IN_VIEW)) == 9


def test_three_dropped(studio: Artist, workshop: Path) -> None:
    files = [
        pictures.disc(workshop, f"button {number}.png", (200, 40 * number, 40))
        for number in range(3)
    ]
    drop(studio, files)
    assert_apart(studio, 3)
    studio.session.screenshot("free-ground-dropped")
