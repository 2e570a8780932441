# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses: one parser judges and connects, and a service elsewhere names nothing here."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from fakes.failing import OK, answer
from fakes.lines import Server, answering

from image_to_mesh import providers
from image_to_mesh.jobs.steps.inputs import picture_from
from image_to_mesh.providers import (
    BadImage,
    BadMesh,
    BadReply,
    ImageToMeshError,
    InvalidSettings,
    Sent,
    Settings,
    all_providers,
    base_url,
    get_provider,
)
from image_to_mesh.providers._shared.http.addresses import (
    BadAddress,
    ending_of,
    is_loopback,
    is_private,
    read_address,
    segment,
)
from image_to_mesh.providers._shared.http.client import Http

REFUSED = [
    "",
    "openapi.tripo3d.ai/v3",
    "//openapi.tripo3d.ai/v3",
    "ftp://a.example",
    "file:///etc/passwd",
    "javascript://a.example/",
    "https://",
    "https:///path",
    "http://evil.example\\@127.0.0.1/x",
    "https://a.example\\.b.example/",
    "https://a.example/\\..\\x",
    "https://user@a.example/",
    "https://user:password@a.example/",
    "https://127.0.0.1@evil.example/",
    " https://a.example/",
    "https://a.example/a b",
    "https://a.example/\n",
    "https://a.example/\tx",
    "https://a.example\x00/",
    "https://a.exa\u00admple/",
    "https://a.example\u2028/",
    "https://[::1",
    "https://::1/",
    "https://[::1]x/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[127.0.0.1]/",
    "https://[::1]:99999/",
    "http://2130706433/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0x7f.0.0.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.0.0.1.0x1/",
    "http://127.0.0.256/",
    "http://127.0.0.01/",
    "https://a..example/",
    "https://.example/",
    "https://-a.example/",
    f"https://{'a' * 64}.example/",
    "https://a%2eexample/",
    "https://a.example:port/",
    "https://a.example:0/",
    "https://a.example:65536/",
    "https://a.example:\uff18\uff10/",
    "https://a.example:+80/",
    "https://a.exam\udc80ple/",
    f"https://a.example/{'a' * 20_000}",
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text)[:40])
def test_ambiguous_urls_are_refused(text: str) -> None:
    with pytest.raises(BadAddress):
        read_address(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://a.example", "https://a.example/"),
        ("HTTPS://A.Example:443/Path?Q=1#part", "https://a.example/Path?Q=1"),
        ("http://localhost.:8080/x", "http://localhost:8080/x"),
        ("http://[::1]:80/", "http://[::1]/"),
        ("http://[0:0:0:0:0:0:0:1]:81/", "http://[::1]:81/"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000/"),
        ("http://127。0。0。1/", "http://127.0.0.1/"),
        ("http://\uff11\uff12\uff17.0.0.1/", "http://127.0.0.1/"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/ü"),
        ("https://a_b.example/?sig=%2F+x", "https://a_b.example/?sig=%2F+x"),
    ],
)
def test_accepted_urls_are_rebuilt_from_their_components(text: str, url: str) -> None:
    address = read_address(text)
    assert address.url == url
    assert read_address(address.url).host == address.host


@pytest.mark.parametrize(
    ("host", "here", "private"),
    [
        ("localhost", True, True),
        ("LOCALHOST.", True, True),
        ("127.3.2.1", True, True),
        ("::1", True, True),
        ("::ffff:127.0.0.1", True, True),
        ("::ffff:10.0.0.1", False, True),
        ("0.0.0.0", False, True),
        ("10.1.2.3", False, True),
        ("172.16.0.1", False, True),
        ("192.168.1.1", False, True),
        ("169.254.169.254", False, True),
        ("100.64.0.1", False, True),
        ("224.0.0.1", False, True),
        ("fe80::1", False, True),
        ("fd00::1", False, True),
        ("2002:7f00:1::", True, True),
        ("fec0::1", False, True),
        ("::7f00:1", False, True),
        ("::ffff:0:7f00:1", False, True),
        ("64:ff9b:1::a00:1", False, True),
        ("64:ff9b::a00:1", False, True),
        ("64:ff9b::7f00:1", False, True),
        ("64:ff9b::808:808", False, False),
        ("8.8.8.8", False, False),
        ("2001:4860:4860::8888", False, False),
        ("localhost.example.com", False, False),
        ("a.example", False, False),
    ],
)
def test_loopback_and_private_addresses_are_recognized(
    host: str, here: bool, private: bool
) -> None:
    assert (is_loopback(host), is_private(host)) == (here, private)


# -- a service's own address ---------------------------------------------------------------------

ONLINE = [item.id for item in all_providers().values() if item.address]
BAD = ["openapi.tripo3d.ai/v3", "http://elsewhere.example", "http://2130706433", "https://a b"]


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize("name", ONLINE)
def test_a_bad_service_address_is_refused_naming_its_setting(name: str, text: str) -> None:
    provider = get_provider(name)
    assert provider.address is not None
    if provider.self_hosted and text == "http://elsewhere.example":
        # What a name leads to is checked when it is called.
        assert base_url(provider, {}, {provider.address.environment: text}) == text
        return
    with pytest.raises(InvalidSettings, match="cannot be used") as caught:
        base_url(provider, {}, {provider.address.environment: text})
    assert caught.value.hint == f"Correct it in {provider.address.environment}."
    with pytest.raises(InvalidSettings) as caught:
        base_url(provider, {provider.address.preference: text}, {})
    assert caught.value.hint == f"Correct it in {provider.label} Address in the preferences."


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:5000/", "http://[::1]:5000", "https://a.test/v"]
)
def test_a_good_address_of_a_service_is_taken(text: str) -> None:
    provider = get_provider("tripo")
    assert base_url(provider, {}, {"TRIPO_BASE_URL": f" {text} "}) == text.rstrip("/")


