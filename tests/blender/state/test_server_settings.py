# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a server: read when asked for, drawn, saved, kept when the server changes, sent."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.recording import draw
from fakes.glb import triangle_glb
from fakes.workshop import SERVICES, Workshop, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

WIDE = 900


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    """The fake server."""
    with serving(Workshop(mesh=triangle_glb(5))) as running:
        yield running


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The provider of the fake server, beside the real ones, before the add-on is enabled."""
    providers = addon_module("providers")
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, SERVICES])
    monkeypatch.delenv("WORKSHOP_BASE_URL", raising=False)
    providers.all_providers.cache_clear()
    yield providers.get_provider("workshop")
    providers.all_providers.cache_clear()


@pytest.fixture
def chosen(
    provider: Any, workshop: Workshop, addon: ModuleType, preferences: Any, tmp_path: Path
) -> Any:
    """The scene's choices: a picture, the provider, and its address."""
    preferences.workshop_base_url = workshop.url
    preferences.library = str(tmp_path / "library")
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("cup", 64, 64)
    chosen.image.pixels = [(index % 7) / 7 for index in range(64 * 64 * 4)]
    chosen.provider = "workshop"
    return chosen


def get_settings() -> None:
    """Press *Get Settings*, and wait as a script does."""
    assert bpy.ops.image_to_mesh.get_settings() == {"FINISHED"}


def items() -> dict[str, Any]:
    """Return the items of the scene's collection by name."""
    return {item.name: item for item in bpy.context.scene.image_to_mesh.server_rows}


def settings_now() -> Any:
    """Return the scene's settings for the provider, those of the server included."""
    scene = bpy.context.scene
    state = addon_module("state.scene_properties")
    return state.read_settings(scene, state.provider_of(scene))


def value(name: str) -> Any:
    """Return the value of a setting that would be sent."""
    return getattr(settings_now(), name)


def reason() -> str:
    """Return why Generate cannot run; empty if it can."""
    return str(addon_module("state.preflight").why_not(bpy.context))


