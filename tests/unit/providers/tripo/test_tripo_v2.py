# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo v2: what reaches the wire, pictures in, and what is refused before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.tripo_calls import (
    FOUR,
    UNTEXTURED,
    V2,
    V3,
    VIEWS,
    connection,
    default_of,
    end_of,
    job_for,
    legal_choices,
    order,
    order_of,
    picture,
)
from fakes.tripo_server import form_file, serving
from fakes.tripo_v2 import MULTIVIEW, NEWER, OLD, TripoV2

from image_to_mesh.jobs import Session
from image_to_mesh.providers import BadImage, InvalidSettings, Picture, Unreachable, settings_of
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers.tripo_v2 import TripoV2Settings

P1: Any = "P1-20260311"
NEW: Any = "v3.1-20260211"
COMPANIONS: dict[tuple[str, Any], dict[str, Any]] = {
    ("texture", False): {"pbr": False},
    ("generate_parts", True): UNTEXTURED,
    ("face_limit", 2_000_000): {"geometry_quality": "detailed", "model_version": NEW},
    ("geometry_quality", "detailed"): {"model_version": NEW},
}
VERSIONS = [
    choice.value
    for setting in settings_of(TripoV2Settings)
    if setting.name == "model_version"
    for choice in setting.choices
]


@pytest.fixture
def fake() -> Iterator[TripoV2]:
    """Tripo v2 on loopback."""
    with serving(TripoV2()) as running:
        yield running


@pytest.fixture
def http(fake: TripoV2) -> Iterator[Http]:
    """A connection to it that does not sleep."""
    with connection(fake, lambda _: None) as line:
        yield line


def body_of(fake: TripoV2) -> dict[str, Any]:
    """Return the body of the one order that came."""
    (seen,) = fake.calls(V2.create)
    body: dict[str, Any] = seen.json
    return body


# -- settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value"), list(legal_choices(V2)))
def test_every_choice_arrives_as_it_is_named(
    fake: TripoV2, http: Http, tmp_path: Path, name: str, value: Any
) -> None:
    beside = COMPANIONS.get((name, value), {})
    order(V2, http, tmp_path, **{**beside, name: value})
    sent = body_of(fake)
    assert sent.pop("type") == "image_to_model"
    assert set(sent.pop("file")) == {"type", "file_token"}
    wanted = dict(beside)
    if value != default_of(V2, name):
        wanted[name] = value
    assert sent == wanted
    assert {item: type(sent[item]) for item in wanted} == {
        item: type(value) for item, value in wanted.items()
    }


def test_with_default_settings_only_required_fields_are_sent(
    fake: TripoV2, http: Http, tmp_path: Path
) -> None:
    order(V2, http, tmp_path)
    (token,) = fake.uploads
    file = {"type": "png", "file_token": token}
    assert body_of(fake) == {"type": "image_to_model", "file": file}


def test_retired_models_are_named_as_such() -> None:
    (model,) = [
        setting for setting in settings_of(TripoV2Settings) if setting.name == "model_version"
    ]
    retired = {choice.value for choice in model.choices if "(Retired)" in choice.title}
    (v3,) = [setting for setting in settings_of(V3.provider.settings) if setting.name == "model"]
    assert retired == set(VERSIONS) - {choice.value for choice in v3.choices}
    assert retired == {"Turbo-v1.0-20250506", "v2.0-20240919", *OLD}


def test_the_provider_describes_itself() -> None:
    assert "gateways" in V2.provider.description
    assert "shut down" in V2.provider.description
    assert V2.provider.keys == V3.provider.keys


def test_p1_gets_none_of_the_four_fields_it_refuses(
    fake: TripoV2, http: Http, tmp_path: Path
) -> None:
    order(V2, http, tmp_path, model_version=P1, texture_quality="detailed", face_limit=20_000)
    assert not set(FOUR) & set(body_of(fake))


def test_without_textures_no_texture_setting_is_sent(
    fake: TripoV2, http: Http, tmp_path: Path
) -> None:
    textures: dict[str, Any] = {
        "texture_quality": "extreme",
        "texture_seed": 7,
        "texture_alignment": "geometry",
    }
    order(V2, http, tmp_path, **UNTEXTURED, **textures)
    assert set(body_of(fake)) == {"type", "file", "texture", "pbr"}


AFTER_1: list[tuple[str, Any]] = [
    ("face_limit", 1000),
    ("texture_seed", 1),
    ("texture_alignment", "geometry"),
    ("texture_quality", "detailed"),
    ("auto_size", True),
    ("style", "gold"),
    ("orientation", "align_image"),
    ("quad", True),
    ("compress", "geometry"),
    ("smart_low_poly", True),
    ("export_uv", False),
    ("pbr", False),
    ("geometry_quality", "detailed"),
]
BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"texture": False}, "texture", "or PBR off"),
    ({"generate_parts": True}, "generate_parts", "Texture, PBR, and Quads"),
    ({"generate_parts": True, **UNTEXTURED, "quad": True}, "generate_parts", "to be off"),
    *(({"model_version": P1, name: True}, name, "Model P1 does not support") for name in FOUR[:2]),
    ({"model_version": P1, "geometry_quality": "detailed"}, "geometry_quality", "Model P1"),
    ({"model_version": P1, "generate_parts": True, **UNTEXTURED}, "generate_parts", "Model P1"),
    (
        {"geometry_quality": "detailed"},
        "geometry_quality",
        "Model 2.5 does not support Mesh Detail",
    ),
    *(
        ({"model_version": old, name: value}, name, "reset it, or choose another model")
        for old in OLD
        for name, value in AFTER_1
    ),
    *(
        (
            {"model_version": item, "geometry_quality": "detailed"},
            "geometry_quality",
            "does not support",
        )
        for item in VERSIONS
        if item not in NEWER
    ),
    ({"model_version": P1, "face_limit": 20_001}, "face_limit", "from 50 to 20000"),
    ({"face_limit": 500_001}, "face_limit", "from 50 to 500000"),
    ({"model_version": NEW, "face_limit": 1_500_001}, "face_limit", "from 50 to 1500000"),
    ({"smart_low_poly": True, "face_limit": 999}, "face_limit", "from 1000 to 16000"),
    ({"smart_low_poly": True, "face_limit": 16_001}, "face_limit", "from 1000 to 16000"),
    ({"smart_low_poly": True, "quad": True, "face_limit": 499}, "face_limit", "500 to 8000"),
    ({"smart_low_poly": True, "quad": True, "face_limit": 8001}, "face_limit", "500 to 8000"),
    ({"quad": True, "face_limit": 150_001}, "face_limit", "from 50 to 150000"),
]


