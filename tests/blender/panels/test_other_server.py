# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that the user describes: its test, its settings as a file, and a provider that fits."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.recording import draw, draw_popover
from fakes import custom, hunyuan3d
from fakes.custom import Custom
from fakes.hunyuan3d import Hunyuan3d
from fakes.workshop import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

WIDE = 900


@pytest.fixture
def chosen(addon: ModuleType, preferences: Any, tmp_path: Path) -> Any:
    """The scene's choices: a picture, and the user's own server."""
    preferences.library = str(tmp_path / "library")
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("cup", 64, 64)
    chosen.image.pixels = [(index % 7) / 7 for index in range(64 * 64 * 4)]
    chosen.provider = "custom"
    return chosen


def wait_for_answer() -> None:
    """Let the heartbeat's step run until no answer is pending."""
    account, end = addon_module("app.periodic.account"), time.monotonic() + 20
    while account._pending:
        assert time.monotonic() < end, "no answer came in time"
        account.poll(bpy.context, 0.0)
        time.sleep(0.01)


def press_test_server() -> Any:
    """Press *Test Server*, wait for the answer, and return what is drawn then."""
    assert bpy.ops.image_to_mesh.test_server() == {"FINISHED"}
    assert (
        draw(unfolded=True, width=WIDE).button("image_to_mesh.test_server")["text"]
        == "Asking the Server..."
    )
    wait_for_answer()
    return draw(unfolded=True, width=WIDE)


def use(seen: Any) -> dict[str, Any]:
    """Return the one button that chooses another provider."""
    found: dict[str, Any] = seen.button("image_to_mesh.use_server")
    return found


def test_the_settings_are_tested_without_an_order(chosen: Any, preferences: Any) -> None:
    with custom.serving(Custom("json", described=True)) as server:
        preferences.custom_base_url = server.url
        assert "takes images" not in draw(unfolded=True, width=WIDE).text()
        assert "The server takes images as: application/json." in press_test_server().text()
        chosen.custom.send_as = "json"
        # The answer was about other settings.
        assert "The server takes images as" not in draw(unfolded=True, width=WIDE).text()
        assert "takes images at /generate. Nothing was ordered." in press_test_server().text()
    assert server.orders == 0
    assert not draw(unfolded=True, width=WIDE).buttons("image_to_mesh.use_server")


def test_only_a_provider_that_describes_a_server_can_be_tested(chosen: Any) -> None:
    chosen.provider = "hunyuan3d"
    assert not bpy.ops.image_to_mesh.test_server.poll()
    assert not draw(unfolded=True, width=WIDE).buttons("image_to_mesh.test_server")


def test_offline_only_this_computer_is_tested(chosen: Any, preferences: Any) -> None:
    preferences.custom_base_url = "http://192.168.1.5:8000"
    if not bpy.app.online_access:
        with pytest.raises(RuntimeError, match="offline"):
            bpy.ops.image_to_mesh.test_server()
    preferences.custom_base_url = "http://93.184.216.34"
    with pytest.raises(RuntimeError, match="own network"):
        bpy.ops.image_to_mesh.test_server()


def test_a_test_offers_the_provider_that_fits(chosen: Any, preferences: Any) -> None:
    with hunyuan3d.serving(Hunyuan3d()) as server:
        preferences.custom_base_url = server.url
        chosen.custom.path = "/make"
        seen = press_test_server()
        assert "does not take images at /make, but has: /generate" in seen.text()
        button = use(seen)
        assert button["text"] == "Use Hunyuan3D"
        values = {"provider": button["button"].provider, "address": button["button"].address}
        assert values == {"provider": "hunyuan3d", "address": server.url}
        assert bpy.ops.image_to_mesh.use_server(**values) == {"FINISHED"}
        assert chosen.provider == "hunyuan3d"
        assert preferences.hunyuan3d_base_url == server.url
        assert bpy.ops.image_to_mesh.test_key() == {"FINISHED"}
        wait_for_answer()
        assert not draw_popover().buttons("image_to_mesh.use_server")
    assert not server.orders


def test_a_failed_job_offers_the_provider_that_fits(chosen: Any, preferences: Any) -> None:
    with hunyuan3d.serving(Hunyuan3d()) as server:
        preferences.custom_base_url = server.url
        chosen.custom.path = "/make"
        with pytest.raises(RuntimeError, match="does not take images at /make"):
            bpy.ops.image_to_mesh.generate()
        seen = draw(width=WIDE)
    assert use(seen)["text"] == "Use Hunyuan3D"
    assert use(seen)["button"].address == server.url


