# SPDX-License-Identifier: GPL-3.0-or-later
"""Placeholders of running jobs, drawn into the viewport of a real window."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.glb import triangle_glb
from fakes.service import KEY, Service, serving
from gui import pictures
from gui.artist import Artist
from gui.harness import SCREENSHOTS, slowness
from PIL import Image, ImageChops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gui.conftest import StartBlender
    from gui.harness import Session

INSIDE = Path(__file__).parents[1] / "inside_placeholders.py"
LIMIT = 0.3
"""CPU milliseconds that the handlers may take for ten jobs."""
DRAWN_AFTER = 0.6
"""Seconds for an update and a redraw of the viewport."""
WITHOUT_OTHERS = """
for obj in list(bpy.data.objects): bpy.data.objects.remove(obj)
view = view3d().spaces.active
view.region_3d.view_perspective = 'ORTHO'
view.region_3d.view_rotation = (0.70710678, 0.70710678, 0.0, 0.0)
view.region_3d.view_location = (0.0, 0.0, 1.0)
view.region_3d.view_distance = 8.0
view.overlay.show_floor = view.overlay.show_axis_x = view.overlay.show_cursor = False
"""
SLANTED = """
from mathutils import Euler
view.overlay.show_floor = view.overlay.show_axis_x = view.overlay.show_axis_y = True
view.region_3d.view_perspective = 'PERSP'
view.region_3d.view_rotation = Euler((1.25, 0.0, 0.5)).to_quaternion()
view.region_3d.view_distance = 6.0
"""
FRONT = """
from bpy_extras.view3d_utils import location_3d_to_region_2d
def front(width, height):
    place, view = place_of('WINDOW'), view3d().spaces.active.region_3d
    ends = [location_3d_to_region_2d(region(), view, (x * width / 2, 0.0, z))
            for x, z in ((-1, height), (1, 0.0))]
    return [round(value) for point in ends
            for value in (place['left'] + point.x, place['top'] + place['height'] - point.y)]
front({width}, {height})
"""
RENDER = """
render = bpy.context.scene.render
render.engine = 'BLENDER_WORKBENCH'
render.resolution_x, render.resolution_y, render.filepath = 160, 90, {path!r}
if bpy.context.scene.camera is None:
    bpy.ops.object.camera_add(location=(0.0, -8.0, 1.0), rotation=(1.5707963, 0.0, 0.0))
    bpy.context.scene.camera = bpy.context.object
with within():
    bpy.ops.{operator}(write_still=True)