@pytest.mark.parametrize("call", ["get", "post", "submit"])
@pytest.mark.parametrize("text", [*BAD, "http://evil.example\\@127.0.0.1/x"])
def test_nothing_is_sent_to_a_bad_address(call: str, text: str) -> None:
    http = Http(text, {"X-Key": "a-key"}, pause=lambda _: None)
    kwargs: dict[str, Any] = {"json": {}} if call == "submit" else {}
    with pytest.raises(InvalidSettings) as caught:
        getattr(http, call)("/tasks", **kwargs)
    assert caught.value.sent is Sent.NO
    http.close()


@pytest.mark.parametrize(
    "text", ["http://evil.example\\@127.0.0.1/x.png", "https://[::1", "http://a.example/x"]
)
def test_a_picture_of_a_bad_address_is_refused(text: str) -> None:
    with pytest.raises(BadImage, match="cannot be used"):
        picture_from(text)


@pytest.mark.parametrize(
    "text", ["https://[x", "https://a.example\\@127.0.0.1/a.glb", "127.1/a.glb"]
)
def test_a_mesh_of_a_bad_address_is_not_attached(text: str) -> None:
    provider = get_provider("aiml_triposr")
    with pytest.raises(InvalidSettings):
        provider.attach(text, provider.settings())


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("https://a.example/b/mesh.GLB?sig=a/b.png#x.fbx", "glb"),
        ("https://[x/mesh.obj", "obj"),
        ("mesh.fbx", "fbx"),
        ("https://a.example/mesh", ""),
        ("", ""),
    ],
)
def test_a_file_extension_is_read_from_any_url(text: str, ending: str) -> None:
    assert ending_of(text) == ending


# -- where a service may send us -----------------------------------------------------------------

HOME = "https://service.example"
HERE = {
    "service.example": "93.184.216.34",
    "cdn.example": "93.184.216.35",
    "sneaky.example": "127.0.0.1",
    "router.example": "192.168.1.1",
    "intern.example": "10.0.0.5",
    "files.intern.example": "10.0.0.6",
}


