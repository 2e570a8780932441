# SPDX-License-Identifier: GPL-3.0-or-later
"""In the factory scene, one click generates a mesh that is seen in its colors."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING, Any

import pytest
from gui import pictures
from gui.artist import GENERATED

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

SEEN = 0.6
HUE_DEGREES = 15.0
INSIDE = """
import numpy
from bpy_extras import view3d_utils

def seen_points(name, step=3):
    bpy.context.view_layer.update()
    obj, area = bpy.data.objects[name], view3d()
    where, data = region(), area.spaces.active.region_3d
    side = next((r for r in area.regions if r.type == "UI" and r.width > 1), None)
    right = side.x if side else where.x + where.width
    corners = [obj.matrix_world @ __import__("mathutils").Vector(c) for c in obj.bound_box]
    flat = [view3d_utils.location_3d_to_region_2d(where, data, c) for c in corners]
    inverse = obj.matrix_world.inverted()
    graph = bpy.context.evaluated_depsgraph_get()
    points, total = [], 0
    for x in range(int(min(p.x for p in flat)), int(max(p.x for p in flat)), step):
        for y in range(int(min(p.y for p in flat)), int(max(p.y for p in flat)), step):
            start = view3d_utils.region_2d_to_origin_3d(where, data, (x, y))
            ray = view3d_utils.region_2d_to_vector_3d(where, data, (x, y))
            if not obj.ray_cast(inverse @ start, inverse.to_3x3() @ ray)[0]:
                continue
            total += 1
            hit = bpy.context.scene.ray_cast(graph, start, ray)
            inside = 0 <= x < where.width and 0 <= y < where.height and where.x + x < right
            if hit[0] and hit[4].name == name and inside:
                points.append([x, where.height - y])
    return [points, total]

def colors_of(name):
    material = bpy.data.objects[name].active_material
    image = next(n.image for n in material.node_tree.nodes if n.type == "TEX_IMAGE")
    pixels = numpy.empty(len(image.pixels), numpy.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(-1, image.channels).astype(float)
    linear = numpy.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    return [list(material.diffuse_color)[:3], linear[:, :3].mean(0).tolist(),
            list(bpy.data.objects[name].color)[:3]]

def shading():
    return [[a.spaces.active.shading.type, a.spaces.active.shading.color_type]
            for a in bpy.context.window_manager.windows[0].screen.areas if a.type == "VIEW_3D"]
"""
HIDE = """
layers = bpy.context.view_layer.layer_collection.children
bpy.context.view_layer.active_layer_collection = layers["Collection"]
layers["Collection"].hide_viewport = True
"""


@pytest.fixture
def factory(artist: Artist) -> Artist:
    artist.session.run(
        "dismiss_jobs(); bpy.ops.wm.read_homefile(use_factory_startup=True, app_template='')"
    )
    artist.session.open_tab()
    artist.session.run(INSIDE)
    return artist


def generate(artist: Artist, picture: Path, name: str) -> str:
    """Choose the picture, click Generate and return the new mesh."""
    artist.choose(picture)
    known = set(artist.meshes())
    artist.press_generate()
    count = f"len({GENERATED}) > {len(known)}"
    artist.session.wait_for(count, 40)
    artist.shows("Import Again")
    artist.point_at_view()
    artist.session.screenshot(f"first-sight-{name}")
    (made,) = set(artist.meshes()) - known
    return str(made)


def share_seen(artist: Artist, mesh: str) -> tuple[float, list[Any]]:
    points, total = artist.session.run(f"seen_points({mesh!r})", 30)
    return len(points) / max(total, 1), points


def drawn_color(artist: Artist, points: list[Any], name: str) -> list[float]:
    """Return the mean of the drawn pixels, 0 to 1."""
    place = artist.session.run("place_of('WINDOW')")
    shot = artist.session.screenshot(f"first-sight-{name}-drawn")
    known = {tuple(point) for point in points}
    # Away from the outline, which is drawn in the color of the selection.
    inner = [
        (x, y)
        for x, y in points
        if all((x + across, y + down) in known for across in (-6, 0, 6) for down in (-6, 0, 6))
    ]
    chosen = inner[:: max(1, len(inner) // 40)]
    colors = [pictures.mean_color(shot, place["left"] + x, place["top"] + y, 1) for x, y in chosen]
    return [sum(values) / len(values) / 255 for values in zip(*colors, strict=True)]


def hue(color: Any) -> float:
    return colorsys.rgb_to_hsv(*color)[0] * 360


def test_a_photograph_is_seen_in_its_colors(factory: Artist, photograph: Path) -> None:
    before = factory.session.run("[scene_facts()['view'], shading()]")
    mesh = generate(factory, photograph, "photo")
    share, points = share_seen(factory, mesh)
    assert share >= SEEN
    assert factory.session.run("[scene_facts()['view'], shading()]") == before, "nothing moved"
    color, texture, of_object = factory.session.run(f"colors_of({mesh!r})", 30)
    assert color == pytest.approx(texture, rel=0.02, abs=0.002)
    assert of_object == pytest.approx(color, abs=1e-4)
    away = abs(hue(drawn_color(factory, points, "photo")) - hue(color)) % 360
    assert min(away, 360 - away) <= HUE_DEGREES
    obj = f"bpy.data.objects[{mesh!r}]"
    assert factory.session.run(f"[list({obj}.rotation_euler), list({obj}.scale)]") == [
        [0, 0, 0],
        [1, 1, 1],
    ]


def test_further_meshes_stand_beside_and_in_sight(factory: Artist, photograph: Path) -> None:
    made = [generate(factory, photograph, f"row-{number}") for number in range(3)]
    for mesh in made:
        assert share_seen(factory, mesh)[0] >= 0.3
    places = [factory.session.run(f"list(bpy.data.objects[{mesh!r}].location)") for mesh in made]
    assert len({tuple(round(value, 2) for value in place) for place in places}) == len(made)


def test_a_gray_picture_is_seen_gray(factory: Artist, workshop: Path) -> None:
    picture = pictures.gray_disc(workshop)
    mesh = generate(factory, picture, "gray")
    share, points = share_seen(factory, mesh)
    assert share >= SEEN
    color, texture, _ = factory.session.run(f"colors_of({mesh!r})", 30)
    assert color == pytest.approx(texture, rel=0.02, abs=0.002)
    drawn = drawn_color(factory, points, "gray")
    assert max(drawn) - min(drawn) < 0.03


def test_with_a_hidden_active_collection_the_mesh_is_seen(
    factory: Artist, photograph: Path
) -> None:
    factory.session.run(HIDE)
    mesh = generate(factory, photograph, "hidden")
    assert share_seen(factory, mesh)[0] >= SEEN


def test_a_mesh_out_of_sight_is_framed(factory: Artist, photograph: Path) -> None:
    factory.session.run(
        "bpy.context.scene.image_to_mesh.placement.position = 'cursor'\n"
        "bpy.context.scene.cursor.location = (300, 0, 0)"
    )
    mesh = generate(factory, photograph, "framed")
    assert share_seen(factory, mesh)[0] >= SEEN


def test_show_texture_is_one_click_and_back(factory: Artist, photograph: Path) -> None:
    before = factory.session.run("shading()")
    generate(factory, photograph, "texture")
    factory.session.click_button("image_to_mesh.show_texture")
    factory.session.wait_for("shading()[0] == ['SOLID', 'TEXTURE']")
    factory.point_at_view()
    factory.session.screenshot("first-sight-texture-shown")
    factory.shows("Hide Texture")
    factory.session.click_button("image_to_mesh.show_texture")
    factory.session.wait_for(f"shading() == {before!r}")
