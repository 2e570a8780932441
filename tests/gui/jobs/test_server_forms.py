# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of servers by mouse and keyboard: filled in, sent, shared, and saved in a file."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from fakes import custom, gradio, hunyuan3d
from fakes.custom import Custom
from fakes.gradio import Gradio, Input
from fakes.gradio_shapes import OTHER
from fakes.hunyuan3d import Hunyuan3d
from gui.artist import GENERATED, Artist
from gui.fields import find_fields, pick, press, toggle, type_into
from gui.vase import FACES, vase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.conftest import StartBlender

SECONDS = 60.0
CHOICES = "bpy.context.scene.image_to_mesh"
ROWS = f"[row.name for row in {CHOICES}.server_rows]"
STYLE = f"{CHOICES}.server_rows['style'].choice"
NAMES = ["detail", "style", "smooth", "about"]
FIELDS = [f"server_rows[{number}].{kind}" for number, kind in
          enumerate(("number", "choice", "flag", "text"))]  # fmt: skip
DESCRIBED = {"path": "/make", "send_as": "json", "image_field": "picture",
             "extra_fields": '{"seed": 7, "texture": true}'}  # fmt: skip
BROWSER = """
found = [(window, area) for window in bpy.context.window_manager.windows
         for area in window.screen.areas if area.type == 'FILE_BROWSER']
bool(found and found[0][1].spaces.active.params)
"""
CHOOSE_FILE = """
window, area = found[0]
params = area.spaces.active.params
params.directory, params.filename = {folder!r}.encode(), {name!r}
screen = bpy.context.window_manager.windows[0].height
[window.x + area.x + area.width // 2, screen - window.y - area.y - area.height // 2]
"""


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Any]]:
    """A server of the user's own, a Gradio app that nobody knows, and Hunyuan3D 2.0."""
    own = Custom(path="/make", takes="json", image_field="picture", described=True)
    own.mesh = vase(textured=True)
    app = Gradio(OTHER, title="Plates", mesh=vase(textured=True))
    with contextlib.ExitStack() as stack:
        yield {
            "custom": stack.enter_context(custom.serving(own)),
            "gradio": stack.enter_context(gradio.serving(app)),
            "hunyuan3d": stack.enter_context(
                hunyuan3d.serving(Hunyuan3d("2.0", painted=vase(textured=True)))
            ),
        }


@pytest.fixture(scope="module")
def artist(
    open_blender: StartBlender, servers: dict[str, Any], photograph: Path
) -> Iterator[Artist]:
    """An artist with an image, and the settings unfolded."""
    addresses = {f"{name.upper()}_BASE_URL": server.url for name, server in servers.items()}
    with open_blender(**addresses) as session:
        session.open_tab()
        artist = Artist(session)
        artist.choose(photograph)
        artist.wait_for_picture()
        artist.unfold("settings")
        yield artist


def choose_provider(artist: Artist, key: str, provider: str) -> tuple[int, int]:
    """Choose a provider in the menu by the letter underlined in its name; return its place."""
    menu = artist.session.find("image_to_mesh.provider")
    pick(artist, menu, key, f"{CHOICES}.provider == {provider!r}")
    return menu


def generate(artist: Artist) -> str:
    """Press Generate, and return the name of the mesh that comes."""
    before = artist.meshes()
    artist.press_generate()
    new = f"[name for name in {GENERATED} if name not in {before!r}]"
    name = str(artist.session.wait_for(new, SECONDS)[0])
    assert artist.session.run(f"len(bpy.data.objects[{name!r}].data.polygons)") == FACES
    return name


def in_browser(artist: Artist, operator: str, file: Path) -> None:
    """Run an operator that opens a file browser, choose a file there, and press Return."""
    session = artist.session
    session.run(f"with within('UI'): bpy.ops.image_to_mesh.{operator}('INVOKE_DEFAULT')")
    session.wait_for(BROWSER)
    spot = session.run(CHOOSE_FILE.format(folder=f"{file.parent}/", name=file.name))
    session.move_seen(tuple(spot))
    session.press("Return")
    session.wait_for("len(bpy.context.window_manager.windows) == 1")


def test_a_server_is_described_tested_and_makes_a_mesh(
    artist: Artist, servers: dict[str, Any]
) -> None:
    server = servers["custom"]
    menu = choose_provider(artist, "s", "custom")
    fields = find_fields(artist, menu, "test_server")
    type_into(artist, fields["custom.path"], DESCRIBED["path"])
    pick(artist, fields["custom.send_as"], "j", f"{CHOICES}.custom.send_as == 'json'")
    type_into(artist, fields["custom.extra_fields"], DESCRIBED["extra_fields"])
    assert server.calls == [], "nothing is asked before a click"
    press(artist, "test_server", fields["test_server"])
    artist.shows("does not take the field")
    artist.keep("custom-wrong-field")
    type_into(artist, fields["custom.image_field"], DESCRIBED["image_field"])
    press(artist, "test_server", fields["test_server"])
    artist.shows("takes images at")
    artist.keep("custom-tested")
    assert server.orders == 0
    for name, value in DESCRIBED.items():
        assert artist.session.run(f"{CHOICES}.custom.{name}") == value
    generate(artist)
    artist.session.screenshot("service-custom")
    assert server.fields == [{"seed": 7, "texture": True}]
    assert server.images[0].startswith((b"\x89PNG", b"\xff\xd8"))


