# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors are shown in the panel as a sentence, and the scene and the panel stay usable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gui import pictures

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist


@pytest.fixture(scope="module")
def bad_pictures(workshop: Path) -> dict[str, Path]:
    """Pictures that no mesh can come from."""
    return {
        "text": pictures.text_file(workshop),
        "transparent": pictures.plain(workshop, "glass.png", (255, 255, 255, 0)),
        "white": pictures.plain(workshop, "snow.png", (255, 255, 255)),
    }


@pytest.mark.parametrize("kind", ["text", "transparent", "white"])
def test_a_bad_image_is_reported_in_the_panel(
    artist: Artist, bad_pictures: dict[str, Path], kind: str
) -> None:
    artist.new_file()
    artist.choose(bad_pictures[kind])
    before = artist.session.run("scene_facts()")
    artist.press_generate()
    artist.session.wait_for("ended_jobs()", 10)
    ending = artist.endings()[0]
    artist.shows("Copy")
    artist.session.screenshot(f"error-{kind}")

    assert ending["kind"] == "bad_image"
    said = " ".join(artist.words().split())
    assert ending["message"] in said
    assert ending["hint"] in said
    assert ending["hint"].endswith("."), "it says what to do"
    print(f"\n{kind}: {ending['message']} {ending['hint']}")
    assert artist.session.run("scene_facts()") == before
    assert "Traceback" not in artist.session.output()
    library = artist.session.profile / "library"
    kept = {file.name for file in library.glob("**/*") if file.is_file()}
    assert kept <= {".catalogue.json"}, "no job is left; what is known of all jobs may be"


def test_a_good_image_works_after_a_bad_one(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph, face_count=2_000)
    artist.press_generate()
    artist.wait_for_mesh(30)
    assert "Traceback" not in artist.session.output()