def test_nothing_is_read_at_startup_or_by_drawing(
    provider: Any, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    connected: list[Any] = []
    plain = socket.socket.connect

    def connect(own: socket.socket, address: Any) -> None:
        connected.append(address)
        plain(own, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    request.getfixturevalue("chosen")
    heartbeat = addon_module("app.heartbeat")
    for _ in range(3):
        assert draw(unfolded=True, width=WIDE).buttons("image_to_mesh.get_settings")
        heartbeat.beat(bpy.context, time.monotonic())
    settings_now()
    bpy.ops.wm.save_as_mainfile(filepath=bpy.app.tempdir + "unread.blend")
    bpy.ops.wm.open_mainfile(filepath=bpy.app.tempdir + "unread.blend")
    assert (connected, workshop.requests) == ([], [])
    get_settings()  # the same counter sees the sockets that are opened
    assert len(connected) == 1


def test_they_appear_with_their_defaults_and_types(chosen: Any, workshop: Workshop) -> None:
    assert reason() == ""
    get_settings()
    assert workshop.requests == [("GET", "/settings/fast")]
    found = addon_module("providers").values_of(settings_now())
    assert found == {
        "model": "fast", "graph": "", "steps": 30, "cfg.scale": 7.5, "resolution": 512,
        "finish": "matt", "cut out": True, "prompt": "", "seed": None, "center": None,
    }  # fmt: skip
    assert isinstance(found["cfg.scale"], float)
    assert reason() == ""


def test_fields_edit_them_within_bounds_and_steps(chosen: Any) -> None:
    get_settings()
    rows = items()
    rows["steps"].whole = 33
    rows["cfg.scale"].number = 99.0
    rows["resolution"].choice = "1024"
    rows["finish"].choice = "gloss"
    rows["cut out"].flag = False
    rows["prompt"].text = "a cup"
    rows["seed"].use = True
    rows["seed"].whole = -5
    rows["center"].switch = "OFF"
    found = addon_module("providers").values_of(settings_now())
    assert found == {
        "model": "fast", "graph": "", "steps": 35, "cfg.scale": 30.0, "resolution": 1024,
        "finish": "gloss", "cut out": False, "prompt": "a cup", "seed": 0, "center": False,
    }  # fmt: skip
    assert type(found["resolution"]) is int
    rows["cfg.scale"].number = 0.9
    assert value("cfg.scale") == 0.9
    rows["seed"].use = False
    assert value("seed") is None
    rows["center"].switch = "AUTOMATIC"
    assert value("center") is None


def test_the_scene_holds_plain_json_and_no_further_properties(
    chosen: Any, workshop: Workshop
) -> None:
    before = set(chosen.bl_rna.properties.keys())
    get_settings()
    items()["steps"].whole = 50
    assert set(chosen.bl_rna.properties.keys()) == before
    data = json.loads(chosen.server_settings)["workshop"]
    assert (data["address"], data["key"]) == (workshop.url, "fast")
    assert data["date"].startswith("20")
    (steps,) = [row for row in data["settings"] if row["name"] == "steps"]
    assert (steps["type"], steps["value"]) == ("int", 50)


def test_they_survive_saving_and_opening(chosen: Any, workshop: Workshop, tmp_path: Path) -> None:
    get_settings()
    items()["steps"].whole = 50
    items()["resolution"].choice = "1024"
    file = str(tmp_path / "kept.blend")
    bpy.ops.wm.save_as_mainfile(filepath=file)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    assert not items()
    asked = len(workshop.requests)
    bpy.ops.wm.open_mainfile(filepath=file)
    assert (value("steps"), value("resolution")) == (50, 1024)
    assert items()["steps"].whole == 50
    assert len(workshop.requests) == asked


def test_an_edit_can_be_undone(chosen: Any) -> None:
    get_settings()
    bpy.ops.ed.undo_push(message="Got")
    items()["steps"].whole = 50
    bpy.ops.ed.undo_push(message="Edited")
    assert value("steps") == 50
    bpy.ops.ed.undo()
    assert (value("steps"), items()["steps"].whole) == (30, 30)
    bpy.ops.ed.redo()
    assert value("steps") == 50


def test_the_same_rows_draw_them(chosen: Any, workshop: Workshop) -> None:
    seen = draw(unfolded=True, width=WIDE)
    assert seen.button("image_to_mesh.get_settings")["enabled"]
    assert [row["property"] for row in seen.all("prop") if row["property"] == "whole"] == []
    get_settings()
    seen = draw(unfolded=True, width=WIDE)
    shown = {row["text"]: row for row in seen.all("prop") if row.get("text")}
    assert shown["Steps"]["property"] == "whole"
    assert shown["Guidance"]["property"] == "number"
    assert shown["Finish"]["property"] == "choice"
    assert shown["Cut Out"]["property"] == "flag"
    assert shown["Prompt"]["property"] == "text"
    assert shown["Center"]["property"] == "switch"
    host = workshop.url.partition("://")[2]
    assert f"Settings of {host}, read on 20" in seen.text()
    asked = {row["button"].setting for row in seen.buttons("image_to_mesh.describe_setting")}
    assert "steps" in asked
    items()["steps"].whole = 50
    seen = draw(unfolded=True, width=WIDE)
    back = {row["button"].setting for row in seen.buttons("image_to_mesh.reset_settings")}
    assert back == {"steps"}
    narrow = draw(unfolded=True, width=100)
    assert "Steps" in narrow.text()


def test_a_row_says_what_its_setting_does(chosen: Any) -> None:
    get_settings()
    operator = bpy.types.IMAGE_TO_MESH_OT_describe_setting
    asked = bpy.ops.image_to_mesh.describe_setting.get_rna_type  # registered
    assert asked() is not None
    said = operator.description(bpy.context, type("Given", (), {"setting": "steps"}))
    assert said == "More are better\nName: steps"
    said = operator.description(bpy.context, type("Given", (), {"setting": "other"}))
    assert said == "The server has no such setting"


def test_a_reset_returns_to_the_servers_default(chosen: Any) -> None:
    get_settings()
    items()["steps"].whole = 50
    items()["finish"].choice = "gloss"
    chosen.workshop.model = "fine"
    assert bpy.ops.image_to_mesh.reset_settings(setting="steps") == {"FINISHED"}
    assert (value("steps"), value("finish")) == (30, "gloss")
    assert bpy.ops.image_to_mesh.reset_settings() == {"FINISHED"}
    assert (value("finish"), value("model")) == ("matt", "fast")
    with pytest.raises(RuntimeError, match="no setting"):
        bpy.ops.image_to_mesh.reset_settings(setting="steeps")


def test_another_server_or_model_has_to_be_asked_first(
    chosen: Any, workshop: Workshop, preferences: Any
) -> None:
    get_settings()
    items()["steps"].whole = 50
    items()["finish"].choice = "gloss"
    chosen.workshop.model = "fine"
    assert "other settings for this choice: click Get Settings" in reason()
    get_settings()
    assert (reason(), value("steps"), set(items())) == ("", 50, {"steps"})
    with serving(Workshop()) as other:
        preferences.workshop_base_url = other.url
        assert f"The settings are those of {workshop.url}: click Get Settings" in reason()
        get_settings()
        assert reason() == ""
        assert json.loads(chosen.server_settings)["workshop"]["address"] == other.url


def test_a_failure_is_shown_and_changes_nothing(chosen: Any, workshop: Workshop) -> None:
    get_settings()
    items()["steps"].whole = 50
    workshop.rows = {}
    with pytest.raises(RuntimeError, match="did not say its settings"):
        bpy.ops.image_to_mesh.get_settings()
    assert value("steps") == 50
    seen = draw(unfolded=True, width=2000)
    assert "The server did not say its settings. Try again later." in seen.text()


def test_offline_a_server_elsewhere_is_not_asked(chosen: Any, preferences: Any) -> None:
    preferences.workshop_base_url = "https://example.com"
    assert not bpy.app.online_access
    with pytest.raises(RuntimeError, match="Blender is offline"):
        bpy.ops.image_to_mesh.get_settings()
    assert addon_module("app.server.settings")._pending == []


def test_providers_without_such_a_server_have_no_button(chosen: Any) -> None:
    chosen.provider = "local"
    assert not draw(unfolded=True, width=WIDE).buttons("image_to_mesh.get_settings")
    assert not bpy.ops.image_to_mesh.get_settings.poll()


def test_each_scene_has_its_own(chosen: Any) -> None:
    get_settings()
    items()["steps"].whole = 50
    other = bpy.data.scenes.new("other").image_to_mesh
    assert (other.server_settings, len(other.server_rows)) == ("", 0)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"workshop": 3}', '{"workshop": {}}',
                                  '{"workshop": {"settings": [3, {"name": "_x"}, {}]}}',
                                  "[" * 100_000])  # fmt: skip