class Reached(Exception):
    """A connection would have been made to this IP address."""


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resolve a few names, and connect to nothing."""

    def resolve(host: str, port: int, *_: object) -> list[Any]:
        number = HERE.get(host, host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port))]

    def connect(self: socket.socket, place: Any) -> None:
        raise OSError(f"reached {place[0]}")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)


def _download_from(home: str, url: str) -> None:
    http = Http(home, {}, pause=lambda _: None)
    try:
        with http.open_download(url, {}) as stream:
            list(stream.pieces)
    finally:
        http.close()


@pytest.mark.parametrize(
    ("home", "url", "allowed"),
    [
        (HOME, "https://cdn.example/a.glb", True),
        (HOME, "https://127.0.0.1/a.glb", False),
        (HOME, "http://127.0.0.1/a.glb", False),
        (HOME, "http://localhost:8080/a.glb", False),
        (HOME, "https://[::1]/a.glb", False),
        (HOME, "https://0.0.0.0/a.glb", False),
        (HOME, "https://192.168.1.1/a.glb", False),
        (HOME, "https://169.254.169.254/latest/meta-data", False),
        (HOME, "https://[::ffff:127.0.0.1]/a.glb", False),
        (HOME, "https://sneaky.example/a.glb", False),
        (HOME, "https://router.example/a.glb", False),
        (HOME, "http://cdn.example/a.glb", False),
        ("https://intern.example", "https://files.intern.example/a.glb", True),
        ("https://intern.example", "https://10.0.0.9/a.glb", True),
        ("https://intern.example", "https://sneaky.example/a.glb", False),
        ("https://intern.example", "https://127.0.0.1/a.glb", False),
        ("http://127.0.0.1:5000", "http://localhost:5001/a.glb", True),
        ("http://127.0.0.1:5000", "https://cdn.example/a.glb", True),
        ("", "https://192.168.1.1/a.png", True),
        ("", "https://cdn.example/a.png", True),
    ],
)
def test_a_remote_service_cannot_name_a_local_address(
    names: None, home: str, url: str, allowed: bool
) -> None:
    expected: type[Exception] = Exception if allowed else BadMesh
    with pytest.raises(expected) as caught:
        _download_from(home, url)
    assert isinstance(caught.value, BadMesh) is not allowed
    if not allowed:
        assert caught.value.sent is Sent.NO  # type: ignore[attr-defined]
        assert "at no extra cost" in str(caught.value)


@pytest.mark.parametrize("url", ["https://127.0.0.1/part", "https://sneaky.example/part"])
def test_a_remote_service_cannot_make_us_upload_to_a_local_address(names: None, url: str) -> None:
    http = Http(HOME, {}, pause=lambda _: None)
    with pytest.raises(BadReply, match="the local network"):
        http.put(url, b"picture", "image/png")
    http.close()


@contextlib.contextmanager
def _redirecting(where: str) -> Iterator[Server]:
    text = f"HTTP/1.1 302 Go\r\nLocation: {where}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(answer(text)) as server:
        yield server


@pytest.mark.parametrize(
    "where",
    [
        "http://elsewhere.example/a",
        "https://evil.example\\@127.0.0.1/a",
        "https://[::1",
        "ftp://127.0.0.1/a",
        "https://user@cdn.example/a",
    ],
)
def test_a_redirect_target_is_checked_like_any_address(where: str) -> None:
    with _redirecting(where) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        with (
            pytest.raises(BadMesh, match="cannot be used"),
            http.open_download(f"{server.url}/a", {}),
        ):
            raise AssertionError("it was opened")
        with pytest.raises(BadImage, match="cannot be used") as caught:
            http.fetch(f"{server.url}/a.png", 99)
        http.close()
    assert caught.value.hint == "Use another URL."


def test_an_image_url_that_redirects_endlessly_is_reported() -> None:
    with _redirecting("/again") as server:
        http = Http(server.url, {}, pause=lambda _: None)
        with pytest.raises(BadImage, match="too many redirects") as caught:
            http.fetch(f"{server.url}/a.png", 99)
        http.close()
    assert "smaller" not in str(caught.value)
    assert len(server.heads) == 6


# -- ids in paths --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", ".", "..", "...", None, 5, {"a": 1}, "x" * 600])
def test_an_id_that_would_span_path_segments_is_refused(text: object) -> None:
    with pytest.raises(BadReply):
        segment(text)


ODD = ["../teams/x?y=", "a/b", "a?b", "a#b", "a%2fb", "ü", "a\\b", "..%2f.."]


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize(
    ("name", "ticket", "route"),
    [
        ("scenario", "job", "/jobs/"),
        ("tripo", "task", "/tasks/"),
        ("tripo_v2", "task", "/task/"),
    ],
)
def test_an_id_with_slashes_stays_one_path_segment(
    name: str, ticket: str, route: str, text: str
) -> None:
    provider: providers.Provider[Settings] = get_provider(name)
    with answering(answer(f"{OK}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}")) as server:
        http = Http(server.url, {}, pause=lambda _: None)
        with contextlib.suppress(ImageToMeshError):
            provider.poll(providers.Ticket({ticket: text}), http)
        http.close()
    assert len(server.heads) == 1
    path = server.heads[0].split(" ")[1]
    assert path.startswith(route)
    assert not set("/?#") & set(path.removeprefix(route))