def test_the_address_is_the_users_and_not_that_of_a_record(chosen: Any, preferences: Any) -> None:
    panel, jobs = addon_module("panels.keys.other_server"), addon_module("jobs")
    preferences.custom_base_url = "http://192.168.1.5:8000"
    failure = jobs.Failure("unreachable", "It failed.", provider="hunyuan3d")
    offered = panel.other_server(bpy.context, failure, "custom")
    assert offered == ("hunyuan3d", "http://192.168.1.5:8000", "Use Hunyuan3D")
    for other in ("", "custom", "tripo", "nobody"):
        strange = jobs.Failure("unreachable", "It failed.", provider=other)
        assert panel.other_server(bpy.context, strange, "custom") is None
    assert panel.other_server(bpy.context, failure, "nobody") is None
    assert panel.other_server(bpy.context, None, "custom") is None
    preferences.custom_base_url = "http://93.184.216.34"
    assert panel.other_server(bpy.context, failure, "custom") is None


def test_the_usual_address_is_saved_where_the_environment_has_another(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUNYUAN3D_BASE_URL", "http://127.0.0.1:9")
    usual = "http://127.0.0.1:8081"
    bpy.ops.image_to_mesh.use_server(provider="hunyuan3d", address=usual)
    assert preferences.hunyuan3d_base_url == usual
    monkeypatch.delenv("HUNYUAN3D_BASE_URL")
    bpy.ops.image_to_mesh.use_server(provider="hunyuan3d", address=usual)
    assert preferences.hunyuan3d_base_url == ""


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A provider with settings that only its server knows, before the add-on is enabled."""
    providers = addon_module("providers")
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, SERVICES])
    providers.all_providers.cache_clear()
    yield providers.get_provider("workshop")
    providers.all_providers.cache_clear()


def test_get_settings_offers_the_provider_that_fits(
    workshop: Any, addon: ModuleType, preferences: Any
) -> None:
    bpy.context.scene.image_to_mesh.provider = "workshop"
    with hunyuan3d.serving(Hunyuan3d()) as server:
        preferences.workshop_base_url = server.url
        with pytest.raises(RuntimeError):
            bpy.ops.image_to_mesh.get_settings()
        assert use(draw(unfolded=True, width=WIDE))["button"].provider == "hunyuan3d"
        assert use(draw(unfolded=True, width=WIDE))["button"].address == server.url


# -- settings as a file --------------------------------------------------------------------------


def test_settings_are_exported_and_imported(chosen: Any, preferences: Any, tmp_path: Path) -> None:
    path = tmp_path / "my server.json"
    preferences.custom_base_url = "http://192.168.1.5:8000"
    preferences.custom_header = "Authorization: Basic dXNlcjpzZWNyZXQ="
    chosen.custom.path, chosen.custom.send_as = "/make", "json"
    assert bpy.ops.image_to_mesh.export_settings(filepath=str(path)) == {"FINISHED"}
    text = path.read_text("utf-8")
    assert json.loads(text) == {
        "image_to_mesh_settings": 1,
        "provider": "custom",
        "settings": {"path": "/make", "send_as": "json"},
    }
    chosen.custom.path, chosen.custom.image_field = "/other", "photo"
    chosen.provider = "local"
    assert bpy.ops.image_to_mesh.import_settings(filepath=str(path)) == {"FINISHED"}
    assert chosen.provider == "custom"
    assert (chosen.custom.path, chosen.custom.image_field) == ("/make", "image")
    assert preferences.custom_base_url == "http://192.168.1.5:8000"


def test_a_strangers_file_changes_nothing_if_it_is_refused(chosen: Any, tmp_path: Path) -> None:
    path = tmp_path / "shared.json"
    values = {"path": "/make", "extra_headers": '{"Host": "evil.example"}'}
    path.write_text(
        json.dumps({"image_to_mesh_settings": 1, "provider": "custom", "settings": values})
    )
    chosen.provider = "local"
    with pytest.raises(RuntimeError, match="headers cannot be sent"):
        bpy.ops.image_to_mesh.import_settings(filepath=str(path))
    assert chosen.provider == "local"
    assert chosen.custom.path == "/generate"


def test_the_box_of_the_image_stays_when_settings_are_imported(chosen: Any, tmp_path: Path) -> None:
    box, path = addon_module("state.subject_box"), str(tmp_path / "local.json")
    chosen.provider = "local"
    box.set_box(chosen, (0.1, 0.2, 0.6, 0.7))
    chosen.local.thickness = 3.0
    assert bpy.ops.image_to_mesh.export_settings(filepath=path) == {"FINISHED"}
    box.set_box(chosen, (0.3, 0.3, 0.9, 0.9))
    chosen.local.thickness = 1.0
    assert bpy.ops.image_to_mesh.import_settings(filepath=path) == {"FINISHED"}
    assert chosen.local.thickness == 3.0
    assert box.box_of(chosen) == (0.3, 0.3, 0.9, 0.9)


def test_a_file_that_cannot_be_written_is_reported(chosen: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot be written"):
        bpy.ops.image_to_mesh.export_settings(filepath=str(tmp_path / "lost" / "a.json"))
