# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that describe a server: what they must not contain, and the test of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from fakes import hunyuan3d, local_servers
from fakes.custom import Custom, serving
from fakes.hunyuan3d import Hunyuan3d
from fakes.local_servers import OtherServer

from image_to_mesh.providers import (
    BadKey,
    InvalidSettings,
    Provider,
    Unreachable,
    base_url,
    changed_values,
    get_provider,
)
from image_to_mesh.providers._shared.adapters import parse_settings
from image_to_mesh.providers._shared.http.client import Http

PROVIDER: Provider[Any] = get_provider("custom")


@contextmanager
def connection_to(url: str, headers: dict[str, str] | None = None) -> Iterator[Http]:
    """Open a connection to a server."""
    http = Http(url, headers or {}, self_hosted=True, may_be_public=True)
    with closing(http):
        yield http


GOOD = [
    {"path": "/"},
    {"path": "/api/v1/image-to-3d?mode=fast&x=[1]"},
    {"status_path": "{id}"},
    {"status_path": "/status?task={id}", "mesh_path": "/files/{id}.glb"},
    {"extra_fields": '{"prompt": "a cup", "steps": 30, "scale": 0.5, "remesh": false}'},
    {"send_as": "json", "extra_fields": '{"options": {"views": [1, 2]}, "none": null}'},
    {"send_as": "body", "image_field": ""},
    {"extra_fields": '{"max_tokens": 9, "keypoints": 2, "keyframe": 1, "author": "a"}'},
    {"status_path": "/status?session={id}", "path": "/make?tokens=5&passes=2"},
    {"extra_headers": '{"Accept": "model/gltf-binary", "X-Style": "clay"}'},
]


@pytest.mark.parametrize("values", GOOD, ids=str)
def test_a_description_that_can_be_sent_is_taken(values: dict[str, str]) -> None:
    assert changed_values(parse_settings(PROVIDER.settings, values)) == values


BAD = [
    *(
        ("path", value)
        for value in (
            *("", "generate", "//evil.example/x", "https://evil.example", "/a b", "/a\n", '/"'),
            *("/a#b", "/a\\b", "/../admin", "/%2e%2E/admin", "/{id}", "/é", "/" + "a" * 4000),
        )
    ),
    *(("status_path", value) for value in ("/jobs", "{id}{id}", "/{id}/{id}", "http://a/{id}")),
    *(("mesh_path", value) for value in ("files/{id}", "/{name}", "@evil.example")),
    *(("image_field", value) for value in ("", "a b", 'a"b', "a\r\nX-Evil: 1")),
    *(
        ("extra_fields", value)
        for value in ("seed=42", "[1]", '{"image": "x"}', '{"a": [1]}', '{"a": 1e999}', "[" * 3000)
    ),
    *(
        ("extra_headers", value)
        for value in (
            *("Accept: a", '{"Accept": 1}', '{"A\\nB": "c"}', '{"A": "b\\r\\nHost: c"}'),
            *('{"Host": "evil.example"}', '{"X-Forwarded-Host": "evil.example"}'),
            *('{"Authorization": "Bearer k"}', '{"X-API-Key": "k"}', '{"Cookie": "k"}'),
            *(
                f'{{"{header}": "k"}}'
                for header in (
                    *("Modal-Key", "X-API_Key", "Ocp-Apim-Subscription-Key", "x-functions-key"),
                    *("X-Access-Key", "X-Session", "X-Pass", "X-Signature", "X-Accesskey"),
                )
            ),
            *('{"Origin": "x"}', '{"Content-Length": "0"}', '{"X-Original-URL-Rewrite": "/x"}'),
        )
    ),
]


SECRETS = [
    *(
        ("extra_fields", f'{{"{name}": "k"}}')
        for name in (
            *("api_key", "apiKey", "APIKey", "apikey", "API-KEY", "access_token", "hfToken"),
            *("password", "auth", "session_id", "user.secret", "signature", "credentials"),
        )
    ),
    ("extra_fields", '{"options": [{"api_key": "k"}]}'),
    ("path", "/generate?api_key=k"),
    ("path", "/generate?mode=fast&API%5FKEY=k"),
    ("status_path", "/jobs/{id}?token=k"),
    ("mesh_path", "/jobs/{id}?a=1;X-Pass=k"),
]


