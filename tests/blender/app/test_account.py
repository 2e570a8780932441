# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys are tested, and balances and prices requested, on threads; the service is a fake."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.job_views import show
from blender.recording import draw, draw_popover, draw_preferences
from fakes import FAKES
from fakes.service import KEY, Service, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from fakes.promised import Promised


def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until the condition is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.01)


@pytest.fixture
def service() -> Iterator[Service]:
    """The fake service."""
    with serving(Service()) as running:
        yield running


@pytest.fixture
def rehearsal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The provider of the fake service, which also returns prices."""
    providers = addon_module("providers")
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(FAKES / "services")])
    for name in ("REHEARSAL_API_KEY", "REHEARSAL_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    providers.all_providers.cache_clear()
    provider = providers.get_provider("rehearsal")

    def quote(_: Any, request: Any, http: Any) -> Any:
        if not http.get("/balance").ok:
            raise providers.Failed("There is no price today.")
        return providers.Cost(40.0 if request.settings.texture else 25.0, "CU")

    monkeypatch.setattr(type(provider), "quote", quote)
    yield provider
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
def poll_in_view(monkeypatch: pytest.MonkeyPatch, chosen: Any) -> Callable[[float], None]:
    """Return a function that polls at a given time, as if the add-on's tab were visible."""
    account = addon_module("app.periodic.account")
    monkeypatch.setattr(account, "is_shown", lambda _: True)
    monkeypatch.setattr(account, "ask_once", lambda *_: None)  # tested for itself
    return lambda now: account.poll(bpy.context, now)


def wait_for_answers() -> None:
    """Wait until every pending answer has arrived."""
    account = addon_module("app.periodic.account")

    def is_answered() -> bool:
        account.poll(bpy.context, 0.0)
        return not account._pending

    until(is_answered)


def generate_text() -> str:
    """Return the text of the Generate button."""
    return str(draw().button("image_to_mesh.generate")["text"])


def press_test(service: Service) -> None:
    """Press Test, and wait for the answer."""
    start = time.perf_counter()
    assert bpy.ops.image_to_mesh.test_key(provider="rehearsal") == {"FINISHED"}
    assert time.perf_counter() - start < 3.0  # 2 ms; loading what the thread needs comes between
    wait_for_answers()


def test_a_key_is_tested_on_a_thread(chosen: Any, service: Service, preferences: Any) -> None:
    seen = draw_preferences(preferences)
    (button,) = [
        item
        for item in seen.buttons("image_to_mesh.test_key")
        if item["button"].provider == "rehearsal"
    ]
    assert (button["text"], button["enabled"]) == ("Test", True)
    assert service.requests == []
    press_test(service)
    assert "42 Credits" in draw_preferences(preferences).text()
    assert service.calls("GET", "/balance") == 1
    assert service.submits == []
    assert KEY not in draw_preferences(preferences).text()


