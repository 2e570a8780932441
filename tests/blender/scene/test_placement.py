# SPDX-License-Identifier: GPL-3.0-or-later
"""Models have the chosen location, rotation and size, within a millimeter, in any scene units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module
from mathutils import Matrix, Vector

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

CURSOR = (1.0, -2.0, 3.0)
PROPERTIES = {"image_to_mesh_job": "2026-photo"}
SIDES = (1.0, 0.5, 2.0)
"""Width, depth and height of the model, in meters."""
UNITS = {
    "meters": ("METRIC", 1.0, "METERS"),
    "centimeters": ("METRIC", 0.01, "CENTIMETERS"),
    "feet": ("IMPERIAL", 0.3048, "FEET"),
    "inches": ("IMPERIAL", 1.0, "INCHES"),
    "none": ("NONE", 1.0, "METERS"),
}


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared model of two stacked halves under an empty; its tip is at the front."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    width, depth, height = SIDES
    root = bpy.data.objects.new("photo", None)
    objects = [root]
    for number in (0, 1):
        low, high = number * height / 2, (number + 1) * height / 2
        corners = [(x, y, z) for z in (low, high) for x, y in (
            (-width / 2, depth / 2), (width / 2, depth / 2), (0.0, -depth / 2))]  # fmt: skip
        faces = [(0, 2, 1), (3, 4, 5), (0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5)]
        mesh = bpy.data.meshes.new(f"photo {number + 1}")
        mesh.from_pydata(corners, [], faces)
        part = bpy.data.objects.new(f"photo {number + 1}", mesh)
        part.parent = root
        objects.append(part)
    for obj in objects:
        bpy.context.collection.objects.link(obj)
    path = tmp_path_factory.mktemp("job") / "model.blend"
    bpy.data.libraries.write(str(path), set(objects))
    return path


@pytest.fixture(params=list(UNITS))
def units(request: pytest.FixtureRequest, model: Path, addon: ModuleType) -> float:
    """How many units a meter has in the factory scene, for every kind of units."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    return set_units(request.param)


@pytest.fixture
def meters(model: Path, addon: ModuleType) -> float:
    """The factory scene in meters, with one unit to a meter."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    return set_units("meters")


def set_units(name: str) -> float:
    system, scale, length = UNITS[name]
    unit_settings = bpy.context.scene.unit_settings
    unit_settings.system, unit_settings.scale_length = system, scale
    if system != "NONE":
        unit_settings.length_unit = length
    placement_options().position, placement_options().use_row = "cursor", False
    factor = 1.0 if system == "NONE" else 1.0 / scale
    bpy.context.scene.cursor.location = Vector(CURSOR) * factor
    return factor


def placement_options() -> Any:
    return bpy.context.scene.image_to_mesh.placement


@pytest.fixture
def bring(model: Path, addon: ModuleType) -> Callable[..., list[bpy.types.Object]]:
    """Return a function that appends the model as the scene's options say."""

    def run(rotation: float = 0.0) -> list[bpy.types.Object]:
        place = addon_module("scene.placement").chosen_placement(bpy.context, placement_options())
        names = addon_module("scene.link_to_scene").append_model(
            bpy.context,
            str(model),
            name="photo",
            properties=PROPERTIES,
            place=place,
            rotation=rotation,
        )
        bpy.context.view_layer.update()
        return [bpy.data.objects[name] for name in names]

    return run


def points(objects: list[bpy.types.Object]) -> NDArray[np.float64]:
    """Return all points of a model in world space."""
    return np.array(
        [obj.matrix_world @ vertex.co
         for obj in objects if obj.type == "MESH" for vertex in obj.data.vertices]
    )  # fmt: skip


