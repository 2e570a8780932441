# SPDX-License-Identifier: GPL-3.0-or-later
"""After a failure at a user's own server: which other provider can use the server that answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import hunyuan3d, local_servers
from fakes.custom import Custom, serving
from fakes.hunyuan3d import Hunyuan3d
from fakes.local_servers import OtherServer, comfyui, gradio
from fakes.running import end_of, spec_for
from fakes.workshop import SERVICES

from image_to_mesh import providers
from image_to_mesh.jobs import Failure, Library, Session, State
from image_to_mesh.jobs.tasks.account_queries import AccountAnswer, AccountQueries, AccountQuery
from image_to_mesh.jobs.tasks.other_server import SIGNS, with_other_provider
from image_to_mesh.jobs.tasks.server_settings import ServerSettings, SettingsQuery
from image_to_mesh.providers import Provider, Secret, all_providers, get_provider
from image_to_mesh.providers._shared.servers import probe

HEADER = "Authorization: Basic dXNlcjpzZWNyZXQ="
KIND = "unreachable"


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider[Any]]:
    """A provider with a file among its settings, and settings that only its server knows."""
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, SERVICES])
    providers.all_providers.cache_clear()
    yield get_provider("workshop")
    providers.all_providers.cache_clear()


def provider_offered(provider: str, url: str, kind: str = KIND, header: str = "") -> str:
    """Return the provider that is offered after a failure of a provider at an address."""
    keys = {f"{provider}_header": Secret(header)} if header else {}
    failure = Failure(kind, "It failed.")
    found = with_other_provider(failure, get_provider(provider), keys, url, online=False)
    assert (found.kind, found.message) == (kind, "It failed.")
    return found.provider


def test_the_server_of_another_provider_is_named() -> None:
    with hunyuan3d.serving(Hunyuan3d()) as server:
        assert provider_offered("custom", server.url) == "hunyuan3d"
        assert provider_offered("hunyuan3d", server.url) == ""
        assert {provider_offered("custom", server.url, kind) for kind in SIGNS} == {"hunyuan3d"}
        calls = len(server.calls)
        assert provider_offered("custom", server.url, "failed") == ""
        assert provider_offered("tripo", server.url) == ""
    assert len(server.calls) == calls
    assert not server.orders


@pytest.mark.parametrize("make", [gradio, comfyui])
def test_each_kind_belongs_to_the_provider_with_its_name(
    make: Callable[[], OtherServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make.__name__
    known = {**all_providers(), name: get_provider("hunyuan3d")}
    monkeypatch.setattr("image_to_mesh.jobs.tasks.other_server.all_providers", lambda: known)
    with local_servers.serving(make()) as other:
        assert provider_offered("custom", other.url) == "hunyuan3d"
        known.pop(name)
        assert provider_offered("custom", other.url) == ""


def test_nothing_is_offered_without_a_server_that_can_be_used() -> None:
    with local_servers.serving(OtherServer()) as other:
        assert provider_offered("custom", other.url) == ""
        url = other.url
    assert provider_offered("custom", url) == ""
    assert provider_offered("hunyuan3d", "http://93.184.216.34") == ""
    assert provider_offered("hunyuan3d", "nonsense") == ""
    assert provider_offered("hunyuan3d", "http://192.168.1.5") == ""  # offline


def test_a_server_behind_a_password_is_recognized_with_the_header() -> None:
    with hunyuan3d.serving(Hunyuan3d(header=HEADER)) as server:
        assert provider_offered("custom", server.url) == ""
        assert not any("authorization" in headers for headers in server.headers)
        assert provider_offered("custom", server.url, header=HEADER) == "hunyuan3d"


def test_a_failed_job_names_the_provider(running: Session, tmp_path: Path, png: bytes) -> None:
    with hunyuan3d.serving(Hunyuan3d()) as server:
        settings = get_provider("custom").settings(path="/make")
        spec = spec_for(tmp_path, png, "custom", base_url=server.url, settings=settings)
        view = end_of(running, running.start(spec))
    assert view.state is State.FAILED
    assert view.failure
    assert view.failure.provider == "hunyuan3d"
    assert not server.orders


def test_the_record_of_a_job_names_the_provider(
    running: Session, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {**all_providers(), "gradio": get_provider("custom")}
    monkeypatch.setattr("image_to_mesh.jobs.tasks.other_server.all_providers", lambda: known)
    with local_servers.serving(gradio()) as other:
        view = end_of(
            running, running.start(spec_for(tmp_path, png, "hunyuan3d", base_url=other.url))
        )
    assert view.state is State.QUEUED
    assert view.failure
    assert view.failure.provider == "custom"
    assert Library(tmp_path).load(view.job).failure == view.failure


def test_a_job_that_works_asks_nothing(running: Session, tmp_path: Path, png: bytes) -> None:
    with serving(Custom()) as server:
        view = end_of(
            running, running.start(spec_for(tmp_path, png, "custom", base_url=server.url))
        )
    assert view.state is State.READY
    assert server.calls == [("POST", "/generate")]


def test_a_silent_server_does_not_delay_a_cancel(
    running: Session, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "PAGE_LIMIT", 30.0)
    with serving(Custom(faults={"/generate": [404]})) as server:
        job = running.start(spec_for(tmp_path, png, "custom", base_url=server.url))
        while not server.orders:
            time.sleep(0.01)
        server.slow = 8.0
        began = time.monotonic()
        running.cancel(job)
        end_of(running, job)
        assert time.monotonic() - began < 5.0
        server.slow = 0.0


def answer_to(query: AccountQuery) -> AccountAnswer:
    """Return the answer to a query, once it has arrived."""
    queries = AccountQueries()
    queries.ask(query)
    while (answer := queries.answer(query)) is None or answer.waiting:
        time.sleep(0.01)
    return answer


def test_tests_name_the_provider() -> None:
    with hunyuan3d.serving(Hunyuan3d()) as server:
        settings = get_provider("custom").settings()
        tested = answer_to(AccountQuery("custom", settings, base_url=server.url, tests=True))
        assert tested.failure is None
        assert "takes images at /generate" in tested.note
        wrong = get_provider("custom").settings(path="/make")
        tested = answer_to(AccountQuery("custom", wrong, base_url=server.url, tests=True))
        assert tested.failure
        assert tested.failure.provider == "hunyuan3d"


def test_get_settings_names_the_provider(workshop: Provider[Any]) -> None:
    queries = ServerSettings()
    with hunyuan3d.serving(Hunyuan3d()) as server:
        query = SettingsQuery("workshop", "fast", server.url, settings=workshop.settings())
        queries.ask(query)
        answer = queries.wait(query, 20.0)
    assert answer
    assert answer.failure
    assert answer.failure.provider == "hunyuan3d"
