# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of servers, by mouse: found on this computer, mixed up, unencrypted, a stranger's."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest
from fakes import comfyui, gradio, hunyuan3d, local_servers
from fakes.comfyui import Comfyui
from fakes.gradio import Gradio
from fakes.gradio_shapes import TRELLIS
from fakes.hunyuan3d import Hunyuan3d
from fakes.local_servers import OtherServer
from gui import pictures
from gui.artist import ADDON, Artist
from gui.fields import find_fields, find_in_popover, open_popover, pick
from gui.harness import slowness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gui.conftest import StartBlender

SECONDS = 60.0
CHOICES = "bpy.context.scene.image_to_mesh"
PREFERENCES = f"bpy.context.preferences.addons['{ADDON}'].preferences"
PROBE = f"{ADDON}.providers._shared.servers.probe"
FAR = "http://192.168.77.5:8081"
SPACE = "microsoft/TRELLIS.2"
HOST = "microsoft-trellis-2.hf.space"
TITLE = "Meshes for Games, from a Single Image"
LABELS = {"hunyuan3d": "Hunyuan3D", "comfyui": "ComfyUI", "gradio": "Gradio"}
PAIRS = [(provider, kind) for provider in (*LABELS, "custom") for kind in LABELS
         if kind != provider]  # fmt: skip
NO_NETWORK = """
import socket
asked = []

def resolve(host, *rest, **more):
    if host in ("127.0.0.1", "localhost"):
        return resolved(host, *rest, **more)
    asked.append(str(host))
    raise socket.gaierror(-2, "Name or service not known")

resolved, socket.getaddrinfo = socket.getaddrinfo, resolve
"""
"""Nothing leaves this computer, and `asked` has the hosts that would have been called."""


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Any]]:
    """A server of each kind, and one that nobody knows."""
    with contextlib.ExitStack() as stack:
        yield {
            "hunyuan3d": stack.enter_context(hunyuan3d.serving(Hunyuan3d("2.0"))),
            "comfyui": stack.enter_context(comfyui.serving(Comfyui())),
            "gradio": stack.enter_context(gradio.serving(Gradio(TRELLIS, title=TITLE))),
            "": stack.enter_context(local_servers.serving(OtherServer())),
        }


@pytest.fixture(scope="module")
def artist(open_blender: StartBlender) -> Iterator[Artist]:
    """An artist whose Blender is offline, and whose network ends at this computer."""
    with open_blender() as session:
        session.open_tab()
        session.run(NO_NETWORK)
        session.run("import sys")
        yield Artist(session)


def begin(artist: Artist, picture: Path, provider: str, address: str) -> None:
    """Begin a new file with an image, a provider, and the provider's address."""
    artist.new_file()
    artist.session.run(
        f"{CHOICES}.provider = {provider!r}; {PREFERENCES}.{provider}_base_url = {address!r}"
    )
    artist.choose(picture)


def keep_around(artist: Artist, name: str) -> None:
    """Take a screenshot of the sidebar and what covers it."""
    place = artist.session.run("place_of('UI')")
    start, end = place["left"] - 120, place["left"] + place["width"] + 80
    pictures.cut(artist.session.screenshot(name), [start, place["top"], end, place["top"] + 640])


def test_servers_on_this_computer_are_found_and_set_up(
    artist: Artist, servers: dict[str, Any], photograph: Path
) -> None:
    session = artist.session
    begin(artist, photograph, "local", "")
    artist.wait_for_picture()
    ports = tuple(int(server.url.rpartition(":")[2]) for server in servers.values())
    session.run(
        f"import importlib; importlib.import_module({PROBE!r}).usual_ports = lambda: {ports!r}"
    )
    menu = session.find("image_to_mesh.provider")
    pick(artist, menu, "h", f"{CHOICES}.provider == 'hunyuan3d'")
    buttons = open_popover(artist, menu)
    assert not servers["hunyuan3d"].calls, "nothing is asked before a click"
    session.click(*buttons["image_to_mesh.find_servers()"])
    search = f"sys.modules['{ADDON}.jobs'].server_search()"
    session.wait_for(f"len({search}.found or ()) == 4")
    time.sleep(slowness())
    buttons = find_in_popover(artist)
    keep_around(artist, "servers-found")
    offered = {name for name in buttons if "use_server" in name}
    assert offered == {
        f'image_to_mesh.use_server(provider="{kind}", address="{servers[kind].url}")'
        for kind in LABELS
    }
    (use,) = (name for name in offered if '"gradio"' in name)
    session.click(*buttons[use])
    session.wait_for(f"{CHOICES}.provider == 'gradio'")
    assert session.run(f"{PREFERENCES}.gradio_base_url") == servers["gradio"].url
    session.press("Escape")
    assert servers["gradio"].joins == 0


