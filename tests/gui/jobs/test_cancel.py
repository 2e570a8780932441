# SPDX-License-Identifier: GPL-3.0-or-later
"""Cancel, clicked in the middle of the work: everything is gone at once and the panel is ready."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from gui.artist import Artist

SECONDS = 3.0
DRAWN_SECONDS = 6.0
"""The figures that count are printed, 0.5 s on a quiet machine: one redraw without a graphics card
takes a good part of a second, and more beside other work.
"""
MANY_FACES = 1_000_000
IN_THE_MIDDLE = "any(one['fraction'] and one['fraction'] > 0.2 for one in running_jobs())"
DRAWN = "next((one['at'] for one in shown if one['at'] > {0} and '{1}' in one['words']), None)"


def test_cancel_ends_the_job_at_once(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph, face_count=MANY_FACES)
    artist.wait_for_picture()  # Its process is idle now, and the job takes it.
    before = artist.session.run("scene_facts()")
    artist.press_generate()
    x, y = artist.find_cancel()
    artist.session.wait_for(IN_THE_MIDDLE, 30)
    assert artist.workers()
    artist.session.screenshot("cancel-before")

    artist.session.click(x, y)
    clicked = time.monotonic()
    while artist.workers() or artist.running():
        assert time.monotonic() < clicked + 10
    gone = time.monotonic() - clicked
    drawn = artist.session.wait_for(DRAWN.format(clicked, "Canceled")) - clicked
    print(f"\ncancel: the process gone after {gone:.2f} s, the panel ready after {drawn:.2f} s")
    artist.session.screenshot("cancel-after")

    assert gone < SECONDS
    assert drawn < DRAWN_SECONDS
    assert artist.endings()[0]["state"] == "cancelled"
    assert "dahlia\nCanceled" in artist.words()
    assert artist.session.run("scene_facts()") == before


def test_the_panel_is_ready_again(artist: Artist, photograph: Path) -> None:
    artist.choose(photograph, face_count=2_000)
    artist.press_generate()
    artist.wait_for_mesh(30)
    assert "Traceback" not in artist.session.output()