"""


@pytest.fixture
def shown(artist: Artist, photograph: Path) -> Iterator[Session]:
    """A viewport from the front without objects, and an image in the panel."""
    session = artist.session
    artist.new_file()
    session.run(INSIDE.read_text("utf-8"))
    session.run(WITHOUT_OTHERS)
    artist.choose(photograph)
    session.wait_for("report_of_image()", 60)
    yield session
    session.run("end_all()")
    session.wait_for("handlers() == 0")


def screenshot(session: Session, name: str) -> Image.Image:
    """Return a screenshot of the viewport, once it has been drawn."""
    time.sleep(DRAWN_AFTER)
    session.run("view3d().tag_redraw()")
    time.sleep(DRAWN_AFTER)
    with Image.open(session.screenshot(name)) as whole:
        return whole.convert("RGB")


def part(image: Image.Image, box: list[int], low: float, high: float) -> Image.Image:
    """Return a strip across the middle of a box, between two heights from 0 to 1."""
    left, top, right, bottom = box
    quarter, tall = (right - left) // 4, bottom - top
    return image.crop(
        (left + quarter, bottom - round(tall * high), right - quarter, bottom - round(tall * low))
    )


def orange(image: Image.Image) -> float:
    """Return how much redder than blue an image is, from 0 to 255: the dahlia is orange."""
    red, _, blue = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))  # type: ignore[misc]
    return float(red - blue)


def test_the_picture_fills_with_the_progress(shown: Session) -> None:
    empty = screenshot(shown, "placeholder-none")
    shown.run("stand('dahlia', 0.0, size=2.0)")
    shown.wait_for("standing() and standing()[0]['pictured']")
    width, _, height = shown.run("standing()")[0]["size"]
    box = shown.run(FRONT.format(width=width, height=height))
    seen = {}
    for percent in (0, 50, 100):
        shown.run(f"stand('dahlia', {percent / 100}, size=2.0)")
        shown.wait_for(f"standing()[0]['text'] == '{percent}%'")
        seen[percent] = screenshot(shown, f"placeholder-{percent}")
    low = {percent: orange(part(image, box, 0.1, 0.4)) for percent, image in seen.items()}
    high = {percent: orange(part(image, box, 0.6, 0.9)) for percent, image in seen.items()}
    print("\norange below and above the middle:", low, high)
    assert orange(part(empty, box, 0.1, 0.9)) == pytest.approx(0.0, abs=5.0)
    assert 10.0 < low[0] < low[50] - 20.0
    assert low[50] == pytest.approx(low[100], abs=5.0)
    assert high[0] == pytest.approx(high[50], abs=5.0)
    assert high[50] < high[100] - 20.0
    text = (box[0], box[1] - 30, box[2], box[1] - 4)
    assert all(ImageChops.difference(empty.crop(text), seen[50].crop(text)).getbbox() or ())
    beside = (box[0] - 200, box[1], box[0] - 10, box[3])
    assert ImageChops.difference(empty.crop(beside), seen[50].crop(beside)).getbbox() is None


def test_it_is_a_picture_in_the_manual(shown: Session) -> None:
    shown.run("stand('dahlia', 0.5, size=2.0)")
    shown.wait_for("standing() and standing()[0]['pictured']")
    shown.run(SLANTED)
    screenshot(shown, "viewport-placeholder")
    place = shown.run("place_of('WINDOW')")
    left, top = place["left"] + place["width"] // 2, place["top"] + place["height"] // 2
    spot = [left - 290, top - 240, left + 290, top + 240]
    pictures.cut(SCREENSHOTS / "viewport-placeholder.png", spot)


def test_it_is_hidden_with_the_overlays_and_by_the_preference(shown: Session) -> None:
    def viewport(name: str) -> bytes:
        time.sleep(DRAWN_AFTER)
        shown.run("view3d().tag_redraw()")
        time.sleep(DRAWN_AFTER)
        return pictures.pixels(shown.screenshot(name, "WINDOW"))

    shown.run("view3d().spaces.active.show_region_ui = False")
    empty = viewport("placeholder-off")
    shown.run("view3d().spaces.active.overlay.show_overlays = False")
    bare = viewport("placeholder-bare")
    shown.run("stand('dahlia', 0.5, size=2.0)")
    shown.wait_for("handlers() == 2")
    assert viewport("placeholder-no-overlays") == bare
    shown.run("view3d().spaces.active.overlay.show_overlays = True")
    assert viewport("placeholder-on") != empty
    shown.run("preferences().show_placeholders = False")
    shown.wait_for("handlers() == 0")
    assert viewport("placeholder-preference") == empty
    shown.run("preferences().show_placeholders = True; open_sidebar()")


@pytest.mark.parametrize("operator", ["render.render", "render.opengl"])
def test_it_is_not_rendered(shown: Session, workshop: Path, operator: str) -> None:
    files = []
    for count in range(2):
        if count:
            shown.run("stand('dahlia', 0.5, size=2.0)")
            shown.wait_for("standing() and standing()[0]['pictured']")
        files.append(workshop / f"{operator}-{count}.png")
        shown.run(RENDER.format(path=str(files[-1]), operator=operator), 60)
    with Image.open(files[0]) as without, Image.open(files[1]) as with_it:
        assert (
            ImageChops.difference(without.convert("RGB"), with_it.convert("RGB")).getbbox() is None
        )


def test_ten_cost_next_to_nothing(shown: Session) -> None:
    shown.run("view3d().spaces.active.region_3d.view_distance = 40.0")
    for number in range(10):
        shown.run(f"stand('dahlia {number}', {number / 10}, size=1.0)")
    shown.wait_for("len(standing()) == 10 and all(one['pictured'] for one in standing())")
    screenshot(shown, "placeholder-ten")
    taken = shown.run("time_handlers(40)", 120)
    print(f"\nten placeholders: boxes {taken['boxes']:.3f} ms, texts {taken['texts']:.3f} ms")
    assert sum(taken.values()) < LIMIT


def test_views_and_files_of_all_kinds_leave_it_unharmed(shown: Session) -> None:
    shown.run("bpy.ops.mesh.primitive_cube_add(location=(5.0, 0.0, 0.0))")
    shown.run("stand('dahlia', 0.5, size=2.0)")
    shown.wait_for("standing() and standing()[0]['pictured']")
    for step in (
        "with within(): bpy.ops.screen.region_quadview()",
        "with within(): bpy.ops.screen.region_quadview()",
        "with within(): bpy.ops.view3d.localview()",
        "with within(): bpy.ops.view3d.localview()",
        "bpy.ops.object.camera_add(); bpy.context.scene.camera = bpy.context.object",
        "with within(): bpy.ops.view3d.view_camera()",
        "with within(): bpy.ops.ed.undo_push(message='x'); bpy.ops.ed.undo(); bpy.ops.ed.redo()",
        "bpy.context.window_manager.windows[0].workspace = bpy.data.workspaces['Modeling']",
        "bpy.context.window_manager.windows[0].workspace = bpy.data.workspaces['Layout']",
        "with within(): bpy.ops.screen.screen_full_area()",
        "with within(): bpy.ops.screen.back_to_previous()",
    ):
        shown.run(step)
        screenshot(shown, "placeholder-views")
        assert shown.run("(handlers(), len(standing()))") == [2, 1], step
    shown.run("bpy.ops.wm.read_homefile()")
    assert shown.run("(handlers(), len(standing()))") == [0, 0]
    assert "Traceback" not in shown.output()
    shown.open_tab()


@pytest.fixture
def waiting(start_blender: StartBlender, rehearsal: Path) -> Iterator[tuple[Artist, Service]]:
    """An artist whose service takes some seconds."""
    with serving(Service(takes=25.0 * slowness(), mesh=triangle_glb(5))) as service:
        environment = {"REHEARSAL_BASE_URL": service.url, "REHEARSAL_API_KEY": KEY}
        session = start_blender(rehearsal, **environment)
        session.open_tab()
        session.run("bpy.context.scene.image_to_mesh.provider = 'rehearsal'")
        session.run(INSIDE.read_text("utf-8"))
        yield Artist(session), service


def pointer(session: Session, x: float, y: float) -> tuple[int, int]:
    """Return a pixel of the viewport, by shares of its sides."""
    place = session.run("place_of('WINDOW')")
    return place["left"] + round(place["width"] * x), place["top"] + round(place["height"] * y)


def location_of(session: Session) -> list[float]:
    """Return where the placeholder stands."""
    location: list[float] = session.run("standing()[0]['location']")
    return location


def test_a_mesh_comes_where_the_click_put_its_placeholder(
    waiting: tuple[Artist, Service], photograph: Path
) -> None:
    artist, _ = waiting
    session = artist.session
    session.run("bpy.data.objects.remove(bpy.data.objects['Cube'])")
    artist.choose(photograph)
    artist.press_generate()
    session.wait_for("bool(standing())", 30)
    first = location_of(session)

    session.click_button("image_to_mesh.place_by_click")
    session.move_seen(pointer(session, 0.3, 0.6))
    session.wait_for(f"standing()[0]['location'] != {first}")
    before = session.run("view3d().spaces.active.region_3d.view_distance")
    session.scroll(*pointer(session, 0.3, 0.6), 2)
    session.wait_for(f"view3d().spaces.active.region_3d.view_distance != {before}")
    session.press("Escape")
    session.wait_for(f"standing()[0]['location'] == {first}")

    session.click_button("image_to_mesh.place_by_click")
    spot = pointer(session, 0.35, 0.65)
    session.move_seen(spot)
    session.wait_for(f"standing()[0]['location'] != {first}")
    session.screenshot("placeholder-dragged")
    dragged = location_of(session)
    session.wait_for("ended_jobs() and ended_jobs()[0]['state'] == 'ready'", 60)
    time.sleep(1.0)
    assert artist.meshes() == [], "it waits for the click"
    session.move_seen(spot)  # a click where Blender has not seen the pointer yet gets lost
    session.click(*spot)
    session.wait_for("handlers() == 0", 30)
    name = artist.wait_for_mesh(60)
    chosen = session.run(f"list(bpy.data.objects[{name!r}].location)")
    assert chosen == pytest.approx(dragged, abs=1e-4)
    assert "Traceback" not in session.output()


def test_a_dropped_file_has_its_picture_and_blender_can_quit(
    waiting: tuple[Artist, Service], photograph: Path
) -> None:
    session = waiting[0].session
    session.run("view3d().spaces.active.show_region_ui = False")
    order = f"bpy.ops.image_to_mesh.make_here('INVOKE_DEFAULT', filepath={str(photograph)!r})"
    session.run(f"with within(): {order}")
    time.sleep(1.0)
    session.press("Return")  # a first order from here is asked about
    session.wait_for("standing() and standing()[0]['pictured']", 30)
    assert waiting[0].running(), "too late for anybody to see it"
    time.sleep(DRAWN_AFTER)
    session.screenshot("placeholder-dropped")
    session.run("bpy.app.timers.register(lambda: bpy.ops.wm.quit_blender() and None)")
    deadline = time.monotonic() + 20
    while "Blender quit" not in session.output():
        assert time.monotonic() < deadline, session.output()
        time.sleep(0.1)
    assert "Traceback" not in session.output()
    assert "rash" not in session.output()