def test_a_description_is_shared_as_a_file(artist: Artist, workshop: Path) -> None:
    file = workshop / "plates.json"
    in_browser(artist, "export_settings", file)
    written = json.loads(file.read_text("utf-8"))
    assert DESCRIBED.items() <= written["settings"].items()
    artist.session.run(
        f"for name in {list(DESCRIBED)!r}: {CHOICES}.custom.property_unset(name)\n"
        f"{CHOICES}.provider = 'local'"
    )
    in_browser(artist, "import_settings", file)
    artist.session.wait_for(f"{CHOICES}.provider == 'custom'")
    for name, value in DESCRIBED.items():
        assert artist.session.run(f"{CHOICES}.custom.{name}") == value


def test_settings_of_an_unknown_app_are_filled_in_and_sent(
    artist: Artist, servers: dict[str, Any]
) -> None:
    session, app = artist.session, servers["gradio"]
    menu = choose_provider(artist, "g", "gradio")
    press(artist, "get_settings", find_fields(artist, menu, "get_settings")["get_settings"])
    session.wait_for(f"{ROWS} == {NAMES!r}")
    artist.shows("From 127.0.0.1")
    fields = find_fields(artist, menu, "get_settings")
    assert set(FIELDS) <= set(fields), "a row is missing"
    detail, style, smooth, about = (fields[name] for name in FIELDS)
    type_into(artist, detail, "9")
    pick(artist, style, "e", f"{STYLE} == 'e'")
    toggle(artist, smooth, f"not {CHOICES}.server_rows['smooth'].flag")
    type_into(artist, about, "a thin plate")
    artist.keep("app-form")
    generate(artist)
    (made,) = [values for name, values in app.worked if name == "make_it"]
    sent = {name: made[name] for name in NAMES}
    assert sent == {"detail": 9, "style": "e", "smooth": False, "about": "a thin plate"}
    assert "sound" not in sent


def test_settings_survive_the_file_and_a_changed_server(
    artist: Artist, servers: dict[str, Any], workshop: Path
) -> None:
    session, app = artist.session, servers["gradio"]
    file = str(workshop / "plates.blend")
    session.run(f"bpy.ops.wm.save_as_mainfile(filepath={file!r})")
    session.run("bpy.ops.wm.read_homefile()")
    assert session.run(ROWS) == []
    session.run(f"dismiss_jobs(); bpy.ops.wm.open_mainfile(filepath={file!r})")
    session.open_tab()
    assert session.run(f"[{CHOICES}.provider, {ROWS}, {STYLE}]") == ["gradio", NAMES, "e"]
    describe, make = OTHER
    inputs = tuple(
        Input("style", "dropdown", {"choices": [["Round", "r"], ["Flat", "f"]], "value": "r"})
        if item.name == "style" else item
        for item in make.inputs if item.name != "about"
    )  # fmt: skip
    app.functions = (describe, make._replace(inputs=inputs))
    menu = session.find("image_to_mesh.provider")
    fields = find_fields(artist, menu, "get_settings")
    press(artist, "get_settings", fields["get_settings"])
    artist.shows("cannot be “e” at this server")
    artist.keep("app-form-changed")
    assert not session.run("bpy.ops.image_to_mesh.generate.poll()")
    pick(artist, fields[FIELDS[1]], "f", f"{STYLE} == 'f'")
    artist.shows("no longer has About")
    artist.keep("app-form-gone")
    assert "Traceback" not in session.output()


def test_hunyuan3d_2_0_from_the_click_to_the_mesh(
    artist: Artist, servers: dict[str, Any], photograph: Path
) -> None:
    session, server = artist.session, servers["hunyuan3d"]
    artist.new_file()
    artist.choose(photograph)
    menu = choose_provider(artist, "h", "hunyuan3d")
    fields = find_fields(artist, menu, "hunyuan3d.texture")
    toggle(artist, fields["hunyuan3d.texture"], f"{CHOICES}.hunyuan3d.texture")
    assert server.calls == []
    name = generate(artist)
    artist.shows("Import Again")
    session.screenshot("service-hunyuan3d-2.0")
    nodes = f"bpy.data.objects[{name!r}].data.materials[0].node_tree.nodes"
    assert session.run(f"[node.type for node in {nodes}].count('TEX_IMAGE')") == 1
    (order,) = server.orders
    assert order["texture"] is True
    assert "Traceback" not in session.output()