@pytest.mark.parametrize(("values", "field", "sentence"), BROKEN)
def test_broken_rule_is_refused_before_anything_is_sent(
    fake: TripoV2, http: Http, tmp_path: Path, values: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(InvalidSettings, match=sentence):
        order(V2, http, tmp_path, **values)
    assert fake.requests == []
    assert field in dict(TripoV2Settings(**values).rules())


def test_settings_that_a_model_lacks_are_grayed_out() -> None:
    old: Any
    for old in OLD:
        grayed = dict(TripoV2Settings(model_version=old).inactive_fields())
        assert {name for name, _ in AFTER_1} <= set(grayed)
        assert {"model_version", "model_seed"}.isdisjoint(grayed)
    assert set(dict(TripoV2Settings().inactive_fields())) == {"geometry_quality"}
    assert dict(TripoV2Settings(model_version=NEW).inactive_fields()) == {}


# -- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize("views", [("front", "left"), ("front", "back"), ("front", "right"), VIEWS])
def test_views_go_in_exactly_four_slots(
    fake: TripoV2, http: Http, tmp_path: Path, views: tuple[str, ...]
) -> None:
    order(V2, http, tmp_path, tuple(reversed(views)), enable_image_autofix=True)
    sent = body_of(fake)
    assert set(sent) == {"type", "files"}
    assert sent["type"] == "multiview_to_model"
    assert [view for view, item in zip(VIEWS, sent["files"], strict=True) if item] == list(views)
    assert {file["file_token"] for file in sent["files"] if file} == set(fake.uploads)


@pytest.mark.parametrize("version", [item for item in VERSIONS if item not in MULTIVIEW])
def test_single_image_models_refuse_views_before_anything_is_sent(
    fake: TripoV2, http: Http, tmp_path: Path, version: str
) -> None:
    session = Session()
    settings = {"model_version": version}
    spec = job_for(V2, fake, tmp_path / "library", views=("front", "back"), settings=settings)
    view = end_of(session, session.start(spec))
    session.close(2.0)
    assert view.failure is not None
    assert view.failure.kind == "invalid_settings"
    assert "“back” view with these settings" in view.failure.message
    assert fake.requests == []
    order(V2, http, tmp_path, model_version=version)
    assert len(fake.creates) == 1


@pytest.mark.parametrize("version", MULTIVIEW)
def test_the_other_models_take_views(
    fake: TripoV2, http: Http, tmp_path: Path, version: str
) -> None:
    order(V2, http, tmp_path, ("front", "back"), model_version=version)
    assert len(fake.creates) == 1


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("png", b"", "png"),
        ("jpeg", b"\xff\xd8\xff\xe0", "jpg"),
        ("webp", b"RIFF\x04\0\0\0WEBP", "webp"),
    ],
)
def test_a_picture_goes_up_as_one_part_with_its_type(
    fake: TripoV2, http: Http, tmp_path: Path, kind: str, data: bytes, told: str
) -> None:
    image = picture(tmp_path, "front", data, kind)
    order_of(V2, http, (image,))
    (seen,) = fake.calls(V2.upload)
    assert seen.path == "/v2/openapi/upload/sts"
    assert form_file(seen) == (image.data(), f"front.{kind}", f"image/{kind}")
    assert body_of(fake)["file"]["type"] == told
    assert V2.provider.formats == {"png", "jpeg", "webp"}


def test_an_older_gateway_gets_the_picture_at_the_older_address(
    fake: TripoV2, http: Http, tmp_path: Path
) -> None:
    fake.knows_sts = False
    order(V2, http, tmp_path)
    assert [call.path for call in fake.calls(V2.upload)] == [
        "/v2/openapi/upload/sts",
        "/v2/openapi/upload",
    ]
    assert len(fake.creates) == 1


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://example.com/cup.png?x=1", "png"),
        ("https://example.com/cup.webp", "webp"),
        ("https://example.com/cup", "jpg"),
    ],
)
def test_an_https_url_is_sent_unchanged(fake: TripoV2, http: Http, address: str, told: str) -> None:
    order_of(V2, http, (Picture("front", "cup", url=address),))
    assert fake.calls(V2.upload) == []
    assert body_of(fake)["file"] == {"type": told, "url": address}


def test_a_plain_http_address_is_refused_before_anything_is_sent(fake: TripoV2, http: Http) -> None:
    with pytest.raises(BadImage, match="https"):
        order_of(V2, http, (Picture("front", "cup", url="http://example.com/cup.png"),))
    assert fake.requests == []


def test_an_address_without_the_api_says_what_to_do(fake: TripoV2, tmp_path: Path) -> None:
    fake.prefix = "/elsewhere"  # type: ignore[misc]
    with (
        connection(fake, lambda _: None) as http,
        pytest.raises(Unreachable, match="gateway"),
    ):
        order(V2, http, tmp_path)
