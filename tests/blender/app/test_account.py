# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys tested, balances and prices asked for in the background, with a service on loopback."""

from __future__ import annotations

import importlib
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.recording import ADDON, draw, draw_preferences
from fakes import FAKES
from fakes.service import KEY, Service, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from fakes.promised import Promised


def room(name: str) -> Any:
    """Return one of the add-on's modules."""
    return importlib.import_module(f"{ADDON}.{name}")


def until(so: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def service() -> Iterator[Service]:
    """The fake service."""
    with serving(Service()) as running:
        yield running


@pytest.fixture
def rehearsal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The provider that speaks to it, beside the real ones, which names prices as well."""
    providers = room("providers")
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(FAKES / "services")])
    for name in ("REHEARSAL_API_KEY", "REHEARSAL_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    providers.all_providers.cache_clear()
    found = providers.get_provider("rehearsal")

    def quote(_: Any, request: Any, http: Any) -> Any:
        if not http.get("/balance").ok:
            raise providers.Failed("There is no price today.")
        return providers.Cost(40.0 if request.settings.texture else 25.0, "CU")

    monkeypatch.setattr(type(found), "quote", quote)
    yield found
    providers.all_providers.cache_clear()


@pytest.fixture
def chosen(rehearsal: Any, service: Service, addon: ModuleType, preferences: Any) -> Any:
    """The scene's choices: a picture, the rehearsal provider, its key and address set."""
    preferences.rehearsal_api_key = KEY
    preferences.rehearsal_base_url = service.url
    chosen = bpy.context.scene.image_to_mesh
    chosen.image = bpy.data.images.new("cup", 64, 64)
    chosen.provider = "rehearsal"
    return chosen


@pytest.fixture
def in_sight(monkeypatch: pytest.MonkeyPatch, chosen: Any) -> Callable[[float], None]:
    """Let the add-on look around at a moment, as if its tab were in sight."""
    account = room("app.periodic.account")
    monkeypatch.setattr(account, "is_shown", lambda _: True)
    return lambda now: account.poll(bpy.context, now)


def answered() -> None:
    """Wait until no answer is waited for."""
    account = room("app.periodic.account")

    def look() -> bool:
        account.poll(bpy.context, 0.0)
        return not account._pending

    until(look)


def generate_text() -> str:
    """Return what stands on the button."""
    return str(draw().button("image_to_mesh.generate")["text"])


def press_test(service: Service) -> None:
    """Test the key, and wait for the answer."""
    start = time.perf_counter()
    assert bpy.ops.image_to_mesh.test_key(provider="rehearsal") == {"FINISHED"}
    assert time.perf_counter() - start < 3.0  # 2 ms; loading what the thread needs comes between
    answered()


def test_a_key_is_tested_in_the_background(chosen: Any, service: Service, preferences: Any) -> None:
    seen = draw_preferences(preferences)
    (button,) = [
        item
        for item in seen.buttons("image_to_mesh.test_key")
        if item["button"].provider == "rehearsal"
    ]
    assert (button["text"], button["enabled"]) == ("Test", True)
    assert service.requests == []
    press_test(service)
    assert "Balance: 42 credits" in draw_preferences(preferences).text()
    assert service.calls("GET", "/balance") == 1
    assert service.submits == []
    assert KEY not in draw_preferences(preferences).text()


def test_a_waiting_key_test_says_so(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = room("jobs")
    monkeypatch.setattr(
        jobs.session().account_queries,
        "answer",
        lambda _: room("jobs.tasks.account_queries").AccountAnswer(waiting=True),
    )
    seen = draw_preferences(preferences)
    assert "Asking…" in seen.text()
    buttons = seen.buttons("image_to_mesh.test_key")
    assert [
        button["enabled"] for button in buttons if button["button"].provider == "rehearsal"
    ] == [False]
    assert not draw().button("image_to_mesh.test_key")["enabled"]


def test_a_key_without_a_balance_still_works(
    chosen: Any, service: Service, preferences: Any, rehearsal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(rehearsal), "balance", lambda *_: None)
    press_test(service)
    assert "The key works" in draw_preferences(preferences).text()
    assert "The key works" in draw().text()


def test_a_refused_key_says_what_to_do(chosen: Any, service: Service, preferences: Any) -> None:
    preferences.rehearsal_api_key = "wrong"
    press_test(service)
    for seen in (draw_preferences(preferences), draw(width=400)):
        assert "The key was refused." in seen.text()
        assert "Make a new one." in seen.text()
        links = [button for button in seen.buttons("wm.url_open") if button["text"] == "Help"]
        assert [link["button"].url for link in links] == ["https://example.com/keys"]
    preferences.rehearsal_api_key = KEY
    assert "refused" not in draw_preferences(preferences).text()


def test_an_answer_to_an_earlier_key_is_not_shown(
    chosen: Any, service: Service, preferences: Any
) -> None:
    press_test(service)
    preferences.rehearsal_api_key = "another"
    assert "42" not in draw_preferences(preferences).text()
    assert "42" not in draw().text()


def test_a_malformed_key_is_reported(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise room("providers").BadKey("This is no key.", "Paste it again, without spaces.")

    monkeypatch.setattr(room("providers"), "keys_for", refuse)
    assert "This is no key. Paste it again" in draw_preferences(preferences).text()
    seen = draw(width=900)
    assert "This is no key: copy it again in Preferences" in seen.text()
    assert not seen.button("image_to_mesh.generate")["enabled"]
    with pytest.raises(RuntimeError, match="This is no key"):
        bpy.ops.image_to_mesh.test_key(provider="rehearsal")


def test_a_key_of_blanks_counts_as_missing(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    preferences.rehearsal_api_key = "  "
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    assert draw_preferences(preferences).shown
    assert draw().shown


def test_without_a_key_there_is_nothing_to_test(chosen: Any, preferences: Any) -> None:
    preferences.rehearsal_api_key = ""
    buttons = draw_preferences(preferences).buttons("image_to_mesh.test_key")
    assert [
        button["enabled"] for button in buttons if button["button"].provider == "rehearsal"
    ] == [False]
    assert not draw().buttons("image_to_mesh.test_key")
    with pytest.raises(RuntimeError, match="needs an API key"):
        bpy.ops.image_to_mesh.test_key(provider="rehearsal")
    with pytest.raises(RuntimeError, match="no account"):
        bpy.ops.image_to_mesh.test_key(provider="local")


def test_offline_nothing_is_requested_and_the_reason_is_shown(
    chosen: Any, preferences: Any, in_sight: Callable[[float], None]
) -> None:
    preferences.rehearsal_base_url = "https://example.com/v1"
    assert not bpy.app.online_access
    seen = draw_preferences(preferences)
    assert "Blender is offline" in seen.text()
    buttons = seen.buttons("image_to_mesh.test_key")
    assert [
        button["enabled"] for button in buttons if button["button"].provider == "rehearsal"
    ] == [False]
    assert not draw().buttons("image_to_mesh.test_key")
    with pytest.raises(RuntimeError, match="Allow Online Access"):
        bpy.ops.image_to_mesh.test_key(provider="rehearsal")
    in_sight(1.0)
    in_sight(9.0)
    assert room("app.periodic.account")._pending == []


def test_services_that_share_a_key_share_its_test(
    addon: ModuleType, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AIML_API_KEY", "TRIPO_API_KEY", "SCENARIO_SDK_API_KEY"):
        monkeypatch.setenv(name, "k")
    buttons = draw_preferences(preferences).buttons("image_to_mesh.test_key")
    assert [(button["button"].provider, button["text"]) for button in buttons] == [
        ("aiml_magic", "Test"),
        ("scenario", "Test"),
        ("tripo", f"Test {label('tripo')}"),
        ("tripo_v2", f"Test {label('tripo_v2')}"),
    ]
    one, two = (
        room("preferences").account_query(bpy.context, room("providers").get_provider(name))
        for name in ("aiml_magic", "aiml_triposr")
    )
    assert one == two


def label(provider: str) -> str:
    """Return a provider's name."""
    return str(room("providers").get_provider(provider).label)


def test_the_balance_stands_beside_the_provider(chosen: Any, service: Service) -> None:
    assert draw().button("image_to_mesh.test_key")["button"].provider == "rehearsal"
    assert "Balance" in draw().text()
    press_test(service)
    assert "Balance: 42 credits" in draw().text()
    chosen.provider = "local"
    assert not draw().buttons("image_to_mesh.test_key")
    assert "Balance" not in draw().text()


def test_a_shown_balance_is_refreshed_after_a_job(chosen: Any, service: Service) -> None:
    account = room("app.periodic.account")
    account.refresh_balance(bpy.context, "rehearsal")
    assert service.requests == []
    press_test(service)
    account.refresh_balance(bpy.context, "rehearsal")
    answered()
    assert service.calls("GET", "/balance") == 2


def test_the_price_appears_once_the_settings_stop_changing(
    chosen: Any, service: Service, in_sight: Callable[[float], None]
) -> None:
    assert generate_text() == "Generate"
    in_sight(1.0)
    in_sight(1.3)
    chosen.rehearsal.texture = False
    in_sight(1.6)
    in_sight(2.2)
    assert service.requests == []
    in_sight(2.4)
    answered()
    assert generate_text() == "Generate (25 CU)"
    chosen.rehearsal.texture = True
    assert generate_text() == "Generate"
    in_sight(3.0)
    in_sight(4.0)
    answered()
    assert generate_text() == "Generate (40 CU)"
    chosen.rehearsal.texture = False
    assert generate_text() == "Generate (25 CU)"
    for now in range(5, 20):
        in_sight(float(now))
    assert service.calls("GET", "/balance") == 2
    assert service.submits == []


def test_a_refused_price_request_is_reported_and_not_repeated(
    chosen: Any, service: Service, in_sight: Callable[[float], None]
) -> None:
    service.errors = [400]
    in_sight(1.0)
    in_sight(2.0)
    answered()
    assert generate_text() == "Generate"
    assert draw(width=500).button("image_to_mesh.generate")["enabled"]
    assert "Price unknown: There is no price today." in draw(width=500).text()
    for now in range(3, 20):
        in_sight(float(now))
    answered()
    assert len(service.requests) == 1


@pytest.mark.parametrize("why", ["rule", "key", "provider", "tab"])
def test_no_price_is_requested_for_an_invalid_order(
    chosen: Any,
    service: Service,
    preferences: Any,
    in_sight: Callable[[float], None],
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    if why == "rule":
        chosen.rehearsal.texture, chosen.rehearsal.pbr = False, True
    elif why == "key":
        preferences.rehearsal_api_key = ""
    elif why == "provider":
        chosen.provider = "local"
    else:
        monkeypatch.setattr(room("app.periodic.account"), "is_shown", lambda _: False)
    in_sight(1.0)
    in_sight(9.0)
    assert service.requests == []
    assert generate_text() == "Generate"


def test_the_tab_counts_as_visible_in_its_sidebar_only(addon: ModuleType) -> None:
    def windows(tab: str, *, opened: bool) -> Any:
        space = SimpleNamespace(active=SimpleNamespace(show_region_ui=opened))
        regions = [SimpleNamespace(type="UI", active_panel_category=tab)]
        area = SimpleNamespace(type="VIEW_3D", spaces=space, regions=regions)
        screen = SimpleNamespace(areas=[area])
        manager = SimpleNamespace(windows=[SimpleNamespace(screen=screen)])
        return SimpleNamespace(window_manager=manager)

    is_shown = room("app.redraw").is_shown
    assert is_shown(windows("Image to Mesh", opened=True))
    assert not is_shown(windows("Image to Mesh", opened=False))
    assert not is_shown(windows("Item", opened=True))
    assert is_shown(bpy.context) in (True, False)
    panel = room("panels.sidebar").IMAGE_TO_MESH_PT_sidebar
    assert panel.bl_category == room("app.redraw").TAB


def test_the_timer_is_gone_with_the_addon(
    rehearsal: Any, monkeypatch: pytest.MonkeyPatch, addon: ModuleType
) -> None:
    heartbeat = room("app.heartbeat")
    app = SimpleNamespace(background=False, timers=bpy.app.timers, online_access=False)
    monkeypatch.setattr(heartbeat, "bpy", SimpleNamespace(app=app, context=bpy.context))
    heartbeat.wake()
    assert bpy.app.timers.is_registered(heartbeat._tick)
    heartbeat.unregister()
    assert not bpy.app.timers.is_registered(heartbeat._tick)


def test_checking_the_windows_is_quick(
    chosen: Any, in_sight: Callable[[float], None], promised: Promised
) -> None:
    in_sight(1.0)
    promised("look for a price", lambda: in_sight(1.1), calls=300, milliseconds=0.1)
