# SPDX-License-Identifier: GPL-3.0-or-later
"""Free ground: new meshes stand where they can be seen, beside what is there, in a row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from fakes.promised import calls_of
from mathutils import Matrix, Quaternion, Vector

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

SIDES = (1.0, 1.0, 1.0)
FACTORY_VIEW = Quaternion((0.716, 0.439, 0.291, 0.459))
"""Approximately the viewport's rotation in the factory file."""


@pytest.fixture
def free(addon: ModuleType) -> Any:
    return addon_module("scene.ground.free_ground")


@pytest.fixture
def place(addon: ModuleType) -> Callable[..., bpy.types.Object]:
    """Return a function that places a new cube of 1 m as a result."""
    placement = addon_module("scene.placement")

    def run(**options: Any) -> bpy.types.Object:
        chosen = bpy.context.scene.image_to_mesh.placement
        for name, value in options.items():
            setattr(chosen, name, value)
        mesh = bpy.data.meshes.new("result")
        corners = [(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0.0, 1.0)]
        mesh.from_pydata(corners, [], [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6)])
        obj = bpy.data.objects.new("result", mesh)
        obj["image_to_mesh_job"] = "2026-photo"
        bpy.context.scene.collection.objects.link(obj)
        ordered = placement.chosen_placement(bpy.context, chosen)
        placement.move_to_place(bpy.context, [obj], ordered)
        bpy.context.view_layer.update()
        return obj

    return run


def add(kind: str, **options: Any) -> bpy.types.Object:
    getattr(bpy.ops.mesh, f"primitive_{kind}_add")(**options)
    return bpy.context.object


def box(obj: bpy.types.Object) -> tuple[Vector, Vector]:
    corners = [obj.matrix_world @ Vector(corner) for corner in obj.bound_box]
    columns = list(zip(*corners, strict=True))
    return Vector(map(min, columns)), Vector(map(max, columns))


def overlaps(obj: bpy.types.Object, other: bpy.types.Object) -> bool:
    (low, high), (other_low, other_high) = box(obj), box(other)
    return all(
        low[axis] < other_high[axis] - 1e-4 and high[axis] > other_low[axis] + 1e-4
        for axis in range(3)
    )


def test_the_first_mesh_stands_beside_the_default_cube(place: Any) -> None:
    made = place()
    assert not overlaps(made, bpy.data.objects["Cube"])
    assert made.location.length < 3.0
    assert made.location.z == pytest.approx(-1.0), "the ground that the cube stands on"


def test_nine_meshes_form_a_row_and_never_overlap(place: Any) -> None:
    made = [place() for _ in range(9)]
    everything = [*made, bpy.data.objects["Cube"]]
    pairs = [(obj, other) for obj in everything for other in everything if obj is not other]
    assert not any(overlaps(*pair) for pair in pairs)
    assert len({round(obj.location.y, 4) for obj in made}) == 1
    assert len({round(obj.location.z, 4) for obj in made}) == 1


@pytest.mark.parametrize("position", ["cursor", "origin", "surface"])
def test_meshes_at_a_point_form_a_row(position: str, place: Any) -> None:
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    made = [place(position=position) for _ in range(4)]
    assert [round(obj.location.x, 3) for obj in made] == [0.0, 1.25, 2.5, 3.75]


def test_in_an_empty_scene_the_mesh_stands_at_the_cursor_on_the_ground(place: Any) -> None:
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.context.scene.cursor.location = (2.0, 3.0, 5.0)
    assert place().location[:] == pytest.approx((2.0, 3.0, 0.0))


def test_lights_cameras_and_empties_do_not_count(place: Any) -> None:
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    for obj in bpy.context.scene.objects:
        obj.location = (0.0, 0.0, 0.5)
    bpy.ops.object.empty_add(radius=3.0)
    assert place().location[:] == pytest.approx((0.0, 0.0, 0.0))


def test_hidden_objects_do_not_count(place: Any) -> None:
    bpy.data.objects["Cube"].hide_set(True)
    assert place().location[:] == pytest.approx((0.0, 0.0, 0.0))


def test_objects_of_a_hidden_collection_do_not_count(place: Any) -> None:
    bpy.context.view_layer.layer_collection.children["Collection"].hide_viewport = True
    assert place().location[:] == pytest.approx((0.0, 0.0, 0.0))


