# SPDX-License-Identifier: GPL-3.0-or-later
"""A server is asked for its settings on a thread, once at a time, and its failures are values."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fakes.workshop import SERVICES, Workshop, serving

from image_to_mesh import providers
from image_to_mesh.jobs.tasks import server_settings
from image_to_mesh.jobs.tasks.server_settings import ServerSettings, SettingsQuery
from image_to_mesh.providers import Provider

SOON = 10.0


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider[Any]]:
    """The provider of the fake server, beside the real ones."""
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, SERVICES])
    providers.all_providers.cache_clear()
    yield providers.get_provider("workshop")
    providers.all_providers.cache_clear()


@pytest.fixture
def server() -> Iterator[Workshop]:
    """The fake server."""
    with serving(Workshop()) as running:
        yield running


def query(provider: Provider[Any], server: Workshop, **settings: Any) -> SettingsQuery:
    """Return the query for the server's settings."""
    chosen = provider.settings(**settings)
    key = provider.server_settings_key(chosen)
    return SettingsQuery(provider.id, key, server.url, settings=chosen)


def test_the_answer_has_the_settings_with_address_and_date(
    provider: Provider[Any], server: Workshop
) -> None:
    queries, asked = ServerSettings(), query(provider, server)
    assert queries.answer(asked) is None
    queries.ask(asked)
    answer = queries.wait(asked, SOON)
    assert answer is not None
    assert answer.found is not None
    assert not answer.is_pending
    assert [row.name for row in answer.found.rows][:2] == ["steps", "cfg.scale"]
    assert (answer.found.address, answer.found.key) == (server.url, "fast")
    assert answer.found.date.endswith("+00:00")
    assert queries.answer(query(provider, server, graph="other.json")) == answer
    assert queries.answer(query(provider, server, model="fine")) is None


def test_what_is_pending_is_not_asked_again(
    provider: Provider[Any], server: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_answer, plain = threading.Event(), server_settings.read_server_settings

    def read(asked: SettingsQuery) -> Any:
        may_answer.wait(SOON)
        return plain(asked)

    monkeypatch.setattr(server_settings, "read_server_settings", read)
    queries, asked = ServerSettings(), query(provider, server)
    queries.ask(asked)
    queries.ask(asked)
    pending = queries.answer(asked)
    assert pending is not None
    assert pending.is_pending
    may_answer.set()
    queries.wait(asked, SOON)
    assert server.calls("/settings/fast") == 1
    queries.ask(asked)
    queries.wait(asked, SOON)
    assert server.calls("/settings/fast") == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({}, "The server did not say its settings."),
        ({"fast": [{"name": "__init__", "type": "int"}]}, "“__init__” cannot be used"),
        ({"fast": [{"type": "int"}]}, "Unexpected error: KeyError"),
    ],
)
def test_a_failure_is_a_value(
    rows: Any, message: str, provider: Provider[Any], server: Workshop
) -> None:
    server.rows = rows
    queries, asked = ServerSettings(), query(provider, server)
    queries.ask(asked)
    answer = queries.wait(asked, SOON)
    assert answer is not None
    assert answer.failure is not None
    assert message in answer.failure.message


def test_settings_that_cannot_be_used_are_named(provider: Provider[Any], server: Workshop) -> None:
    server.rows["fast"] = [{"name": name, "type": "int", "default": 1} for name in ("rules", "a")]
    found = server_settings.read_server_settings(query(provider, server))
    assert ([row.name for row in found.rows], found.unusable) == (["a"], ("rules",))


def test_offline_only_this_computer_is_asked(provider: Provider[Any]) -> None:
    chosen = provider.settings()
    asked = SettingsQuery("workshop", "fast", "https://example.com", settings=chosen, online=False)
    with pytest.raises(providers.Unreachable):
        server_settings.read_server_settings(asked)
