# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe: every server is named, no key is sent, and little is asked."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import Any

import pytest
from fakes import hunyuan3d, local_servers, loopback
from fakes.hunyuan3d import Hunyuan3d
from fakes.local_servers import OtherServer, comfyui, gradio

from image_to_mesh.providers import (
    Address,
    InvalidSettings,
    Provider,
    Settings,
    Ticket,
    Unreachable,
    all_providers,
    get_provider,
)
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.servers import probe
from image_to_mesh.providers._shared.servers.probe import Answering, Kind, what_answers

HEADER = {"Authorization": "Basic c2VjcmV0OnNlY3JldA=="}
UNNAMED = OtherServer({"/config": {"version": "6.31.0", "dependencies": [], "title": "Gradio"}})


def seen_at(url: str, **how: Any) -> Answering:
    """Probe an address with a connection that has a key."""
    with closing(Http(url, HEADER, self_hosted=True, **how)) as http:
        return what_answers(http)


@pytest.mark.parametrize(
    ("server", "found", "shown"),
    [
        (gradio(), ("gradio", "5.33.0"), "The Gradio app “Hunyuan3D”"),
        (UNNAMED, ("gradio", "6.31.0"), "A Gradio app"),
        (comfyui(), ("comfyui", "0.3.64"), "ComfyUI"),
        (OtherServer(), (Kind.OTHER, ""), "An unknown server"),
        (OtherServer(status=200, otherwise=[]), (Kind.OTHER, ""), "An unknown server"),
        (OtherServer(status=500, otherwise="<p>"), (Kind.OTHER, ""), "An unknown server"),
        (OtherServer(location="/login"), (Kind.OTHER, ""), "An unknown server"),
        (OtherServer(status=401), (Kind.LOCKED, ""), "A server that requires a password"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_server_is_named_without_a_key(
    server: OtherServer, found: tuple[str, str], shown: str
) -> None:
    server.requests.clear()
    server.headers.clear()
    with local_servers.serving(server):
        seen = seen_at(server.url)
    assert (seen.kind, seen.version) == found
    assert seen.shown == shown
    assert len(server.requests) <= 4
    assert {method for method, _ in server.requests} == {"GET"}
    assert not any("authorization" in headers for headers in server.headers)


class Slow(loopback.Handler):
    """Answers for some seconds, at any pace."""

    def _answer(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(400):
                self.wfile.write(b" " * 10_000)
                time.sleep(0.02)

    do_GET = _answer  # noqa: N815 - the name that http.server calls


def test_a_slow_answer_does_not_extend_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "PAGE_LIMIT", 0.3)
    began = time.monotonic()
    with loopback.serve(Slow, quiet=True) as url:
        assert seen_at(url).kind is Kind.SILENT
    assert time.monotonic() - began < 4.0


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_the_versions_of_hunyuan3d_are_distinguished(version: str) -> None:
    with hunyuan3d.serving(Hunyuan3d(version)) as server:
        found = seen_at(server.url)
    assert (found.kind, found.version) == ("hunyuan3d", version)
    assert found.shown == f"Hunyuan3D {version}"
    assert not server.orders


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"system": 1},
        {"system": {}},
        {"version": "1"},
        {"dependencies": []},
        {"status": "healthy"},
        {"paths": []},
        {"paths": {"/generate": 1}},
    ],
    ids=str,
)
def test_no_provider_recognizes_an_odd_page(page: dict[str, Any]) -> None:
    found = [(item, path) for item in all_providers().values() for path in item.public_pages]
    assert len(found) >= 4
    assert all(path.startswith("/") for _, path in found)
    assert [item.id for item, path in found if item.recognize(path, page)] == []


def test_odd_values_of_a_page_are_ignored() -> None:
    page = {"version": 5, "dependencies": None, "title": ["x"]}
    found = get_provider("gradio").recognize("/config", page)
    assert found is not None
    assert (found.version, found.shown) == ("", "A Gradio app")


def test_the_usual_ports_are_those_of_the_addresses_and_more() -> None:
    assert probe.usual_ports() == (7860, 8080, 8081, 8188)


class Forge(Provider[Settings]):
    """A user's own server that has a page in common with another one."""

    id = "forge"
    address = Address("forge_base_url", "FORGE_BASE_URL", "http://127.0.0.1:9999")
    public_pages = ("/health",)
    more_ports = (8081, 7000)

    def recognize(self, path: str, page: Mapping[str, Any]) -> Answering | None:
        """Return this server with its name."""
        return Answering(self.id, name="A forge") if "forge" in page else None

    def submit(self, request: Any, uploaded: Any, http: Any) -> Ticket:
        """Fail: nothing is ordered here."""
        raise AssertionError("a declared server was asked for a mesh")

    def poll(self, ticket: Any, http: Any) -> Any:
        """Fail: nothing is ordered here."""
        raise AssertionError("a declared server was asked for a mesh")


def test_the_server_of_a_new_provider_is_found_by_its_declaration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {**all_providers(), "forge": Forge()}
    monkeypatch.setattr("image_to_mesh.providers.all_providers", lambda: known)
    with local_servers.serving(OtherServer({"/health": {"forge": 1}})) as server:
        found = seen_at(server.url)
    assert (found.kind, found.shown) == ("forge", "A forge")
    assert [path for _, path in server.requests].count("/health") == 1
    assert probe.usual_ports() == (7000, 7860, 8080, 8081, 8188, 9999)
    with hunyuan3d.serving(Hunyuan3d("2.1")) as other:
        assert seen_at(other.url).kind == "hunyuan3d"


def test_a_newer_server_without_health_is_known_by_its_routes() -> None:
    routes: dict[str, Any] = {"/generate": {}, "/send": {}, "/status/{uid}": {}, "/health": {}}
    with local_servers.serving(OtherServer({"/openapi.json": {"paths": routes}})) as server:
        assert seen_at(server.url).version == "2.1"


def test_nothing_and_silence_are_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "PAGE_LIMIT", 0.2)
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        assert seen_at(f"http://127.0.0.1:{silent.getsockname()[1]}").kind == Kind.SILENT
        port = silent.getsockname()[1]
    assert seen_at(f"http://127.0.0.1:{port}").kind == Kind.NOTHING


def test_an_address_that_must_not_be_called_is_an_error() -> None:
    with pytest.raises(InvalidSettings):
        seen_at("http://8.8.8.8")
    with pytest.raises(Unreachable, match="turned off"):
        seen_at("http://192.168.1.5", online=False)
