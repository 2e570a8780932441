# SPDX-License-Identifier: GPL-3.0-or-later
"""The key goes to fal's own hosts, to each of them, and to no other one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.fal import KEY
from fakes.fal_calls import KEYS, PROVIDER, order

from image_to_mesh.jobs.resources import open_http
from image_to_mesh.providers import base_url
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.http.transport import Transport

assert PROVIDER.address is not None
HOSTS = (PROVIDER.address.default, *PROVIDER.address.beside)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """The addresses that would be called, and whether with the key, in place of any call."""
    seen: list[tuple[str, bool]] = []

    def send(self: Transport, method: str, address: Any, **how: Any) -> None:
        seen.append((address.url, KEY in str(how.get("headers"))))
        raise AssertionError("called")

    monkeypatch.setattr(Transport, "send", send)
    return seen


def line(base: str = "") -> Http:
    """Return the connection of a job."""
    return open_http(PROVIDER, KEYS, base or base_url(PROVIDER, {}, {}), online=True)


@pytest.mark.parametrize("host", HOSTS)
def test_each_of_its_hosts_gets_the_key(host: str, called: list[tuple[str, bool]]) -> None:
    path = "/a/b" if host == HOSTS[0] else f"{host}/a/b"
    with pytest.raises(AssertionError, match="called"):
        line().get(path)
    assert called == [(f"{host}/a/b", True)]


@pytest.mark.parametrize(
    "url",
    [
        "https://v3.fal.media/files/x.glb",
        "https://rest.fal.ai.evil.example/x",
        "https://rest.fal.aix/x",
        "https://evil.example/https://rest.fal.ai/x",
        "https://fal.ai@evil.example/x",
    ],
)
def test_no_other_address_is_one_of_the_service(url: str, called: list[tuple[str, bool]]) -> None:
    with pytest.raises(AssertionError, match="called"):
        line().get(url)
    assert called == [(f"{HOSTS[0]}/{url}", True)]


def test_an_address_of_the_user_stands_for_all_hosts(called: list[tuple[str, bool]]) -> None:
    gateway = line("https://gateway.example/fal")
    for url in ("/a/b", "https://rest.fal.ai/a/b", "https://api.fal.ai/a/b"):
        with pytest.raises(AssertionError, match="called"):
            gateway.get(url)
    assert called == [("https://gateway.example/fal/a/b", True)] * 3


def test_models_are_described_without_the_key(called: list[tuple[str, bool]]) -> None:
    from image_to_mesh.providers._fal.schema import read_shape

    with pytest.raises(AssertionError, match="called"):
        read_shape("fal-ai/x/y", line())
    expected = "https://fal.ai/api/openapi/queue/openapi.json?endpoint_id=fal-ai%2Fx%2Fy"
    assert called == [(expected, False)]


def test_offline_none_of_the_hosts_is_called(tmp_path: Path) -> None:
    offline = open_http(PROVIDER, KEYS, HOSTS[0], online=False)
    with pytest.raises(Exception, match="Online access"):
        order(offline, tmp_path)
    for host in HOSTS[1:]:
        with pytest.raises(Exception, match="Online access"):
            offline.get(f"{host}/x")
