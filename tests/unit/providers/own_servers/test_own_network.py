# SPDX-License-Identifier: GPL-3.0-or-later
"""Users' own servers: only the user's own network is reached, and secrets leave only encrypted."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fakes.local_servers import OtherServer, serving

from image_to_mesh.jobs.resources import open_http
from image_to_mesh.providers import (
    BadMesh,
    ImageToMeshError,
    InvalidSettings,
    Secret,
    Sent,
    Unreachable,
    get_provider,
)
from image_to_mesh.providers._shared.http.addresses import is_own_network
from image_to_mesh.providers._shared.http.client import Http

HEADER = {"Authorization": "Basic c2VjcmV0OnNlY3JldA=="}
NAMES = {
    "workshop.example": ["192.168.1.5"],
    "vpn.example": ["100.100.1.2"],
    "both.example": ["93.184.216.34", "10.0.0.7"],
    "public.example": ["93.184.216.34"],
    "localhost": ["10.0.0.7"],
}


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Resolve a few names, connect to nothing; return the IP addresses that would be reached."""
    numbers: list[str] = []

    def resolve(host: str, port: int, *_: object) -> list[Any]:
        found = NAMES.get(host, [host])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in found]

    def connect(self: socket.socket, place: Any) -> None:
        numbers.append(place[0])
        raise OSError(111, "Connection refused")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    return numbers


@pytest.fixture
def to() -> Iterator[Callable[..., Http]]:
    """Return a function that makes a connection to a user's own server."""
    made: list[Http] = []

    def make(base: str, **how: Any) -> Http:
        headers = how.pop("headers", {})
        made.append(Http(base, headers, self_hosted=True, pause=lambda _: None, **how))
        return made[-1]

    yield make
    for http in made:
        http.close()


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("192.168.1.1", True),
        ("169.254.3.4", True),
        ("100.64.0.1", True),
        ("100.128.0.1", False),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::a00:1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("8.8.8.8", False),
        ("2001:4860:4860::8888", False),
        ("localhost", False),
        ("workshop.local", False),
    ],
)
def test_the_users_own_network_is_a_list_of_ranges(host: str, own: bool) -> None:
    assert is_own_network(host) is own


@pytest.mark.parametrize(
    ("base", "number"),
    [
        ("http://192.168.1.5:8081", "192.168.1.5"),
        ("http://workshop.example:8081", "192.168.1.5"),
        ("https://workshop.example", "192.168.1.5"),
        ("http://vpn.example:8081", "100.100.1.2"),
        ("http://both.example:8081", "10.0.0.7"),
    ],
)
def test_names_and_numbers_of_the_own_network_are_called(
    to: Callable[..., Http], reached: list[str], base: str, number: str
) -> None:
    with pytest.raises(Unreachable):
        to(base).get("/health")
    assert set(reached) == {number}


@pytest.mark.parametrize("call", ["get", "post", "submit"])
@pytest.mark.parametrize(
    "base", ["http://public.example:8081", "https://public.example", "https://93.184.216.34"]
)
def test_a_public_address_is_refused_before_a_byte(
    to: Callable[..., Http], reached: list[str], base: str, call: str
) -> None:
    how: dict[str, Any] = {} if call == "get" else {"json": {}}
    with pytest.raises(InvalidSettings, match="own network") as caught:
        getattr(to(base), call)("/generate", **how)
    assert "VPN" in caught.value.hint
    assert caught.value.sent is Sent.NO
    assert not reached


def test_a_file_at_the_server_is_requested_with_the_header_but_its_redirect_is_not(
    to: Callable[..., Http],
) -> None:
    target = OtherServer({"/cup.glb": "mesh"})
    with serving(target), serving(OtherServer(location=f"{target.url}/cup.glb")) as server:
        http = to(server.url, headers=HEADER)
        with http.open_download(f"{server.url}/a", {}) as stream:
            assert b"".join(stream.pieces) == b"mesh"
        server.location = f"{server.url}/b"
        with (
            pytest.raises(BadMesh, match="too many redirects"),
            http.open_download(f"{server.url}/a", {}),
        ):
            pass
    assert [headers.get("authorization") for headers in target.headers] == [None]
    sent = [headers.get("authorization") for headers in server.headers]
    assert sent == [HEADER["Authorization"]] * 2 + [None] * 5


def test_no_other_service_gets_its_key_for_a_file() -> None:
    with serving(OtherServer({"/cup.glb": "mesh"})) as service:
        http = Http(service.url, HEADER)
        with http.open_download(f"{service.url}/cup.glb", {}) as stream:
            assert b"".join(stream.pieces) == b"mesh"
        http.close()
    assert "authorization" not in service.headers[0]


@pytest.mark.parametrize("base", ["https://public.example", "https://93.184.216.34"])
def test_a_server_that_may_be_public_is_called_by_https_only(
    to: Callable[..., Http], reached: list[str], base: str
) -> None:
    with pytest.raises(Unreachable):
        to(base, may_be_public=True, headers=HEADER).get("/health")
    assert set(reached) == {"93.184.216.34"}
    with pytest.raises(InvalidSettings, match="own network"):
        to(base.replace("https", "http"), may_be_public=True).get("/health")
    assert set(reached) == {"93.184.216.34"}


@pytest.mark.parametrize("base", ["http://0.0.0.0:8081", "http://[::]:8081"])
def test_the_address_on_which_a_server_listens_is_explained(
    to: Callable[..., Http], reached: list[str], base: str
) -> None:
    with pytest.raises(InvalidSettings, match=r"use 127\.0\.0\.1"):
        to(base).get("/health")
    assert not reached