def test_a_damaged_text_counts_as_none(text: str, chosen: Any) -> None:
    get_settings()
    chosen.server_settings = text
    assert value("model") == "fast"
    assert not hasattr(settings_now(), "steps")
    assert draw(unfolded=True, width=WIDE).shown
    get_settings()
    assert value("steps") == 30


@pytest.mark.parametrize("name", ["rules", "inactive_fields", "model", "graph", "__class__"])
def test_a_strangers_file_cannot_replace_what_is_declared(name: str, chosen: Any) -> None:
    rows = [{"name": name, "type": "int", "default": 3, "value": 4}, {"name": "x", "type": "int"}]
    other = {"settings": [{"name": "kept"}]}
    chosen.server_settings = json.dumps({"workshop": {"settings": rows}, "nobody": other})
    assert value("model") == "fast"
    assert addon_module("providers").values_of(settings_now()).keys() == {"model", "graph", "x"}
    assert draw(unfolded=True, width=WIDE).shown
    get_settings()
    assert value("steps") == 30
    assert json.loads(chosen.server_settings)["nobody"] == other


def test_a_strangers_file_holds_no_more_than_a_server_may_have(chosen: Any) -> None:
    rows = [{"name": f"{count:x}", "type": "int"} for count in range(100_000)]
    chosen.server_settings = json.dumps({"workshop": {"settings": rows}})
    began = time.thread_time()
    addon_module("state.server.kept").parse_text(chosen.server_settings)
    assert time.thread_time() - began < 1.0
    assert len(addon_module("providers").values_of(settings_now())) == 2 + 200