def test_a_pending_key_test_is_shown_as_pending(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = addon_module("jobs")
    monkeypatch.setattr(
        jobs.session().account_queries,
        "answer",
        lambda _: addon_module("jobs.tasks.account_queries").AccountAnswer(waiting=True),
    )
    seen = draw_preferences(preferences)
    assert "Checking..." in seen.text()
    buttons = seen.buttons("image_to_mesh.test_key")
    assert [
        button["enabled"] for button in buttons if button["button"].provider == "rehearsal"
    ] == [False]
    assert not draw_popover().button("image_to_mesh.test_key")["enabled"]


def test_a_key_without_a_balance_still_works(
    chosen: Any, service: Service, preferences: Any, rehearsal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(rehearsal), "balance", lambda *_: None)
    press_test(service)
    assert "Key Works" in draw_preferences(preferences).text()
    assert key_line() == "Key Works"


def test_a_refused_key_says_what_to_do(chosen: Any, service: Service, preferences: Any) -> None:
    preferences.rehearsal_api_key = "wrong"
    press_test(service)
    for seen in (draw_preferences(preferences), draw_popover()):
        assert "Key Refused" in seen.text()
        assert "The key was refused. Make a new one." in seen.text()
        links = {link["button"].url for link in seen.buttons("wm.url_open")}
        assert "https://example.com/keys" in links
    (line,) = draw().all("popover")
    assert (line["text"], line["icon"], line["alert"]) == ("Key Refused", "ERROR", True)
    assert "Rehearsal refused the key: click Key Refused to change it" in draw(width=600).text()
    preferences.rehearsal_api_key = KEY
    assert "refused" not in draw_preferences(preferences).text()


def test_an_answer_to_an_earlier_key_is_not_shown(
    chosen: Any, service: Service, preferences: Any
) -> None:
    press_test(service)
    preferences.rehearsal_api_key = "another"
    assert "42" not in draw_preferences(preferences).text()
    assert "42" not in key_line()


def test_a_malformed_key_is_reported(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise addon_module("providers").BadKey("This is no key.", "Paste it again, without spaces.")

    monkeypatch.setattr(addon_module("providers"), "keys_for", refuse)
    assert "This is no key. Paste it again" in draw_preferences(preferences).text()
    seen = draw(width=900)
    assert "This is no key: enter it again" in seen.text()
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
    assert not draw_popover().button("image_to_mesh.test_key")["enabled"]
    assert key_line() == "Add Key"
    with pytest.raises(RuntimeError, match="needs an API key"):
        bpy.ops.image_to_mesh.test_key(provider="rehearsal")
    with pytest.raises(RuntimeError, match="no account"):
        bpy.ops.image_to_mesh.test_key(provider="local")


def test_offline_nothing_is_requested_and_the_reason_is_shown(
    chosen: Any, preferences: Any, poll_in_view: Callable[[float], None]
) -> None:
    preferences.rehearsal_base_url = "https://example.com/v1"
    assert not bpy.app.online_access
    seen = draw_preferences(preferences)
    assert seen.text().count("Blender is offline") == 1
    buttons = seen.buttons("image_to_mesh.test_key")
    assert [
        button["enabled"] for button in buttons if button["button"].provider == "rehearsal"
    ] == [False]
    popover = draw_popover()
    assert popover.buttons("image_to_mesh.allow_online")
    assert not popover.button("image_to_mesh.test_key")["enabled"]
    assert draw().buttons("image_to_mesh.allow_online")
    with pytest.raises(RuntimeError, match="Allow Online Access"):
        bpy.ops.image_to_mesh.test_key(provider="rehearsal")
    poll_in_view(1.0)
    poll_in_view(9.0)
    assert addon_module("app.periodic.account")._pending == []


def test_services_that_share_a_key_share_its_test(
    addon: ModuleType, preferences: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = addon_module("providers").all_providers()
    for name in {key.environment for provider in known.values() for key in provider.keys}:
        monkeypatch.setenv(name, "k")
    buttons = draw_preferences(preferences).buttons("image_to_mesh.test_key")
    keys = [known[button["button"].provider].keys for button in buttons]
    assert sorted(keys) == sorted({provider.keys for provider in known.values() if provider.keys})
    assert {button["text"] for button in buttons} == {"Test"}
    magic, triposr = (
        addon_module("preferences").account_query(
            bpy.context, addon_module("providers").get_provider(name)
        )
        for name in ("aiml_magic", "aiml_triposr")
    )
    assert magic == triposr


def key_line() -> str:
    """Return the text of the line below the provider menu, which opens the popover."""
    (line,) = draw().all("popover")
    return str(line["text"])


def test_the_balance_is_shown_next_to_the_provider(chosen: Any, service: Service) -> None:
    assert key_line() == "Key Set"
    press_test(service)
    assert key_line() == "Balance: 42 Credits"
    assert "Balance: 42 Credits" in draw_popover().text()
    assert draw_popover().button("image_to_mesh.test_key")["button"].provider == "rehearsal"
    chosen.provider = "local"
    assert not draw().all("popover")


def test_a_balance_is_refreshed_after_a_job(chosen: Any, service: Service) -> None:
    """Meanwhile, the last amount is shown."""
    account = addon_module("app.periodic.account")
    account.refresh_balance(bpy.context, "rehearsal")
    wait_for_answers()
    assert service.calls("GET", "/balance") == 1
    account.refresh_balance(bpy.context, "rehearsal")
    assert key_line() == "Balance: 42 Credits"
    wait_for_answers()
    assert service.calls("GET", "/balance") == 2
    account.refresh_balance(bpy.context, "local")
    account.refresh_balance(bpy.context, "no such provider")
    assert account._pending == []


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_the_end_of_any_job_refreshes_the_balance(
    chosen: Any, service: Service, state: str
) -> None:
    """A service may charge for a job that brought no mesh."""
    jobs = addon_module("jobs")
    failure = jobs.Failure("failed", "There is no mesh.") if state == "failed" else None
    show(state, provider="rehearsal", failure=failure)
    (view,) = jobs.session().views()
    outcome = addon_module("app.job_events").handle(bpy.context, jobs.Ended(view.job, view))
    assert outcome.level == "ERROR"
    wait_for_answers()
    assert service.calls("GET", "/balance") == 1


def test_the_balance_is_asked_for_once_when_the_tab_shows_the_provider(
    chosen: Any, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = addon_module("app.periodic.account")
    monkeypatch.setattr(account, "is_shown", lambda _: True)
    monkeypatch.setattr(account, "_ask_price", lambda *_: None)
    for _ in range(3):
        account.poll(bpy.context, 1.0)
        wait_for_answers()
    assert service.calls("GET", "/balance") == 1
    assert key_line() == "Balance: 42 Credits"


@pytest.mark.parametrize("why", ["offline", "key", "address", "provider"])
def test_no_balance_is_asked_for_without_key_or_online_access(
    chosen: Any, preferences: Any, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    account = addon_module("app.periodic.account")
    monkeypatch.setattr(account, "is_shown", lambda _: True)
    assert not bpy.app.online_access
    if why == "offline":
        preferences.rehearsal_base_url = "https://example.com/v1"
    elif why == "key":
        preferences.rehearsal_api_key = ""
    elif why == "address":
        preferences.rehearsal_base_url = "http://example.com/v1"
    else:
        chosen.provider = "local"
    account.poll(bpy.context, 1.0)
    account.refresh_balance(bpy.context, chosen.provider)
    assert account._pending == []


def test_the_price_appears_once_the_settings_stop_changing(
    chosen: Any, service: Service, poll_in_view: Callable[[float], None]
) -> None:
    assert generate_text() == "Generate"
    poll_in_view(1.0)
    poll_in_view(1.3)
    chosen.rehearsal.texture = False
    poll_in_view(1.6)
    poll_in_view(2.2)
    assert service.requests == []
    poll_in_view(2.4)
    wait_for_answers()
    assert generate_text() == "Generate · 25 CU"
    chosen.rehearsal.texture = True
    assert generate_text() == "Generate"
    poll_in_view(3.0)
    poll_in_view(4.0)
    wait_for_answers()
    assert generate_text() == "Generate · 40 CU"
    chosen.rehearsal.texture = False
    assert generate_text() == "Generate · 25 CU"
    for now in range(5, 20):
        poll_in_view(float(now))
    assert service.calls("GET", "/balance") == 2
    assert service.submits == []


def test_a_refused_price_request_is_reported_and_not_repeated(
    chosen: Any, service: Service, poll_in_view: Callable[[float], None]
) -> None:
    service.errors = [400]
    poll_in_view(1.0)
    poll_in_view(2.0)
    wait_for_answers()
    assert generate_text() == "Generate"
    assert draw(width=500).button("image_to_mesh.generate")["enabled"]
    assert "Price unknown: There is no price today." in draw(width=500).text()
    for now in range(3, 20):
        poll_in_view(float(now))
    wait_for_answers()
    assert len(service.requests) == 1


@pytest.mark.parametrize("why", ["rule", "key", "provider", "tab"])
def test_no_price_is_requested_for_an_invalid_order(
    chosen: Any,
    service: Service,
    preferences: Any,
    poll_in_view: Callable[[float], None],
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
        monkeypatch.setattr(addon_module("app.periodic.account"), "is_shown", lambda _: False)
    poll_in_view(1.0)
    poll_in_view(9.0)
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

    is_shown = addon_module("app.redraw").is_shown
    assert is_shown(windows("Image to Mesh", opened=True))
    assert not is_shown(windows("Image to Mesh", opened=False))
    assert not is_shown(windows("Item", opened=True))
    assert is_shown(bpy.context) in (True, False)
    panel = addon_module("panels.sidebar").IMAGE_TO_MESH_PT_sidebar
    assert panel.bl_category == addon_module("app.redraw").TAB


def test_the_timer_is_gone_with_the_addon(
    rehearsal: Any, monkeypatch: pytest.MonkeyPatch, addon: ModuleType
) -> None:
    heartbeat = addon_module("app.heartbeat")
    app = SimpleNamespace(background=False, timers=bpy.app.timers, online_access=False)
    monkeypatch.setattr(heartbeat, "bpy", SimpleNamespace(app=app, context=bpy.context))
    heartbeat.wake()
    assert bpy.app.timers.is_registered(heartbeat._tick)
    heartbeat.unregister()
    assert not bpy.app.timers.is_registered(heartbeat._tick)


def test_checking_the_windows_is_quick(
    chosen: Any, poll_in_view: Callable[[float], None], promised: Promised
) -> None:
    poll_in_view(1.0)
    promised("look for a price", lambda: poll_in_view(1.1), calls=320, milliseconds=0.1)