def test_a_ground_plane_carries_the_mesh(place: Any) -> None:
    add("plane", size=200.0, location=(0.0, 0.0, -1.0))
    made = place()
    assert made.location.length < 3.0
    assert made.location.z == pytest.approx(-1.0, abs=1e-3)


def test_a_ground_plane_alone_does_not_move_the_mesh(place: Any) -> None:
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    add("plane", size=200.0, location=(0.0, 0.0, 0.25))
    assert place().location[:] == pytest.approx((0.0, 0.0, 0.25), abs=1e-3)


@pytest.mark.parametrize("height", [-1.0, -1.2])
def test_in_a_room_the_mesh_stands_on_its_floor(height: float, place: Any) -> None:
    room = add("cube", size=30.0, location=(0.0, 0.0, 15.0 + height))
    made = place()
    assert made.location.length < 3.5
    assert made.location.z == pytest.approx(height, abs=1e-3)
    assert not overlaps(made, bpy.data.objects["Cube"])
    low, high = box(room)
    assert low.x < made.location.x < high.x


def test_a_sky_dome_is_no_obstacle(place: Any) -> None:
    add("uv_sphere", radius=1000.0)
    made = place()
    assert made.location.length < 3.0
    assert made.location.z == pytest.approx(-1.0)


def test_beside_a_large_building_and_not_in_it(place: Any) -> None:
    bpy.data.objects["Cube"].scale = (1.9, 1.9, 1.9)
    made = place()
    assert not overlaps(made, bpy.data.objects["Cube"])
    assert made.location.xy.length < 5.0


def test_mirrored_and_rotated_objects_keep_their_room(place: Any) -> None:
    cube = bpy.data.objects["Cube"]
    cube.scale, cube.rotation_euler = (-1.0, 2.0, 1.0), (0.0, 0.0, math.radians(45))
    bpy.context.view_layer.update()
    assert not overlaps(place(), cube)


def test_collection_instances_are_obstacles(place: Any) -> None:
    collection = bpy.data.collections["Collection"]
    bpy.ops.object.collection_instance_add(collection=collection.name, location=(4.0, 0.0, 0.0))
    bpy.context.view_layer.update()
    spots = [place().location.copy() for _ in range(4)]
    assert not [spot for spot in spots if 2.6 < spot.x < 5.4 and abs(spot.y) < 1.4]


def test_modifiers_count(place: Any) -> None:
    cube = bpy.data.objects["Cube"]
    modifier = cube.modifiers.new("Array", "ARRAY")
    modifier.count = 5
    bpy.context.view_layer.update()
    made = place()
    assert not -1.0 < made.location.x < 9.0 or abs(made.location.y) > 1.4


def test_a_hidden_active_collection_is_not_used(place: Any, addon: ModuleType) -> None:
    collection_of = addon_module("scene.link_to_scene")._collection
    layers = bpy.context.view_layer.layer_collection.children
    for change in ({"exclude": True}, {"hide_viewport": True}):
        layer = layers["Collection"]
        bpy.context.view_layer.active_layer_collection = layer
        for name, value in change.items():
            setattr(layer, name, value)
        assert collection_of(bpy.context) == bpy.context.scene.collection
        for name in change:
            setattr(layer, name, False)
    bpy.data.collections["Collection"].hide_viewport = True
    bpy.context.view_layer.active_layer_collection = layers["Collection"]
    assert collection_of(bpy.context) == bpy.context.scene.collection


def test_a_rotation_of_the_service_goes_into_the_mesh(place: Any, addon: ModuleType) -> None:
    made = place()
    placement = addon_module("scene.placement")
    made.data.transform(Matrix.Translation((0.25, 0.0, 0.0)))
    placement.move_to_place(bpy.context, [made], addon_module("jobs").Placement(), math.pi / 2)
    assert made.rotation_euler[:] == (0.0, 0.0, 0.0)
    assert made.scale[:] == (1.0, 1.0, 1.0)
    assert max(vertex.co.y for vertex in made.data.vertices) == pytest.approx(0.75)


