# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate and the rows below it stay in their place when sentences come and go above them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gui.artist import Artist
from gui.states.every_state import APPEARANCES, INSIDE, USUAL, WIDTHS
from gui.states.states import STATES
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.conftest import StartBlender

SENTENCES = ("no-key", "bad-key", "key-refused", "offline", "balance", "views-asked")
"""States of the panel with the same provider and different sentences above Generate."""
CLOSED = "unfold()"
TITLES = (24, 325, 78, 425)
"""Pixels of the sidebar with the titles of the first subpanels, left of icons in their headers."""


@pytest.fixture(scope="module")
def stage(open_blender: StartBlender, photograph: Path) -> Iterator[Artist]:
    """A Blender in which no service is in reach."""
    with open_blender(TRIPO_BASE_URL="http://127.0.0.1:9") as session:
        session.open_tab()
        session.run(INSIDE.read_text("utf-8"))
        yield Artist(session)


def headers_of(stage: Artist, name: str, photograph: Path) -> bytes:
    """Return the pixels of the headers below Generate, in a state with all subpanels closed."""
    session = stage.session
    session.run("reset()")
    session.run(STATES[name].replace("IMAGE", str(photograph)))
    session.run(CLOSED)
    session.wait_for("is_checked()", 20)
    stage.wait_for_picture()
    shot = stage.keep(f"stays-{name}")
    with Image.open(shot) as shown:
        return shown.convert("L").crop(TITLES).tobytes()


@pytest.mark.parametrize("appearance", ["dark", "narrow", "german-wide", "german"])
def test_no_sentence_moves_what_is_below_it(
    stage: Artist, photograph: Path, appearance: str
) -> None:
    stage.session.run("reset()")
    stage.session.run("bpy.context.preferences.view.language = 'en_US'")
    stage.drag_sidebar_to(WIDTHS.get(appearance, USUAL))
    stage.session.run(APPEARANCES[appearance])
    seen = {name: headers_of(stage, name, photograph) for name in SENTENCES}
    moved = [name for name, pixels in seen.items() if pixels != seen["balance"]]
    assert not moved
