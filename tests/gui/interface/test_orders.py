# SPDX-License-Identifier: GPL-3.0-or-later
"""Paid orders are announced first: for dropped files, in the Image Editor, and in menus."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from fakes.glb import triangle_glb
from fakes.service import KEY, Service, serving
from gui import pictures
from gui.artist import Artist
from gui.xdnd import Drag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.conftest import StartBlender

ARRIVAL = 1.0
"""Seconds in which an order would have arrived at the service."""


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """The service, which takes 0.3 s for a job."""
    with serving(Service(takes=0.3, mesh=triangle_glb(5))) as running:
        yield running


@pytest.fixture(scope="module")
def artist(open_blender: StartBlender, rehearsal: Path, service: Service) -> Iterator[Artist]:
    """An artist with a key for the service."""
    keys = {
        "REHEARSAL_BASE_URL": service.url,
        "REHEARSAL_API_KEY": KEY,
        "TRIPO_BASE_URL": "http://127.0.0.1:9/v3",
        "TRIPO_API_KEY": "tsk_0123456789",
    }
    with open_blender(rehearsal, **keys) as session:
        session.open_tab()
        yield Artist(session)


@pytest.fixture
def files(workshop: Path) -> list[Path]:
    """Three images of different colors."""
    colors = ((200, 40, 40), (40, 200, 40), (40, 40, 200))
    return [
        pictures.with_dark_corner(workshop, f"pot {number}.png", color)
        for number, color in enumerate(colors)
    ]


def choose_service(artist: Artist) -> None:
    artist.new_file()
    artist.session.run("bpy.context.scene.image_to_mesh.provider = 'rehearsal'")


def drop(artist: Artist, files: list[Path]) -> None:
    """Drop files on the viewport, and choose Generate Mesh Here in Blender's menu."""
    place = artist.session.run("place_of('WINDOW')")
    x, y = place["left"] + place["width"] // 3, place["top"] + place["height"] * 2 // 3
    with Drag(artist.session.display, files) as drag:
        drag.over((x + 200, y - 150), (x, y))
        drag.drop()
    time.sleep(2)
    artist.session.screenshot("orders-drop-menu")
    artist.session.click(x, y)


IMAGE_EDITOR = """
area = next(area for area in bpy.context.window_manager.windows[0].screen.areas
            if area.type == 'VIEW_3D')
area.type = 'IMAGE_EDITOR'
area.spaces.active.show_region_ui = True
area.spaces.active.image = bpy.data.images.load({image!r}, check_existing=True)
looked_at, region.__globals__['view3d'] = view3d, lambda: area
"""
"""The Image Editor shows an image in the largest area, and the harness looks for buttons there."""
BACK = "region.__globals__['view3d'] = looked_at; area.type = 'VIEW_3D'"


@pytest.fixture
def image_editor(artist: Artist, files: list[Path]) -> Iterator[None]:
    """The Image Editor with the third image, while the scene has another one and its left view."""
    choose_service(artist)
    artist.choose(files[0])
    artist.session.run(
        f"bpy.context.scene.image_to_mesh.view_left = bpy.data.images.load({str(files[1])!r})"
    )
    artist.session.run(IMAGE_EDITOR.format(image=str(files[2])))
    time.sleep(1.0)  # Blender knows the tabs once they were drawn
    try:
        artist.session.wait_for("choose_tab('Image to Mesh')")
        yield
    finally:
        artist.session.run(BACK)


def test_old_side_views_go_unseen_into_no_order(
    artist: Artist, service: Service, image_editor: None
) -> None:
    service.submits.clear()
    artist.session.click_button("image_to_mesh.use_image")
    artist.session.wait_for("bpy.context.scene.image_to_mesh.image.name == 'pot 2.png'")
    time.sleep(1.5)
    artist.session.screenshot("orders-image-editor-asks")
    x, y = artist.session.find("image_to_mesh.generate")
    artist.session.click(x, y)
    time.sleep(ARRIVAL)
    assert service.submits == []
    artist.session.click_button("image_to_mesh.clear_views")
    artist.session.wait_for("bpy.context.scene.image_to_mesh.view_left is None")
    artist.session.click_button("image_to_mesh.generate")
    time.sleep(1.0)
    artist.session.screenshot("orders-image-editor-confirm")
    artist.session.press("Escape")
    time.sleep(ARRIVAL)
    assert service.submits == []
    service.takes = 6.0
    artist.session.click_button("image_to_mesh.generate")
    time.sleep(1.0)
    artist.session.press("Return")
    artist.session.wait_for("bool(running_jobs())")
    time.sleep(3.0)
    artist.session.screenshot("orders-image-editor-running")
    service.takes = 0.3
    artist.session.wait_for("[one['state'] for one in ended_jobs()][:1] == ['ready']", 60)
    assert [list(order["pictures"]) for order in service.submits] == [["front"]]


def test_the_views_are_pictures_of_equal_size(artist: Artist, files: list[Path]) -> None:
    choose_service(artist)
    artist.unfold("views")
    artist.session.run("bpy.context.scene.image_to_mesh.provider = 'tripo'")
    artist.choose(files[0])
    artist.keep("orders-views-empty")
    for view, file in zip(("left", "back"), files[1:], strict=True):
        artist.session.run(
            f"bpy.context.scene.image_to_mesh.view_{view} = bpy.data.images.load({str(file)!r})"
        )
    time.sleep(6)
    artist.keep("orders-views")
    artist.drag_sidebar_to(220)
    artist.keep("orders-views-narrow")
    artist.choose(files[2])
    time.sleep(1)
    artist.keep("orders-views-asked")


def test_three_dropped_files_ask_with_number_and_sum(
    artist: Artist, service: Service, files: list[Path]
) -> None:
    service.submits.clear()
    choose_service(artist)
    drop(artist, files)
    time.sleep(2)
    artist.session.screenshot("orders-drop-asks")
    artist.session.press("Escape")
    time.sleep(ARRIVAL)
    assert service.submits == []
    drop(artist, files)
    time.sleep(2)
    artist.session.press("Return")
    artist.session.wait_for(
        "len([one for one in ended_jobs() if one['state'] == 'ready']) == 3", 60
    )
    assert len(service.submits) == 3
    assert "Traceback" not in artist.session.output()