def test_the_expected_stand_is_where_the_mesh_comes(place: Any, addon: ModuleType) -> None:
    placement = addon_module("scene.placement")
    chosen = bpy.context.scene.image_to_mesh.placement
    ordered = placement.chosen_placement(bpy.context, chosen)
    first = placement.expected_stand(bpy.context, ordered, SIDES)
    second = placement.expected_stand(bpy.context, ordered, SIDES, [first.box()])
    assert place().location[:] == pytest.approx(first.location[:])
    assert place().location[:] == pytest.approx(second.location[:])


def view_of(free: Any, rotation: Quaternion, distance: float = 18.0) -> Any:
    camera = rotation.to_matrix().to_4x4() @ Matrix.Translation((0.0, 0.0, distance))
    lens = Matrix(((50 / 36, 0, 0, 0), (0, 80 / 36, 0, 0), (0, 0, -1, -0.2), (0, 0, -1, 0)))
    return free.View(lens @ camera.inverted(), camera.translation, camera.col[0].to_3d())


def test_the_row_runs_across_the_screen(free: Any) -> None:
    cube = free.Obstacle((Vector((-1, -1, -1)), Vector((1, 1, 1))))
    view = view_of(free, FACTORY_VIEW)
    spot = free.find_spot(free.Surroundings((cube,), (), Vector(), view), SIDES, 0.25)
    assert abs(spot.x) < 1e-6
    assert abs(spot.y) == pytest.approx(1.75, abs=1e-3)
    front = view_of(free, Quaternion((1, 0, 0), math.pi / 2))
    spot = free.find_spot(free.Surroundings((cube,), (), Vector(), front), SIDES, 0.25)
    assert abs(spot.x) == pytest.approx(1.75, abs=1e-3)


def test_a_spot_behind_something_is_not_taken(free: Any) -> None:
    front = view_of(free, Quaternion((1, 0, 0), math.pi / 2))
    cube = free.Obstacle((Vector((-1, -1, -1)), Vector((1, 1, 1))))
    screen = free.Obstacle((Vector((1.2, -4, -1)), Vector((4, -3, 3))))
    spot = free.find_spot(free.Surroundings((cube, screen), (), Vector(), front), SIDES, 0.25)
    assert spot.x == pytest.approx(-1.75, abs=1e-3)


def test_in_a_crowd_the_nearest_gap_is_taken(free: Any) -> None:
    crowd = [
        free.Obstacle((Vector((x - 0.6, y - 0.6, 0)), Vector((x + 0.6, y + 0.6, 2))))
        for x in range(-30, 31)
        for y in range(-30, 31)
        if max(abs(x), abs(y)) < 3 or x == 0 or y == 0
    ]
    spot = free.find_spot(free.Surroundings(tuple(crowd), (), Vector()), SIDES, 0.25)
    assert 2.0 < spot.length < 8.0


@pytest.mark.timeout(20)
@pytest.mark.parametrize("spacing", [0.1, 0.2, 0.3, 0.5])
@pytest.mark.parametrize("away", [270.326, 1335.173, 7192.382, 31824.359])
@pytest.mark.parametrize("side", [0.05, 0.1, 0.3, 1.0])
def test_a_row_ends_far_from_the_origin(
    free: Any, side: float, away: float, spacing: float
) -> None:
    """There, 32-bit coordinates are rounded by more than the tolerance between neighbors."""
    sides = (side, side, side)
    first = free.model_box(Vector((away, 0.0, 0.0)), sides)
    boxes = [first]
    for _ in range(4):
        around = free.Surroundings(
            free.boxes_as_obstacles(boxes), (), Vector((away, 0.0, 0.0)), None
        )
        boxes.append(free.model_box(free.find_spot(around, sides, spacing), sides))
    rounding = away * 2e-7
    for number, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[:number]:
            gaps = [max(other_low[i] - high[i], low[i] - other_high[i]) for i in (0, 1)]
            assert max(gaps) > spacing - 1e-3 * side - rounding


def test_many_large_objects_are_no_stall(free: Any) -> None:
    """Of the wide ones only the widest are compared with everything else."""
    boxes = [
        free.model_box(Vector((number * 0.01, 0.0, 0.0)), (50.0, 50.0, 50.0))
        for number in range(600)
    ]
    around = free.Surroundings(free.boxes_as_obstacles(boxes), (), Vector(), None)
    assert calls_of(lambda: free.find_spot(around, SIDES, 0.25)) < 150 * len(boxes)
