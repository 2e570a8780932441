# SPDX-License-Identifier: GPL-3.0-or-later
"""Get Settings, the rows of a server's settings, and an order with them, by hand in a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes import FAKES
from fakes.glb import triangle_glb
from fakes.workshop import Workshop, serving
from gui import pictures
from gui.artist import GENERATED, Artist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.conftest import StartBlender

PROVIDER = FAKES / "services" / "with_server" / "workshop.py"
CHOICES = "bpy.context.scene.image_to_mesh"
STEPS = f"[row.whole for row in {CHOICES}.server_rows if row.name == 'steps']"


@pytest.fixture(scope="module")
def server() -> Iterator[Workshop]:
    """The server that has settings of its own."""
    with serving(Workshop(mesh=triangle_glb(5))) as running:
        yield running


@pytest.fixture(scope="module")
def artist(open_blender: StartBlender, server: Workshop, workshop: Path) -> Iterator[Artist]:
    """An artist with an image and the server's provider, the settings unfolded."""
    with open_blender(PROVIDER, WORKSHOP_BASE_URL=server.url) as session:
        session.open_tab()
        artist = Artist(session)
        session.run(f"{CHOICES}.provider = 'workshop'")
        artist.choose(pictures.with_dark_corner(workshop, "pot.png", (200, 40, 40)))
        artist.unfold("settings")
        yield artist


def test_settings_of_a_server_by_hand(artist: Artist, server: Workshop) -> None:
    session = artist.session
    assert server.requests == [], "nothing is asked before a click"
    session.screenshot("server-settings-before")
    session.click_button("image_to_mesh.get_settings")
    session.wait_for(f"{STEPS} == [30]")
    assert server.requests == [("GET", "/settings/fast")]
    assert "From 127.0.0.1" in artist.words()
    session.screenshot("server-settings")
    # A change is an undo step of its own; Get Settings was the one before.
    session.run(f"{CHOICES}.server_rows['steps'].whole = 50")
    artist.remember("Steps")
    artist.point_at_view()
    session.press("ctrl+z")
    session.wait_for(f"{STEPS} == [30]")
    session.press("ctrl+z")
    session.wait_for(f"{STEPS} == []")
    session.press("ctrl+shift+z")
    session.press("ctrl+shift+z")
    session.wait_for(f"{STEPS} == [50]")


def test_a_change_at_the_server_is_marked_and_named(artist: Artist, server: Workshop) -> None:
    session = artist.session
    session.run(f"{CHOICES}.server_rows['resolution'].choice = '1024'")
    for row in server.rows["fast"]:
        if row["name"] == "resolution":
            row["choices"] = [512, 768]
    session.click_button("image_to_mesh.get_settings")
    session.wait_for(f"'768' in {CHOICES}.server_settings")
    assert "cannot be “1024” at this server" in " ".join(artist.words().split())
    session.screenshot("server-settings-changed")
    session.run(f"{CHOICES}.server_rows['resolution'].choice = '768'")
    artist.remember("Resolution")


def test_an_order_from_click_to_mesh(artist: Artist, server: Workshop) -> None:
    artist.press_generate()
    artist.session.wait_for(f"len({GENERATED}) == 1", seconds=60)
    (order,) = server.orders
    assert order["values"]["steps"] == 50
    assert order["values"]["resolution"] == 768
