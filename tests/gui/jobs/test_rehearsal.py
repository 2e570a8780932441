# SPDX-License-Identifier: GPL-3.0-or-later
"""A service with a key, from the click to the mesh: grayed without its key, progress, result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.glb import triangle_glb
from fakes.service import KEY, Service, serving
from gui.artist import Artist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.conftest import StartBlender

SECONDS = 30.0
"""Seconds that the service takes for a job unless a test shortens it."""
REASON = "needs an API key"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """The service, which takes SECONDS for a job."""
    with serving(Service(takes=SECONDS, mesh=triangle_glb(5))) as running:
        yield running


@pytest.fixture(scope="module")
def artist(open_blender: StartBlender, rehearsal: Path, service: Service) -> Iterator[Artist]:
    """An artist who has the provider, and no key for it yet."""
    with open_blender(rehearsal, REHEARSAL_BASE_URL=service.url) as session:
        session.open_tab()
        yield Artist(session)


def choose_rehearsal(artist: Artist, photograph: Path) -> None:
    artist.session.run("bpy.context.scene.image_to_mesh.provider = 'rehearsal'")
    artist.choose(photograph)


def set_key(artist: Artist, key: str) -> None:
    artist.session.run(
        "addon = bpy.context.preferences.addons['bl_ext.user_default.image_to_mesh']\n"
        f"addon.preferences.rehearsal_api_key = {key!r}"
    )


def test_without_a_key_generate_is_gray(artist: Artist, service: Service, photograph: Path) -> None:
    choose_rehearsal(artist, photograph)
    assert artist.session.run("bpy.ops.image_to_mesh.generate.poll()") is False
    said = " ".join(artist.words().split())
    assert REASON.lower() in said.lower()
    assert "Add Key" in said
    x, y = artist.session.find("image_to_mesh.generate")
    artist.session.screenshot("no-key")
    artist.session.click(x, y)
    assert not artist.running()
    assert not service.requests


def test_from_the_click_to_the_mesh(artist: Artist, service: Service, photograph: Path) -> None:
    set_key(artist, KEY)
    choose_rehearsal(artist, photograph)
    cursor = [0.25, 2.0, 1.0]
    artist.session.run(
        f"bpy.context.scene.cursor.location = {cursor}\n"
        "bpy.context.scene.image_to_mesh.placement.position = 'cursor'"
    )
    artist.remember()
    artist.press_generate()
    artist.session.wait_for("any((one['fraction'] or 0) > 0.2 for one in running_jobs())", 20)
    artist.shows("Generating")
    artist.find_cancel()
    artist.session.screenshot("service-during")
    service.takes = 0.5
    name = artist.wait_for_mesh(30)
    artist.shows("Import Again")
    artist.session.screenshot("service-after")
    assert artist.session.run(f"list(bpy.data.objects[{name!r}].location)") == cursor
    assert len(service.submits) == 1
    assert "Traceback" not in artist.session.output()
    assert KEY not in artist.session.output()


def test_a_refused_key_says_so_in_the_panel(artist: Artist, photograph: Path) -> None:
    set_key(artist, "no-such-key-0987654321")
    artist.new_file()
    choose_rehearsal(artist, photograph)
    artist.press_generate()
    artist.shows("The key was refused.", 20)
    artist.session.screenshot("error-key")
    assert artist.meshes() == []
    assert "Traceback" not in artist.session.output()
    assert "no-such-key" not in artist.session.output()
