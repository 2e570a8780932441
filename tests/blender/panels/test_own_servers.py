# SPDX-License-Identifier: GPL-3.0-or-later
"""Users' own servers in the interface: address, header, consent, Test, and the search for them."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.recording import draw, draw_popover, draw_preferences
from fakes import hunyuan3d, local_servers
from fakes.hunyuan3d import Hunyuan3d
from fakes.local_servers import gradio

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = "Authorization: Basic dXNlcjpzZWNyZXQ="
FAR = "http://192.168.1.5:8081"


@pytest.fixture
def chosen(preferences: Any) -> Any:
    """The scene's choices: a picture, and the user's own server."""
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("cup", 64, 64)
    chosen.provider = "hunyuan3d"
    return chosen


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the addresses to which anything connects."""
    places: list[Any] = []
    real = socket.socket.connect

    def connect(self: socket.socket, place: Any) -> None:
        places.append(place)
        real(self, place)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return places


def until(condition: Callable[[], bool]) -> None:
    """Let the heartbeat's step run until the condition is true."""
    account, end = addon_module("app.periodic.account"), time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        account.poll(bpy.context, 0.0)
        time.sleep(0.01)


def press_test() -> None:
    """Press Test, and wait for the answer."""
    account = addon_module("app.periodic.account")
    assert bpy.ops.image_to_mesh.test_key(provider="hunyuan3d") == {"FINISHED"}
    until(lambda: not account._pending)


def state() -> str:
    """Return the text of the line below the provider menu."""
    (line,) = draw().all("popover")
    return str(line["text"])


def test_the_license_is_said_beside_the_provider(chosen: Any) -> None:
    assert "Tencent's license does not cover the EU" in draw(width=2000).text()
    chosen.provider = "tripo"
    assert "Tencent" not in draw(width=2000).text()


