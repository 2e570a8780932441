# SPDX-License-Identifier: GPL-3.0-or-later
"""ComfyUI in a window: the settings of a workflow, an order, and the image on the mesh."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import places
import pytest
from fakes import comfyui
from fakes.comfyui import Comfyui
from gui.artist import Artist
from gui.fields import find_fields, pick, press, type_into
from gui.vase import FACES, vase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.conftest import StartBlender

SECONDS = 60.0
GRAPHS = places.ROOT / "providers" / "_comfyui" / "graphs"
CHOICES = "bpy.context.scene.image_to_mesh"
ROWS = f"{{row.name: row for row in {CHOICES}.server_rows}}"


@pytest.fixture(scope="module")
def server() -> Iterator[Comfyui]:
    """ComfyUI with a workflow whose mesh has no colors."""
    with comfyui.serving(Comfyui(mesh=vase(textured=None))) as running:
        yield running


@pytest.fixture(scope="module")
def artist(open_blender: StartBlender, server: Comfyui, photograph: Path) -> Iterator[Artist]:
    """An artist whose Blender is offline, with an image and ComfyUI."""
    with open_blender(COMFYUI_BASE_URL=server.url) as session:
        session.open_tab()
        artist = Artist(session)
        session.run(f"{CHOICES}.provider = 'comfyui'")
        artist.choose(photograph)
        artist.unfold("settings")
        yield artist


def test_the_settings_of_the_workflow_appear(artist: Artist, server: Comfyui) -> None:
    session = artist.session
    assert server.calls == []
    session.screenshot("service-comfyui-before")
    session.click_button("image_to_mesh.get_settings")
    session.wait_for(f"'steps' in {ROWS}")
    assert "From 127.0.0.1" in artist.words()
    session.screenshot("service-comfyui-settings")
    session.run(f"{ROWS}['steps'].whole = 12")
    assert server.count("POST", "/prompt") == 0


def test_from_the_click_to_the_mesh_with_the_image_on_it(artist: Artist, server: Comfyui) -> None:
    session = artist.session
    server.ahead = ["stranger"]
    server.stages = ["pending", "pending", "running"]
    artist.press_generate()
    artist.shows("ahead", SECONDS)
    server.ahead = []
    name = artist.wait_for_mesh(SECONDS)
    artist.shows("Import Again")
    session.screenshot("service-comfyui")
    assert session.run(f"len(bpy.data.objects[{name!r}].data.polygons)") == FACES
    nodes = f"bpy.data.objects[{name!r}].data.materials[0].node_tree.nodes"
    assert session.run(f"[node.type for node in {nodes}].count('TEX_IMAGE')") == 1
    (order,) = server.orders
    assert order["prompt"]["5"]["inputs"]["steps"] == 12
    assert "Traceback" not in session.output()


def test_a_workflow_of_the_artists_own(artist: Artist, server: Comfyui, workshop: Path) -> None:
    session = artist.session
    shipped = json.loads((GRAPHS / "hunyuan3d-2.0.json").read_text("utf-8"))
    graph = {f"1{name}": node for name, node in shipped["graph"].items()}
    text = re.sub(r'\["(\d+)", (\d)\]', r'["1\1", \2]', json.dumps(graph))
    file = workshop / "my plates.json"
    file.write_text(text, "utf-8")
    artist.new_file()
    session.run(f"{CHOICES}.provider = 'comfyui'")
    artist.choose(workshop / "dahlia.jpg")
    menu = session.find("image_to_mesh.provider")
    workflow = find_fields(artist, menu, "comfyui.workflow")["comfyui.workflow"]
    pick(artist, workflow, "w", f"{CHOICES}.comfyui.workflow == 'file'")
    artist.shows("Choose a workflow file")
    artist.keep("comfyui-no-file")
    fields = find_fields(artist, menu, "get_settings")
    type_into(artist, fields["comfyui.workflow_file"], str(file))
    press(artist, "get_settings", find_fields(artist, menu, "get_settings")["get_settings"])
    session.wait_for(f"'15.steps' in {ROWS}")
    artist.keep("comfyui-own-workflow")
    session.run(f"{ROWS}['15.steps'].whole = 7")
    before = len(server.orders)
    artist.press_generate()
    name = artist.wait_for_mesh(SECONDS)
    assert session.run(f"len(bpy.data.objects[{name!r}].data.polygons)") == FACES
    (order,) = server.orders[before:]
    assert order["prompt"]["15"]["inputs"]["steps"] == 7
    assert "Traceback" not in session.output()
