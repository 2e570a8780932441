# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of the user's own, from the click to the mesh, and another server in its place."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from fakes import hunyuan3d, local_servers
from fakes.hunyuan3d import Hunyuan3d
from fakes.local_servers import gradio
from gui.artist import Artist
from gui.vase import FACES, vase
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from gui.conftest import StartBlender

SECONDS = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[Hunyuan3d]:
    """A 2.1 server with a textured mesh."""
    with hunyuan3d.serving(Hunyuan3d(painted=vase(textured=True))) as running:
        yield running


@pytest.fixture(scope="module")
def artist(open_blender: StartBlender, server: Hunyuan3d) -> Iterator[Artist]:
    """An artist whose Blender is offline, as Blender is by default."""
    with open_blender(HUNYUAN3D_BASE_URL=server.url) as session:
        session.open_tab()
        yield Artist(session)


def set_up(artist: Artist, picture: Path) -> None:
    """Begin a new file with the server as the provider, and choose a picture."""
    artist.new_file()
    artist.session.run("bpy.context.scene.image_to_mesh.provider = 'hunyuan3d'")
    artist.choose(picture)


def test_from_the_click_to_the_mesh(artist: Artist, server: Hunyuan3d, photograph: Path) -> None:
    set_up(artist, photograph)
    assert server.calls == []
    artist.session.run("bpy.context.scene.image_to_mesh.hunyuan3d.texture = True")
    server.stages = ["processing", "texturing", "half"]
    artist.press_generate()
    name = artist.wait_for_mesh(SECONDS)
    artist.shows("Import Again")
    artist.session.screenshot("service-hunyuan3d")
    made = artist.session.run(f"len(bpy.data.objects[{name!r}].data.polygons)")
    assert made == FACES
    assert len(server.orders) == 1
    with Image.open(io.BytesIO(server.images[0]["image"])) as sent:
        assert sent.mode == "RGBA"
        assert sent.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert "Traceback" not in artist.session.output()


def test_the_gradio_app_in_its_place_is_named(artist: Artist, photograph: Path) -> None:
    set_up(artist, photograph)
    with local_servers.serving(gradio()) as other:
        artist.session.run(
            "preferences = bpy.context.preferences.addons"
            "['bl_ext.user_default.image_to_mesh'].preferences\n"
            f"preferences.hunyuan3d_base_url = {other.url!r}"
        )
        artist.press_generate()
        artist.shows("Copy Error", SECONDS)
    said = " ".join(artist.words().split())
    artist.session.screenshot("service-hunyuan3d-gradio")
    assert "The Gradio app" in said
    assert "port 8081" in said
    assert all(method == "GET" for method, _ in other.requests)


def test_one_click_chooses_the_provider_that_can_use_the_server(
    artist: Artist, server: Hunyuan3d, photograph: Path
) -> None:
    set_up(artist, photograph)
    orders = len(server.orders)
    artist.session.run(
        "scene = bpy.context.scene.image_to_mesh\n"
        "scene.provider, scene.custom.path = 'custom', '/make'\n"
        "scene.hunyuan3d.seed = 7  # another order than that of the test before\n"
        "preferences = bpy.context.preferences.addons"
        "['bl_ext.user_default.image_to_mesh'].preferences\n"
        f"preferences.custom_base_url = {server.url!r}\n"
        "preferences.hunyuan3d_base_url = 'http://127.0.0.1:9'"
    )
    artist.press_generate()
    artist.shows("Use Hunyuan3D", SECONDS)
    artist.session.screenshot("service-custom-other-server")
    assert "does not take images at /make" in " ".join(artist.words().split())
    artist.session.click_button("image_to_mesh.use_server")
    chosen = artist.session.run("bpy.context.scene.image_to_mesh.provider")
    assert chosen == "hunyuan3d"
    assert len(server.orders) == orders
    artist.press_generate()
    artist.wait_for_mesh(SECONDS)
    assert len(server.orders) == orders + 1
    assert "Traceback" not in artist.session.output()