@pytest.mark.parametrize(("provider", "kind"), PAIRS)
def test_the_server_of_another_provider_is_named_and_one_click_away(
    artist: Artist, servers: dict[str, Any], workshop: Path, provider: str, kind: str
) -> None:
    session = artist.session
    number = PAIRS.index((provider, kind))
    picture = pictures.with_dark_corner(workshop, f"pot-{number}.png", (20 * number, 90, 200))
    begin(artist, picture, provider, servers[kind].url)
    session.run(f"{CHOICES}.comfyui.remove_background = False\n{CHOICES}.custom.path = '/make'")
    artist.press_generate()
    artist.shows(f"Use {LABELS[kind]}", SECONDS)
    artist.keep(f"wrong-server-{provider}-{kind}")
    said = " ".join(artist.words().split())
    assert ("does not take images at /make" if provider == "custom" else "answers at") in said
    session.click_button("image_to_mesh.use_server")
    session.wait_for(f"{CHOICES}.provider == {kind!r}")
    assert session.run(f"{PREFERENCES}.{kind}_base_url") == servers[kind].url
    assert session.run("len(running_jobs())") == 0
    assert not servers["hunyuan3d"].orders
    assert not servers["comfyui"].orders
    assert servers["gradio"].joins == 0


def test_a_secret_goes_through_the_network_only_by_consent(
    artist: Artist, photograph: Path
) -> None:
    session = artist.session
    begin(artist, photograph, "hunyuan3d", FAR)
    session.run(f"{PREFERENCES}.hunyuan3d_header = 'Authorization: Basic dXNlcjpzZWNyZXQ='")
    session.run("bpy.context.preferences.system.use_online_access = True")
    artist.shows("would be sent unencrypted")
    assert not session.run("bpy.ops.image_to_mesh.generate.poll()")
    artist.keep("secret-unencrypted")
    buttons = open_popover(artist, find_fields(artist, last="provider")["provider"])
    keep_around(artist, "secret-consent")
    session.click(*buttons['image_to_mesh.send_unencrypted(provider="hunyuan3d")'])
    session.wait_for(f"{PREFERENCES}.unencrypted_servers == {FAR!r}")
    session.press("Escape")
    assert session.run("bpy.ops.image_to_mesh.generate.poll()")
    assert "unencrypted" not in artist.words()
    assert session.run("asked") == []
    assert "dXNlcjpzZWNyZXQ" not in session.output()


def test_the_first_image_for_a_strangers_server_asks(artist: Artist, photograph: Path) -> None:
    session = artist.session
    begin(artist, photograph, "gradio", SPACE)
    session.run("bpy.context.preferences.system.use_online_access = True")
    artist.shows("Server on the Internet")
    artist.press_generate()
    time.sleep(slowness())
    session.screenshot("stranger-asked")
    session.press("Escape")
    time.sleep(slowness())
    assert session.run("[asked, len(running_jobs()), len(ended_jobs())]") == [[], 0, 0]
    artist.press_generate()
    time.sleep(slowness())
    session.press("Return")
    session.wait_for("len(ended_jobs()) == 1")
    assert set(session.run("asked")) == {HOST}
    artist.shows("cannot be reached")
    artist.keep("stranger-out-of-reach")
    assert session.run(f"list(__import__('json').loads({PREFERENCES}.confirmed_places))") == [
        f"gradio/{HOST}"
    ]
    assert "Traceback" not in session.output()