def test_little_is_shown_of_what_a_strangers_file_says_of_the_server(chosen: Any) -> None:
    told: dict[str, Any] = {
        "address": "http://a\u202eb/" + "c" * 10_000,
        "date": "2" * 1_000_000,
        "key": [[]],
    }
    told["settings"] = [{"name": "x", "type": "int", "default": 3}]
    chosen.server_settings = json.dumps({"workshop": told})
    began = time.thread_time()
    shown = draw(unfolded=True, width=WIDE).shown
    assert time.thread_time() - began < 1.0
    assert r"\u202e" not in repr(shown)
    assert len(repr(shown)) < 100_000
    kept = addon_module("state.server.kept").parse_text(chosen.server_settings)["workshop"]
    assert (len(kept.address), len(kept.date), kept.key) == (2000, 40, "")


def test_an_order_carries_them_and_the_file_with_their_types(
    chosen: Any, workshop: Workshop, tmp_path: Path
) -> None:
    get_settings()
    rows = items()
    rows["steps"].whole = 40
    rows["resolution"].choice = "1024"
    rows["cfg.scale"].number = 3.0
    rows["cut out"].flag = False
    graph = tmp_path / "graph.json"
    graph.write_text('{"9": {}}')
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.context.scene.image_to_mesh.workshop.graph = "//graph.json"
    assert bpy.ops.image_to_mesh.generate() == {"FINISHED"}
    (order,) = workshop.orders
    assert order["graph"] == '{"9": {}}'
    assert order["values"] == {
        "model": "fast", "steps": 40, "cfg.scale": 3.0, "resolution": 1024, "finish": "matt",
        "cut out": False, "prompt": "", "seed": None, "center": None,
    }  # fmt: skip
    assert isinstance(order["values"]["cfg.scale"], float)
    (job,) = [path.name for path in (tmp_path / "library").iterdir() if path.is_dir()]
    # The job's settings and its file come back, though the user's own file is gone.
    graph.unlink()
    items()["steps"].whole = 90
    assert bpy.ops.image_to_mesh.reuse(job=job) == {"FINISHED"}
    assert value("steps") == 40
    kept = tmp_path / "library" / job / "setting-graph.json"
    assert Path(value("graph")) == kept
    bpy.context.scene.image_to_mesh.workshop.graph = "//gone.json"
    with pytest.raises(RuntimeError, match="no such file"):
        bpy.ops.image_to_mesh.generate()
    assert len(workshop.orders) == 1


def test_a_file_has_a_button_that_chooses_it(chosen: Any) -> None:
    declared = chosen.workshop.bl_rna.properties["graph"]
    assert (declared.type, declared.subtype) == ("STRING", "FILE_PATH")


def test_the_price_list_is_shown_as_about(chosen: Any) -> None:
    price = addon_module("state.orders.price")
    known = price.known_price(bpy.context)
    assert (known.amount, known.unit) == (2, "Coins")
    assert price.price_text(bpy.context) == "About 2 Coins"
    assert price.source_text(known) == "Price according to example.com, 2026-11-01."
    text = str(draw(width=280).button("image_to_mesh.generate")["text"])
    assert text == "Generate · About 2 Coins"
    tooltip = bpy.types.IMAGE_TO_MESH_OT_generate.description(bpy.context, None)
    assert tooltip.splitlines()[1:] == ["Price according to example.com, 2026-11-01"]
    chosen.provider = "local"
    assert bpy.types.IMAGE_TO_MESH_OT_generate.description(bpy.context, None) == (
        bpy.types.IMAGE_TO_MESH_OT_generate.bl_description
    )
    chosen.provider = "workshop"
    get_settings()
    items()["finish"].choice = "gloss"
    assert price.price_text(bpy.context) == "About 3 Coins"
    asked = addon_module("operators.confirm_order").question(bpy.context, 2, repeated=False)
    assert asked == (
        "Workshop charges about 2 × 3 Coins = 6 Coins. Price according to example.com, 2026-11-01."
    )