def assert_placed(
    objects: list[bpy.types.Object], foot: Any, sides: Any, units: float, front: Any = (0, -1)
) -> None:
    """Check location, size and front to a millimeter, and that the scale is applied."""
    millimeter = 0.001 * units
    found = points(objects)
    low, high = found.min(0), found.max(0)
    assert low[2] == pytest.approx(foot[2], abs=millimeter)
    assert high[2] - low[2] == pytest.approx(sides[2], abs=millimeter)
    root = objects[0]
    assert root.parent is None
    np.testing.assert_allclose(root.matrix_world.translation, foot, atol=millimeter)
    tip = foot[:2] + np.array(front) * sides[1] / 2
    assert np.linalg.norm(found[:, :2] - tip, axis=1).min() < millimeter
    for obj in objects:
        np.testing.assert_allclose(obj.scale, (1, 1, 1), atol=1e-6)


def sides(factor: float) -> list[float]:
    return [side * factor for side in SIDES]


def test_a_model_is_placed_at_the_cursor(units: float, bring: Any) -> None:
    assert_placed(bring(), Vector(CURSOR) * units, sides(units), units)


def test_a_model_is_placed_at_the_world_origin(units: float, bring: Any) -> None:
    placement_options().position = "origin"
    assert_placed(bring(), (0, 0, 0), sides(units), units)


def test_a_model_is_placed_on_the_surface_under_the_cursor(units: float, bring: Any) -> None:
    cube = bpy.data.objects["Cube"]
    cube.scale = (units,) * 3
    cube.location = Vector((1.0, -2.0, 0.5)) * units
    placement_options().position = "surface"
    assert_placed(bring(), Vector((1.0, -2.0, 1.5)) * units, sides(units), units)


def test_a_model_is_placed_on_the_surface_the_cursor_is_snapped_to(
    meters: float, bring: Any
) -> None:
    bpy.context.scene.cursor.location = (0.25, 0.5, 1.0)
    placement_options().position = "surface"
    assert_placed(bring(), (0.25, 0.5, 1.0), SIDES, 1.0)


def test_without_a_surface_below_a_model_is_placed_at_the_cursor(meters: float, bring: Any) -> None:
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    placement_options().position = "surface"
    assert_placed(bring(), CURSOR, SIDES, 1.0)


def picture_empty(units: float, rotation: float) -> bpy.types.Object:
    """Return an upright image empty, 3 meters high and 1.5 wide, with an offset."""
    image = bpy.data.images.new("photo", 200, 400)
    empty = bpy.data.objects.new("reference", None)
    empty.empty_display_type = "IMAGE"
    empty.data = image
    empty.empty_display_size = 3.0 * units
    empty.empty_image_offset = (-0.5, -0.5)
    empty.rotation_euler = (math.pi / 2, 0.0, rotation)
    empty.location = Vector((4.0, 5.0, 2.0)) * units
    bpy.context.scene.collection.objects.link(empty)
    return empty


@pytest.mark.parametrize("rotation", [0.0, math.pi / 2, math.radians(30)])
def test_a_model_takes_location_and_height_of_an_image_empty(
    rotation: float, meters: float, bring: Any
) -> None:
    placement_options().position, placement_options().reference = (
        "reference",
        picture_empty(meters, rotation),
    )
    front = (math.sin(rotation), -math.cos(rotation))
    assert_placed(bring(), (4.0, 5.0, 0.5), sides(1.5), 1.0, front)


def test_an_image_empty_is_matched_in_any_units(units: float, bring: Any) -> None:
    placement_options().position, placement_options().reference = (
        "reference",
        picture_empty(units, 0.0),
    )
    assert_placed(bring(), Vector((4.0, 5.0, 0.5)) * units, sides(1.5 * units), units)


def test_a_model_is_placed_at_a_lying_image_empty(meters: float, bring: Any) -> None:
    empty = picture_empty(meters, 0.0)
    empty.rotation_euler = (0, 0, 0)
    placement_options().position, placement_options().reference = "reference", empty
    assert_placed(bring(), (4.0, 5.0, 2.0), sides(1.5), 1.0)


