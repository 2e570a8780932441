# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of the sidebar: Generate is always in view, and nothing moves while a job runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.artist import Artist

SCENE = "bpy.context.scene.image_to_mesh"
GRAY = f"{SCENE}.image = bpy.data.images.new('gray', 256, 256)"
SCALE = "bpy.context.preferences.view.ui_scale = {}"
NARROW = 220
HALF_A_BUTTON = 14
"""Pixels from the middle of Generate to just inside its upper and lower edge, at a scale of 1."""
BUTTON, BELOW = 30, 110
"""Pixels from Generate to its edges at most, and to the header of Jobs at least."""
CAN_UPDATE = "with within('UI'): can_update = bpy.ops.image_to_mesh.update.poll()\ncan_update"
MANY_FACES = 1_000_000
HALFWAY = "any((job['fraction'] or 0) > 0.1 for job in running_jobs())"
FROM_LEFT = 31
"""Pixels from the left of the sidebar to the triangles before the names of jobs."""
OPENED = "image_to_mesh.show_details"


@pytest.fixture(autouse=True)
def new_file(artist: Artist) -> Iterator[None]:
    """A new file and a sidebar of the usual width for each test."""
    artist.new_file()
    yield
    artist.session.run(SCALE.format(1))
    # A mesh arrives before its job has ended, and only ended jobs are dismissed with the file.
    artist.session.wait_for("not running_jobs()", 60)


def assert_generate_in_view(artist: Artist, scale: int = 1) -> None:
    """Fail if a part of Generate is outside of the region, which is not scrolled."""
    place = artist.session.run("place_of('UI')")
    x, y = artist.session.find("image_to_mesh.generate")
    top = next(row for row in range(y, place["top"], -4) if not _is_generate(artist, x, row)) + 4
    bottom = top + 2 * HALF_A_BUTTON * scale
    assert place["top"] < top
    assert bottom < place["top"] + place["height"]
    assert _is_generate(artist, x, bottom - 4)


def _is_generate(artist: Artist, x: int, y: int) -> bool:
    artist.session.move_seen((x, y))
    return artist.session.under_pointer().startswith("bpy.ops.image_to_mesh.generate(")


def test_generate_is_in_view_in_a_narrow_sidebar(artist: Artist, photograph: Path) -> None:
    artist.drag_sidebar_to(NARROW)
    artist.choose(photograph)
    artist.shows("1024 × 1024")
    assert_generate_in_view(artist)
    artist.keep("layout-narrow")


def test_generate_is_in_view_at_double_scale(artist: Artist, photograph: Path) -> None:
    artist.session.run(SCALE.format(2))
    artist.choose(photograph)
    artist.shows("1024 × 1024")
    assert_generate_in_view(artist, 2)
    artist.keep("layout-scale-2")
    # Warnings take their room from the preview.
    artist.session.run(GRAY)
    artist.shows("256 × 256")
    assert_generate_in_view(artist, 2)
    artist.keep("layout-scale-2-warned")


def upper_part(artist: Artist, name: str) -> tuple[bytes, dict[str, int]]:
    """Return the pixels from the top of the sidebar to the header of Jobs, and two rows.

    Without the words of the main button: Generate becomes Update when the mesh is there.
    """
    file = artist.keep(name)
    button = "update" if artist.session.run(CAN_UPDATE) else "generate"
    main = artist.session.find(f"image_to_mesh.{button}")[1]
    menu = artist.session.find("image_to_mesh.provider")[1]
    row = main - artist.session.run("place_of('UI')")["top"]
    with Image.open(file) as shown:
        half = shown.width // 2  # The header of Jobs says at its right how many run.
        pieces = [(0, 0, half, row - BUTTON), (0, row + BUTTON, half, row + BELOW)]
        pixels = b"".join(shown.convert("RGB").crop(piece).tobytes() for piece in pieces)
    return pixels, {"main": main, "menu": menu}


def test_nothing_moves_when_a_job_starts_and_ends(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph, face_count=MANY_FACES)
    artist.shows("1024 × 1024")
    before = upper_part(artist, "layout-before")
    artist.press_generate()
    artist.session.wait_for(HALFWAY, 30)
    artist.point_at_view()
    artist.words()
    during = upper_part(artist, "layout-during")
    assert artist.running()
    artist.wait_for_mesh(60)
    artist.shows("faces")
    after = upper_part(artist, "layout-after")
    assert before == during == after


def test_nothing_moves_when_a_job_fails(artist: Artist) -> None:
    artist.session.run(GRAY)
    artist.shows("256 × 256")
    before = upper_part(artist, "layout-warned")
    artist.press_generate()
    artist.session.wait_for("ended_jobs()", 30)
    artist.shows("Copy Error")
    after = upper_part(artist, "layout-failed")
    assert artist.endings()[0]["kind"]
    assert before == after


def test_two_clicks_lead_from_an_empty_file_to_a_mesh(artist: Artist) -> None:
    artist.words()
    artist.keep("layout-first-run")
    before = artist.session.clicks
    artist.session.click_button("image_to_mesh.use_sample")
    artist.shows("400 × 320")
    artist.press_generate()
    assert artist.wait_for_mesh(30).startswith("dahlia")
    assert artist.session.clicks - before == 2


def test_an_older_job_opens_at_a_click(artist: Artist, photograph: Path) -> None:
    for number in range(2):
        artist.choose(photograph, face_count=2_000 + number * 2_000)
        artist.press_generate()
        artist.session.wait_for(f"len(ended_jobs()) == {number + 1}", 30)
    artist.shows("Import Again")
    assert artist.words().count("Import Again") == 1
    first, second = _triangles(artist)
    artist.session.click(*second)
    artist.point_at_view()
    assert artist.words().count("Import Again") == 2
    artist.keep("layout-opened")
    artist.session.click(*first)
    artist.point_at_view()
    assert artist.words().count("Import Again") == 1


def _triangles(artist: Artist) -> list[tuple[int, int]]:
    """Return where the triangles of the jobs' lines are, at the left of the sidebar."""
    place = artist.session.run("place_of('UI')")
    found: list[tuple[str, tuple[int, int]]] = []
    across = place["left"] + FROM_LEFT
    for y in range(place["top"] + place["height"] // 3, place["top"] + place["height"], 10):
        artist.session.move_seen((across, y))
        under = artist.session.under_pointer()
        if under.startswith(f"bpy.ops.{OPENED}(") and under not in [name for name, _ in found]:
            found.append((under, (across, y)))
    return [spot for _, spot in found]