def test_a_name_that_becomes_public_between_two_calls_is_refused(
    to: Callable[..., Http], reached: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    http = to("http://workshop.example:8081")
    with pytest.raises(Unreachable):
        http.get("/health")
    monkeypatch.setitem(NAMES, "workshop.example", ["93.184.216.34"])
    with pytest.raises(InvalidSettings, match="outside of your own network"):
        http.submit("/generate", json={})
    assert set(reached) == {"192.168.1.5"}


def test_a_redirect_out_of_the_network_is_refused(to: Callable[..., Http]) -> None:
    with serving(OtherServer(location="https://93.184.216.34/a.glb")) as server:
        http = to(server.url)
        with (
            pytest.raises(BadMesh, match="not in your own network"),
            http.open_download(f"{server.url}/a.glb", {}),
        ):
            raise AssertionError("it was opened")
    assert len(server.requests) == 1


@pytest.mark.parametrize("url", ["http://public.example/a.glb", "https://93.184.216.34/a.glb"])
def test_a_file_out_of_the_network_is_refused(
    to: Callable[..., Http], reached: list[str], url: str
) -> None:
    with (
        pytest.raises(BadMesh, match="own network"),
        to("http://192.168.1.5:8081").open_download(url, {}),
    ):
        raise AssertionError("it was opened")
    assert not reached


@pytest.mark.parametrize("url", ["https://127.0.0.1:9/a.glb", "https://10.0.0.7/a.glb"])
def test_a_server_on_the_internet_names_no_file_nearby(
    to: Callable[..., Http], reached: list[str], url: str
) -> None:
    """The owner of the name decides that it also leads to a private address."""
    with (
        pytest.raises(BadMesh, match="the local network"),
        to("https://both.example", may_be_public=True).open_download(url, {}),
    ):
        raise AssertionError("it was opened")
    assert not reached


def test_the_name_of_this_computer_needs_consent_too(reached: list[str]) -> None:
    """An entry in the system's hosts file may lead it elsewhere."""
    provider = get_provider("hunyuan3d")
    keys = {"hunyuan3d_header": Secret("Authorization: Basic c2VjcmV0OnNlY3JldA==")}
    http = open_http(provider, keys, "http://localhost:8081", online=True)
    with pytest.raises(InvalidSettings, match="unencrypted"):
        http.get("/health")
    http.close()
    assert not reached


def test_an_image_is_fetched_from_anywhere(to: Callable[..., Http], reached: list[str]) -> None:
    with pytest.raises(Unreachable):
        to("").fetch("https://public.example/cup.png", 1000)
    assert set(reached) == {"93.184.216.34"}


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "all_proxy"])
def test_no_proxy_is_used(
    to: Callable[..., Http],
    reached: list[str],
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, "http://10.9.9.9:3128")
    for base in ("http://workshop.example:8081", "https://workshop.example"):
        with pytest.raises(Unreachable):
            to(base).get("/health")
    assert set(reached) == {"192.168.1.5"}


def test_offline_only_loopback_is_called(to: Callable[..., Http], reached: list[str]) -> None:
    with pytest.raises(Unreachable, match="turned off"):
        to("http://192.168.1.5:8081", online=False).get("/health")
    # The name alone is no proof: a file on this computer may say otherwise.
    with pytest.raises(Unreachable, match="turned off"):
        to("http://localhost:8081", online=False).get("/health")
    assert not reached
    with pytest.raises(Unreachable, match="refused"):
        to("http://127.0.0.1:8081", online=False).get("/health")
    assert set(reached) == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("base", "plain", "goes"),
    [
        ("http://192.168.1.5:8081", False, False),
        ("http://workshop.example:8081", False, False),
        ("http://localhost:8081", False, False),
        ("http://127.0.0.1:8081", False, True),
        ("https://192.168.1.5", False, True),
        ("http://192.168.1.5:8081", True, True),
    ],
)
def test_a_secret_leaves_this_computer_encrypted_or_by_consent(
    to: Callable[..., Http], reached: list[str], base: str, plain: bool, goes: bool
) -> None:
    http = to(base, headers=HEADER, plain_secrets=plain)
    calls: tuple[Callable[[], object], ...] = (
        lambda: http.get("/health"),
        lambda: http.submit("/generate", json={}),
    )
    for call in calls:
        with pytest.raises(ImageToMeshError) as caught:
            call()
        expected = Unreachable if goes else InvalidSettings
        assert isinstance(caught.value, expected)
        assert "unencrypted" in caught.value.message or goes
    assert bool(reached) is goes


def test_an_inspection_carries_no_secret_and_needs_no_consent(
    to: Callable[..., Http], reached: list[str]
) -> None:
    with pytest.raises(Unreachable, match="refused"):
        to("http://192.168.1.5:8081", headers=HEADER).inspect("/health", 1.0)
    assert reached == ["192.168.1.5"]


@pytest.mark.parametrize(
    ("path", "sent"),
    [("/mine/a.glb", True), ("/a.glb", False), ("/mined/a.glb", False),
     ("/mine/%2e%2e/a.glb", False), ("/mine/../a.glb", False), ("/mine/x/..%2f../a.glb", False)],
)  # fmt: skip
def test_the_secret_stays_below_the_path_of_the_address(
    to: Callable[..., Http], path: str, sent: bool
) -> None:
    other = OtherServer({"/a.glb": "mesh", path: "mesh"})
    with serving(other):
        http = to(f"{other.url}/mine", headers=HEADER)
        with http.open_download(f"{other.url}{path}", {}, None) as stream:
            b"".join(stream.pieces)
    assert ["authorization" in headers for headers in other.headers] == [sent]
