# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors are shown in the panel as a sentence, and the scene and the panel stay usable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gui import pictures
from gui.artist import ADDON

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

_ASK = f"""
import sys
with within("UI"):
    reason = sys.modules[{ADDON + ".state.preflight"!r}].why_not(bpy.context)
    can_generate = bpy.ops.image_to_mesh.generate.poll()
"""
REFUSED = f"{_ASK}reason if not can_generate else ''"
"""The sentence of an image that was found to be unusable before the click."""
ANSWERED = f"{_ASK}bool(ended_jobs()) or not can_generate"


@pytest.fixture(scope="module")
def bad_pictures(workshop: Path) -> dict[str, Path]:
    """Pictures from which no mesh can be made."""
    return {
        "text": pictures.text_file(workshop),
        "transparent": pictures.plain(workshop, "glass.png", (255, 255, 255, 0)),
        "white": pictures.plain(workshop, "snow.png", (255, 255, 255)),
    }


def said_after_the_job(artist: Artist) -> list[str]:
    """Return what a failed job says; nothing if the image was refused before the click."""
    if not (endings := artist.endings()):
        return []
    artist.shows("Copy Error")
    assert endings[0]["kind"] == "bad_image"
    return [endings[0]["message"], endings[0]["hint"]]


@pytest.mark.parametrize("kind", ["text", "transparent", "white"])
def test_a_bad_image_is_reported_in_the_panel(
    artist: Artist, bad_pictures: dict[str, Path], kind: str
) -> None:
    artist.new_file()
    artist.choose(bad_pictures[kind])
    before = artist.session.run("scene_facts()")
    artist.press_generate()
    artist.session.wait_for(ANSWERED, 10)
    artist.session.wait_for("not running_jobs()", 10)
    sentences = said_after_the_job(artist) or [artist.session.run(REFUSED)]
    artist.session.screenshot(f"error-{kind}")

    said = " ".join(artist.words().split())
    assert all(sentence and sentence in said for sentence in sentences)
    assert sentences[-1].endswith("."), "it says what to do"
    print(f"\n{kind}: {' '.join(sentences)}")
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