@pytest.mark.parametrize(("name", "value"), SECRETS)
def test_a_secret_is_no_part_of_the_settings(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match="looks like a secret") as caught:
        parse_settings(PROVIDER.settings, {name: value, "send_as": "json"})
    assert name in str(caught.value)


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_strangers_description_cannot_lead_elsewhere(name: str, value: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        parse_settings(PROVIDER.settings, {name: value})
    assert name in str(caught.value) or "cannot be empty" in str(caught.value)


def test_a_list_can_be_sent_in_json_only() -> None:
    values = {"extra_fields": '{"a": [1]}'}
    assert parse_settings(PROVIDER.settings, {**values, "send_as": "json"})
    for way in ("form", "body"):
        with pytest.raises(InvalidSettings, match="in JSON only"):
            parse_settings(PROVIDER.settings, {**values, "send_as": way})


def test_settings_without_an_effect_say_why() -> None:
    assert dict(PROVIDER.settings(send_as="body").inactive_fields()) == {
        "image_field": "Not used with Image Only.",
        "data_url": "Requires JSON.",
        "id_field": "Requires Status Path.",
        "mesh_path": "Requires Status Path.",
    }
    assert not dict(PROVIDER.settings(send_as="json", status_path="{id}").inactive_fields())


# -- the address ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8000",
        "http://192.168.1.5:8000",
        "http://workshop.local:8000",
        "https://meshes.example",
        "https://93.184.216.34",
    ],
)
def test_a_public_server_is_called_by_https(address: str) -> None:
    assert base_url(PROVIDER, {"custom_base_url": address}, {}) == address


@pytest.mark.parametrize("address", ["http://93.184.216.34", "https://0.0.0.0", "ftp://10.0.0.1"])
def test_a_public_server_without_encryption_is_not_called(address: str) -> None:
    with pytest.raises(InvalidSettings, match="cannot be used"):
        base_url(PROVIDER, {"custom_base_url": address}, {})


# -- the test ------------------------------------------------------------------------------------


def check(url: str, headers: dict[str, str] | None = None, **settings: Any) -> str:
    """Return what the test of these settings says."""
    with connection_to(url, headers) as http:
        return PROVIDER.check_server(PROVIDER.settings(**settings), http)


@pytest.mark.parametrize("takes", ["form", "json", "body"])
def test_a_server_that_describes_itself_is_compared_with_the_settings(takes: str) -> None:
    server = Custom(takes, described=True)
    with serving(server):
        assert "takes images at /generate. Nothing was ordered." in check(server.url, send_as=takes)
        with pytest.raises(InvalidSettings, match="at /make, but has: /generate"):
            check(server.url, send_as=takes, path="/make")
        way = "json" if takes == "form" else "form"
        with pytest.raises(InvalidSettings, match=r"takes images as: [a-z]+/[a-z-]+"):
            check(server.url, send_as=way)
        other: dict[str, Any] = {"send_as": takes, "image_field": "photo"}
        if takes == "body":
            assert "takes images" in check(server.url, **other)
        else:
            with pytest.raises(InvalidSettings, match="field photo, but has: image, seed, texture"):
                check(server.url, **other)
    assert server.orders == 0
    assert not server.images
    assert ("GET", "/generate") not in server.calls


def test_a_server_without_a_description_is_not_praised() -> None:
    server = Custom()
    with serving(server), connection_to(server.url) as http:
        assert "shows when you generate" in check(server.url)
        assert PROVIDER.balance(http) is None
    assert server.orders == 0


def test_another_server_can_be_used_through_its_description() -> None:
    with hunyuan3d.serving(Hunyuan3d()) as server:
        assert "takes images at /send" in check(server.url, path="/send", send_as="json")
    assert not server.orders


def test_a_password_is_asked_for_and_the_right_one_works() -> None:
    server = Custom(described=True, header="Authorization: Basic abc")
    with serving(server):
        with pytest.raises(BadKey, match="requires a password"):
            check(server.url)
        assert "takes images" in check(server.url, {"Authorization": "Basic abc"})


@pytest.mark.parametrize(
    ("settings", "kind"), [({}, Unreachable), ({"path": "generate"}, InvalidSettings)]
)
def test_a_missing_server_is_reported(settings: dict[str, Any], kind: type[Exception]) -> None:
    with serving(Custom()) as server:
        url = server.url
    with pytest.raises(kind):
        check(url, **settings)


@pytest.mark.parametrize(
    "description",
    [
        "x",
        [],
        {"paths": []},
        {
            "paths": {
                "/generate": {"post": {"requestBody": {"content": {"multipart/form-data": 3}}}}
            }
        },
    ],
)
def test_an_odd_description_is_no_crash(description: Any) -> None:
    with local_servers.serving(OtherServer({"/openapi.json": description})) as other:
        assert "othing was ordered" in check(other.url)