def test_a_model_is_placed_at_a_parented_object(meters: float, bring: Any) -> None:
    cube = bpy.data.objects["Cube"]
    parent = bpy.data.objects.new("parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.location, parent.rotation_euler = (10, 0, 0), (0, 0, math.pi / 2)
    cube.parent = parent
    cube.location, cube.scale = (0, 0, 5), (0.5, 0.5, 2)
    placement_options().position, placement_options().reference = "reference", cube
    assert_placed(bring(), (10, 0, 3), sides(2), 1.0, (1, 0))


@pytest.mark.parametrize(("measure", "factor"), [("height", 0.9), ("longest", 0.9)])
def test_a_model_has_the_requested_size(
    measure: str, factor: float, units: float, bring: Any
) -> None:
    placement_options().use_size, placement_options().measure, placement_options().size = (
        True,
        measure,
        1.8 * units,
    )
    assert_placed(bring(), Vector(CURSOR) * units, sides(factor * units), units)


def test_the_size_can_be_measured_along_the_longest_side(meters: float, bring: Any) -> None:
    place = addon_module("jobs").Placement(CURSOR, size=5.0, measure="longest")
    low, high = Vector((-2, -1, 0)), Vector((2, 1, 1))
    assert addon_module("scene.placement")._factor(place, low, high, 1.0) == pytest.approx(1.25)


def test_the_front_of_a_provider_is_rotated(meters: float, bring: Any) -> None:
    assert_placed(bring(rotation=math.pi / 2), CURSOR, SIDES, 1.0, (1, 0))


def test_results_are_placed_in_a_row(units: float, bring: Any) -> None:
    placement_options().use_row, placement_options().spacing = True, 0.3 * units
    for number in range(4):
        foot = (CURSOR[0] + 1.3 * number, *CURSOR[1:])
        assert_placed(bring(), Vector(foot) * units, sides(units), units)


def test_a_gap_in_the_row_is_filled(meters: float, bring: Any) -> None:
    placement_options().use_row, placement_options().spacing = True, 0.3
    rows = [bring() for _ in range(3)]
    for row in rows[1]:
        bpy.data.objects.remove(row)
    assert_placed(bring(), (CURSOR[0] + 1.3, *CURSOR[1:]), SIDES, 1.0)


def test_objects_elsewhere_do_not_affect_the_row(meters: float, bring: Any) -> None:
    placement_options().use_row = True
    bpy.context.scene.cursor.location = (0, 5, 0)
    bring()
    bpy.context.scene.cursor.location = CURSOR
    assert_placed(bring(), CURSOR, SIDES, 1.0)


def test_results_in_nested_collections_count_for_the_row(meters: float, bring: Any) -> None:
    outer, inner = bpy.data.collections.new("outer"), bpy.data.collections.new("inner")
    bpy.context.scene.collection.children.link(outer)
    outer.children.link(inner)
    layers = bpy.context.view_layer.layer_collection.children["outer"].children
    bpy.context.view_layer.active_layer_collection = layers["inner"]
    objects = bring()
    assert_placed(objects, CURSOR, SIDES, 1.0)
    assert {collection for obj in objects for collection in obj.users_collection} == {inner}


def test_results_in_another_view_layer_count_for_the_row(meters: float, bring: Any) -> None:
    scene = bpy.context.scene
    other = scene.view_layers.new("other")
    hidden = other.layer_collection.children["Collection"]
    hidden.exclude = True
    with bpy.context.temp_override(view_layer=other):
        objects = bring()
        assert_placed(objects, CURSOR, SIDES, 1.0)
        assert objects[0].visible_get(view_layer=other)
        assert other.objects.active == objects[0]
    assert set(scene.view_layers[0].objects) >= set(objects)
    assert scene.view_layers[0].objects.active.name == "Cube"


def test_in_local_view_a_new_model_is_visible_at_once(meters: float, bring: Any) -> None:
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.view3d.localview()
        view = area.spaces.active
        objects = bring()
    assert view.local_view
    # Before 5.0, `local_view_get` returns False for every object.
    assert all(obj.visible_get(viewport=view) for obj in objects)
    assert not bpy.data.objects["Light"].visible_get(viewport=view)
    assert_placed(objects, CURSOR, SIDES, 1.0)


def test_a_linked_model_is_placed_and_can_be_moved(meters: float, bring: Any, model: Path) -> None:
    placement_options().storage = "linked"
    placement_options().use_size, placement_options().size = True, 4.0
    objects = bring()
    low, high = points(objects).min(0), points(objects).max(0)
    np.testing.assert_allclose(low[2], CURSOR[2], atol=1e-3)
    np.testing.assert_allclose(high - low, sides(2.0), atol=1e-3)
    assert all(obj.library is None for obj in objects)
    meshes = [obj.data for obj in objects if obj.data]
    assert [mesh.library.filepath for mesh in meshes] == [str(model)] * 2
    assert not [obj for obj in bpy.data.objects if obj.library]
    assert bpy.context.view_layer.objects.active == objects[0]
    again = bring()
    assert [obj.data for obj in again] == [obj.data for obj in objects]
    assert len(bpy.data.libraries) == 1


def test_a_recorded_placement_is_restored(addon: ModuleType) -> None:
    placement = addon_module("jobs.import_plan").Placement
    place = placement(tuple(CURSOR), 0.5, 1.8, "longest", 0.25, linked=True, unpack=True)
    assert placement.from_json({"scene": "Scene", **place.as_json()}) == place
    assert placement.from_json({"location": [1, 2, 3]}) == placement((1, 2, 3))


@pytest.mark.parametrize("scale", [1.0, 0.01, 0.3048])
def test_length_settings_are_meters_in_any_scene_units(scale: float, addon: ModuleType) -> None:
    scene, properties = bpy.context.scene, addon_module("state.scene_properties")
    scene.unit_settings.scale_length = scale
    scene.image_to_mesh.local.height = 1.8 / scale
    provider = addon_module("providers").all_providers()["local"]
    settings = properties.read_settings(scene, provider)
    assert settings.height == pytest.approx(1.8, rel=1e-5)
    properties.write_settings(scene, provider, settings)
    assert scene.image_to_mesh.local.height == pytest.approx(1.8 / scale, rel=1e-5)


def test_rotations_are_remembered_per_provider_and_model(meters: float, bring: Any) -> None:
    jobs, orientation, preferences = (
        addon_module("jobs"),
        addon_module("app.orientation"),
        addon_module("preferences"),
    )
    record = jobs.Record(
        "job", jobs.State.READY, "tripo", "photo", "2026-11-21T00:00:00+00:00",
        settings={"model": "v3.1"},
    )  # fmt: skip
    context = bpy.context
    first = orientation.rotation_for(context, record)
    assert first == 90
    root = bring()[0]
    root["image_to_mesh_provider"], root["image_to_mesh_model"] = "tripo", "v3.1"
    root["image_to_mesh_turn"] = first
    root.rotation_euler.z = math.radians(first)
    assert bpy.ops.image_to_mesh.turn(to="LEFT") == {"FINISHED"}
    assert orientation.rotation_for(context, record) == 180
    assert abs(root.rotation_euler.z) == pytest.approx(math.pi)
    bpy.ops.image_to_mesh.turn(to="BACK")
    assert orientation.rotation_for(context, record) == 0
    assert root.rotation_euler.z == pytest.approx(0, abs=1e-6)
    bpy.ops.image_to_mesh.turn(to="RIGHT")
    assert preferences.rotations(context) == {"tripo/v3.1": 270}
    bpy.ops.image_to_mesh.turn(to="RESET")
    assert preferences.rotations(context) == {"tripo/v3.1": 0}
    other = jobs.Record("job", jobs.State.READY, "local", "photo", record.created)
    assert orientation.rotation_for(context, other) == 0


def test_a_tilted_model_rotates_about_the_vertical_axis(meters: float, bring: Any) -> None:
    root = bring()[0]
    root.rotation_mode = "QUATERNION"
    root.matrix_world = Matrix.Translation(CURSOR) @ Matrix.Rotation(0.5, 4, "X")
    bpy.context.view_layer.update()
    addon_module("operators.results.rotate").rotate_by(root, 90)
    bpy.context.view_layer.update()
    wanted = Matrix.Translation(CURSOR) @ Matrix.Rotation(math.pi / 2, 4, "Z") \
        @ Matrix.Rotation(0.5, 4, "X")  # fmt: skip
    np.testing.assert_allclose(root.matrix_world, wanted, atol=1e-5)
