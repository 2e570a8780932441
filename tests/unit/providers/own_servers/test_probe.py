# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe: every server is named, no key is sent, and little is asked."""

from __future__ import annotations

import contextlib
import socket
import time
from contextlib import ExitStack, closing
from typing import Any

import pytest
from fakes import hunyuan3d, local_servers, loopback
from fakes.hunyuan3d import Hunyuan3d
from fakes.local_servers import OtherServer, comfyui, gradio

from image_to_mesh.providers import InvalidSettings, Unreachable
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
        (gradio(), Answering(Kind.GRADIO, "5.33.0", "Hunyuan3D"), "The Gradio app “Hunyuan3D”"),
        (UNNAMED, Answering(Kind.GRADIO, "6.31.0"), "A Gradio app"),
        (comfyui(), Answering(Kind.COMFYUI, "0.3.64"), "ComfyUI"),
        (OtherServer(), Answering(Kind.OTHER), "An unknown server"),
        (OtherServer(status=200, otherwise=[]), Answering(Kind.OTHER), "An unknown server"),
        (OtherServer(status=500, otherwise="<p>"), Answering(Kind.OTHER), "An unknown server"),
        (OtherServer(location="/login"), Answering(Kind.OTHER), "An unknown server"),
        (OtherServer(status=401), Answering(Kind.LOCKED), "A server that requires a password"),
    ],
    ids=lambda value: value.kind if isinstance(value, Answering) else "",
)
def test_a_server_is_named_without_a_key(server: OtherServer, found: Answering, shown: str) -> None:
    server.requests.clear()
    server.headers.clear()
    with local_servers.serving(server):
        assert seen_at(server.url) == found
    assert found.shown == shown
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
    assert found == Answering(Kind.HUNYUAN3D, version)
    assert found.shown == f"Hunyuan3D {version}"
    assert not server.orders


def test_a_newer_server_without_health_is_known_by_its_routes() -> None:
    routes: dict[str, Any] = {"/generate": {}, "/send": {}, "/status/{uid}": {}, "/health": {}}
    with local_servers.serving(OtherServer({"/openapi.json": {"paths": routes}})) as server:
        assert seen_at(server.url).version == "2.1"


def test_nothing_and_silence_are_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "PAGE_LIMIT", 0.2)
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        assert seen_at(f"http://127.0.0.1:{silent.getsockname()[1]}").kind is Kind.SILENT
        port = silent.getsockname()[1]
    assert seen_at(f"http://127.0.0.1:{port}").kind is Kind.NOTHING


def test_an_address_that_must_not_be_called_is_an_error() -> None:
    with pytest.raises(InvalidSettings):
        seen_at("http://8.8.8.8")
    with pytest.raises(Unreachable, match="turned off"):
        seen_at("http://192.168.1.5", online=False)