def test_nothing_is_called_without_a_click(
    chosen: Any, preferences: Any, sockets: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    account = addon_module("app.periodic.account")
    monkeypatch.setattr(account, "is_shown", lambda _: True)
    for now in range(5):
        account.poll(bpy.context, float(now))
    preferences.hunyuan3d_header = HEADER
    addon_module("app.periodic.entered_keys").poll(bpy.context, 0.0)
    account.refresh_balance(bpy.context, "hunyuan3d")
    draw(width=2000)
    draw_popover()
    draw_preferences(preferences)
    assert not account._pending
    assert not sockets
    assert state() == "Your Own Server"


def test_address_and_header_are_in_the_servers_row(chosen: Any, preferences: Any) -> None:
    for seen in (draw_popover(), draw_preferences(preferences)):
        assert seen.prop("hunyuan3d_base_url")["placeholder"] == "http://127.0.0.1:8081"
        assert seen.prop("hunyuan3d_header")["placeholder"] == "Not needed"
    preferences.show_addresses = True
    rows = [row["property"] for row in draw_preferences(preferences).all("prop")]
    assert rows.count("hunyuan3d_base_url") == 1


def test_test_names_the_server_that_answers(chosen: Any, preferences: Any) -> None:
    with hunyuan3d.serving(Hunyuan3d()) as server:
        preferences.hunyuan3d_base_url = server.url
        press_test()
        assert state() == "Server Found"
    with local_servers.serving(gradio()) as other:
        preferences.hunyuan3d_base_url = other.url
        press_test()
        assert state() == "Server Not Found"
        assert "The Gradio app “Hunyuan3D” answers at" in draw_popover().text()
        assert "port 8081" in draw_popover().text()


def test_a_public_address_says_what_to_do(chosen: Any, preferences: Any) -> None:
    preferences.hunyuan3d_base_url = "http://8.8.8.8:8081"
    assert state() == "Address Not Usable"
    assert "VPN" in draw_popover().text()
    assert "VPN" in addon_module("state.preflight").why_not(bpy.context)
    assert not bpy.ops.image_to_mesh.generate.poll()


def test_a_secret_in_the_open_takes_one_click(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addon_module("preferences"), "is_offline", lambda *_: False)
    readiness = addon_module("state.preflight")
    preferences.hunyuan3d_base_url = FAR
    assert draw_popover().buttons("image_to_mesh.send_unencrypted") == []
    preferences.hunyuan3d_header = HEADER
    assert "unencrypted" in readiness.why_not(bpy.context)
    seen = draw_popover()
    assert "Anybody in the same network could read it" in seen.text()
    assert seen.button("image_to_mesh.send_unencrypted")["button"].provider == "hunyuan3d"
    assert bpy.ops.image_to_mesh.send_unencrypted(provider="hunyuan3d") == {"FINISHED"}
    assert preferences.unencrypted_servers == FAR
    assert draw_popover().buttons("image_to_mesh.send_unencrypted") == []
    assert "unencrypted" not in readiness.why_not(bpy.context)
    preferences.hunyuan3d_base_url = "http://192.168.1.6:8081"
    assert "unencrypted" in readiness.why_not(bpy.context)
    with pytest.raises(RuntimeError, match="There is no provider"):
        bpy.ops.image_to_mesh.send_unencrypted(provider="nobody")


def test_a_bad_header_is_reported(chosen: Any, preferences: Any) -> None:
    preferences.hunyuan3d_header = "secret"
    assert state() == "Invalid Header"
    assert "not a header" in draw_popover().text()
    assert "not a header" in addon_module("state.preflight").why_not(bpy.context)


def test_a_found_server_without_a_provider_says_so(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, message = addon_module("jobs.tasks.found_servers"), addon_module("providers").Message
    server = found.FoundServer("http://127.0.0.1:7777", "", message("An unknown server"))
    monkeypatch.setattr(found.ServerSearch, "found", (server,))
    seen = draw_preferences(preferences)
    reason = "An unknown server · 127.0.0.1:7777 · no provider for it"
    assert {row["active"] for row in seen.all("label") if row["text"] == reason} == {False}
    assert not seen.buttons("image_to_mesh.use_server")
    chosen.provider = "hunyuan3d"
    assert reason in draw_popover().text()


def test_servers_on_this_computer_are_found_and_set_up(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = addon_module("providers._shared.servers.probe")
    chosen.provider = "local"
    with hunyuan3d.serving(Hunyuan3d("2.0")) as server, local_servers.serving(gradio()) as other:
        ports = tuple(int(found.url.rpartition(":")[2]) for found in (server, other))
        monkeypatch.setattr(probe, "usual_ports", lambda: (*ports, 9))
        assert bpy.ops.image_to_mesh.find_servers() == {"FINISHED"}
    until(lambda: not addon_module("app.periodic.account")._awaited)
    seen = draw_preferences(preferences)
    assert f"Hunyuan3D 2.0 · 127.0.0.1:{ports[0]}" in seen.text()
    assert f"The Gradio app “Hunyuan3D” · 127.0.0.1:{ports[1]}" in seen.text()
    # Each row of a user's own server has the search.
    buttons = [row["button"] for row in seen.buttons("image_to_mesh.use_server")]
    usable = {(button.provider, button.address) for button in buttons}
    assert usable == {("hunyuan3d", server.url), ("gradio", other.url)}
    called = bpy.ops.image_to_mesh.use_server(provider="hunyuan3d", address=server.url)
    assert called == {"FINISHED"}
    assert chosen.provider == "hunyuan3d"
    assert preferences.hunyuan3d_base_url == server.url
    bpy.ops.image_to_mesh.use_server(provider="hunyuan3d", address="http://127.0.0.1:8081")
    assert preferences.hunyuan3d_base_url == ""


def test_a_missing_server_is_reported(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = addon_module("providers._shared.servers.probe")
    monkeypatch.setattr(probe, "usual_ports", lambda: (9,))
    assert bpy.ops.image_to_mesh.find_servers() == {"FINISHED"}
    until(lambda: not addon_module("app.periodic.account")._awaited)
    assert "No server answers on the usual ports" in draw_popover().text()


def test_a_space_is_not_called_an_own_server(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen.provider = "gradio"
    text = addon_module("panels.account_text")
    provider = addon_module("providers").get_provider("gradio")

    def state() -> str:
        return str(text.state_of(bpy.context, provider, none="").text)

    monkeypatch.setattr(text, "is_offline", lambda *_: False)
    assert state() == "Your Own Server"
    preferences.gradio_base_url = "microsoft/TRELLIS.2"
    assert state() == "Server on the Internet"
    preferences.gradio_base_url = "http://8.8.8.8:7860"
    assert state() == "Address Not Usable"
    preferences.gradio_base_url = ""
    preferences.gradio_token = "two words"
    assert state() == "Invalid Key"
