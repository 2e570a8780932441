# SPDX-License-Identifier: GPL-3.0-or-later
"""A Gradio app on this computer, from its settings and the click to the mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes import gradio
from fakes.gradio import Gradio
from fakes.gradio_shapes import TRELLIS
from gui.artist import Artist
from gui.vase import FACES, vase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.conftest import StartBlender

SECONDS = 60.0
CHOICES = "bpy.context.scene.image_to_mesh"
ROWS = f"sorted(row.name for row in {CHOICES}.server_rows)"
NAMES = sorted(
    ["seed", "ss_guidance_strength", "slat_guidance_strength", "mesh_simplify", "texture_size"]
)


@pytest.fixture(scope="module")
def app() -> Iterator[Gradio]:
    """TRELLIS, with a textured mesh."""
    with gradio.serving(Gradio(TRELLIS, mesh=vase(textured=True))) as running:
        yield running


@pytest.fixture(scope="module")
def artist(open_blender: StartBlender, app: Gradio) -> Iterator[Artist]:
    """An artist whose Blender is offline, as Blender is by default."""
    with open_blender(GRADIO_BASE_URL=app.url) as session:
        session.open_tab()
        yield Artist(session)


def test_from_the_settings_to_the_mesh(artist: Artist, app: Gradio, photograph: Path) -> None:
    session = artist.session
    artist.new_file()
    session.run(f"{CHOICES}.provider = 'gradio'")
    artist.choose(photograph)
    assert app.calls == [], "nothing is asked before a click"
    assert "somebody else's server" in " ".join(artist.words().split())
    artist.unfold("settings")
    session.click_button("image_to_mesh.get_settings")
    session.wait_for(f"{ROWS} == {NAMES!r}")
    session.screenshot("service-gradio-settings")
    session.run(f"{CHOICES}.server_rows['texture_size'].whole = 2048")
    artist.press_generate()
    name = artist.wait_for_mesh(SECONDS)
    session.screenshot("service-gradio")
    assert session.run(f"len(bpy.data.objects[{name!r}].data.polygons)") == FACES
    assert dict(app.worked)["extract_glb"]["texture_size"] == 2048
    assert "Traceback" not in session.output()
