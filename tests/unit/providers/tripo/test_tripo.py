# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo v3: what reaches the wire, pictures in, and what is refused before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.tripo import MODELS, TripoV3
from fakes.tripo_calls import (
    FOUR,
    UNTEXTURED,
    V3,
    VIEWS,
    connection,
    default_of,
    legal_choices,
    order,
    order_of,
    picture,
)
from fakes.tripo_server import Fault, form_file, serving

from image_to_mesh.providers import (
    BadImage,
    BadReply,
    InvalidSettings,
    Picture,
    Unreachable,
    check_rules,
    settings_of,
)
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers.tripo import IN_ONE_FORM, TripoSettings

NEWEST = "v3.1-20260211"
P1: Any = "P1-20260311"
NEW_TEXTURES: dict[str, Any] = {"texture_version": "v3.5-20260815"}
COMPANIONS: dict[tuple[str, Any], dict[str, Any]] = {
    ("texture", False): {"pbr": False},
    ("generate_parts", True): UNTEXTURED,
    ("face_limit", 2_000_000): {"geometry_quality": "detailed"},
    ("texture_quality", "fast"): NEW_TEXTURES,
    ("delight", False): NEW_TEXTURES,
}


@pytest.fixture
def fake() -> Iterator[TripoV3]:
    """Tripo v3 on loopback."""
    with serving(TripoV3()) as running:
        yield running


@pytest.fixture
def http(fake: TripoV3) -> Iterator[Http]:
    """A connection to it that does not sleep."""
    with connection(fake, lambda _: None) as line:
        yield line


def body_of(fake: TripoV3) -> dict[str, Any]:
    """Return the body of the one order that came."""
    (seen,) = fake.calls(V3.create)
    body: dict[str, Any] = seen.json
    return body


# -- settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value"), list(legal_choices(V3)))
def test_every_choice_arrives_as_it_is_named(
    fake: TripoV3, http: Http, tmp_path: Path, name: str, value: Any
) -> None:
    beside = COMPANIONS.get((name, value), {})
    views = ("front", "back") if name == "orthographic_projection" else ("front",)
    order(V3, http, tmp_path, views, **{**beside, name: value})
    sent = body_of(fake)
    assert sent.pop("inputs" if len(views) > 1 else "input")
    wanted = {"model": NEWEST, **beside}
    if value != default_of(V3, name):
        wanted[name] = value
    assert sent == wanted
    assert {item: type(sent[item]) for item in wanted} == {
        item: type(value) for item, value in wanted.items()
    }


def test_with_default_settings_only_required_fields_are_sent(
    fake: TripoV3, http: Http, tmp_path: Path
) -> None:
    order(V3, http, tmp_path)
    (token,) = fake.uploads
    assert body_of(fake) == {"input": token, "model": NEWEST}
    assert fake.calls(V3.create)[0].path == "/v3/generation/image-to-model"


def test_the_offered_models_are_tripos_own() -> None:
    (model,) = [setting for setting in settings_of(TripoSettings) if setting.name == "model"]
    offered = {choice.value for choice in model.choices}
    assert offered == set(MODELS) - {"P2-20260801"}


def test_p1_gets_none_of_the_four_fields_it_refuses(
    fake: TripoV3, http: Http, tmp_path: Path
) -> None:
    order(V3, http, tmp_path, model=P1, texture_quality="detailed", face_limit=20_000)
    assert not set(FOUR) & set(body_of(fake))
    assert len(fake.creates) == 1


def test_without_textures_no_texture_setting_is_sent(
    fake: TripoV3, http: Http, tmp_path: Path
) -> None:
    textures: dict[str, Any] = {
        "texture_quality": "detailed",
        "texture_seed": 7,
        "texture_alignment": "geometry",
    }
    order(V3, http, tmp_path, **UNTEXTURED, **textures, **NEW_TEXTURES, delight=False)
    sent = body_of(fake)
    assert {name: sent[name] for name in sent if name != "input"} == {
        "model": NEWEST,
        **UNTEXTURED,
    }


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"texture": False}, "texture", "or PBR off"),
    ({"generate_parts": True}, "generate_parts", "Texture, PBR, and Quads"),
    ({"generate_parts": True, "texture": False}, "generate_parts", "to be off"),
    ({"generate_parts": True, **UNTEXTURED, "quad": True}, "generate_parts", "to be off"),
    ({"model": P1, "quad": True}, "quad", "Model P1 does not support Quads"),
    ({"model": P1, "smart_low_poly": True}, "smart_low_poly", "P1 does not support Smart Low Poly"),
    (
        {"model": P1, "generate_parts": True, **UNTEXTURED},
        "generate_parts",
        "P1 does not support Separate Parts",
    ),
    ({"model": P1, "geometry_quality": "detailed"}, "geometry_quality", "choose another model"),
    (
        {"model": "v2.5-20250123", "geometry_quality": "detailed"},
        "geometry_quality",
        "Model 2.5 does not support Mesh Detail",
    ),
    ({"model": P1, "face_limit": 20_001}, "face_limit", "from 50 to 20000"),
    ({"model": "v2.5-20250123", "face_limit": 500_001}, "face_limit", "from 50 to 500000"),
    ({"face_limit": 1_500_001}, "face_limit", "from 50 to 1500000"),
    ({"smart_low_poly": True, "face_limit": 999}, "face_limit", "from 1000 to 16000"),
    ({"smart_low_poly": True, "face_limit": 16_001}, "face_limit", "from 1000 to 16000"),
    (
        {"smart_low_poly": True, "quad": True, "face_limit": 499},
        "face_limit",
        "Smart Low Poly and Quads, set Face Limit to a value from 500 to 8000",
    ),
    ({"smart_low_poly": True, "quad": True, "face_limit": 8001}, "face_limit", "to 8000"),
    ({"quad": True, "face_limit": 150_001}, "face_limit", "from 50 to 150000"),
    ({"texture_quality": "fast"}, "texture_quality", "Texture Model 3.5"),
    ({"delight": False}, "delight", "Texture Model 3.5"),
]


@pytest.mark.parametrize(("values", "field", "sentence"), BROKEN)
def test_broken_rule_is_refused_before_anything_is_sent(
    fake: TripoV3, http: Http, tmp_path: Path, values: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(InvalidSettings, match=sentence):
        order(V3, http, tmp_path, **values)
    assert fake.requests == []
    assert field in dict(TripoSettings(**values).rules())


@pytest.mark.parametrize(
    "values",
    [
        {"model": P1, "face_limit": 50},
        {"model": P1, "face_limit": 20_000},
        {"model": "v2.5-20250123", "face_limit": 500_000},
        {"face_limit": 1_500_000},
        {"smart_low_poly": True, "face_limit": 1000},
        {"smart_low_poly": True, "face_limit": 16_000},
        {"smart_low_poly": True, "quad": True, "face_limit": 500},
        {"smart_low_poly": True, "quad": True, "face_limit": 8000},
        {"quad": True, "face_limit": 150_000},
    ],
)
def test_both_ends_of_a_face_window_are_taken(
    fake: TripoV3, http: Http, tmp_path: Path, values: dict[str, Any]
) -> None:
    order(V3, http, tmp_path, **values)
    assert body_of(fake)["face_limit"] == values["face_limit"]


def test_settings_without_effect_are_grayed_out() -> None:
    assert set(FOUR) <= set(dict(TripoSettings(model=P1).inactive_fields()))
    assert "geometry_quality" in dict(TripoSettings(model="v2.5-20250123").inactive_fields())
    bare = dict(TripoSettings(texture=False, pbr=False).inactive_fields())
    assert {"texture_quality", "texture_seed", "texture_version", "delight"} <= set(bare)
    assert set(dict(TripoSettings().inactive_fields())) == {"delight"}
    assert dict(TripoSettings(texture_version="v3.5-20260815").inactive_fields()) == {}
    check_rules(TripoSettings())


def test_only_a_blender_that_reads_meshopt_may_ask_for_it() -> None:
    (compress,) = [setting for setting in settings_of(TripoSettings) if setting.name == "compress"]
    assert compress.min_blender == (5, 2)
    (quad,) = [setting for setting in settings_of(TripoSettings) if setting.name == "quad"]
    assert "FBX" in quad.description
    assert "10,000" in quad.description


# -- pictures --------------------------------------------------------------------------------

SEVERAL = [
    ("front", "left"),
    ("front", "back"),
    ("front", "right"),
    ("front", "left", "right"),
    VIEWS,
]


@pytest.mark.parametrize("views", SEVERAL)
def test_views_are_sent_by_name(
    fake: TripoV3, http: Http, tmp_path: Path, views: tuple[str, ...]
) -> None:
    order(V3, http, tmp_path, tuple(reversed(views)))
    assert fake.calls(V3.create)[0].path == "/v3/generation/multiview-to-model"
    sent = body_of(fake)["inputs"]
    assert [next(iter(item)) for item in sent] == list(views)
    assert {next(iter(item.values())) for item in sent} == set(fake.uploads)
    assert fake.creates[0].kind == "multiview_to_model"


def test_orthographic_views_need_several(fake: TripoV3, http: Http, tmp_path: Path) -> None:
    order(V3, http, tmp_path, orthographic_projection=True)
    assert "orthographic_projection" not in body_of(fake)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("png", b""),
        ("jpeg", b"\xff\xd8\xff\xe0"),
        ("webp", b"RIFF\x04\0\0\0WEBP"),
        ("bmp", b"BM\x04"),
        ("tiff", b"II*\0\x08"),
    ],
)
def test_a_picture_goes_up_as_one_part_with_its_type(
    fake: TripoV3, http: Http, tmp_path: Path, kind: str, data: bytes
) -> None:
    image = picture(tmp_path, "front", data, kind)
    given = V3.provider.upload((image,), http)
    (seen,) = fake.calls(V3.upload)
    assert form_file(seen) == (image.data(), f"front.{kind}", f"image/{kind}")
    assert list(fake.uploads) == list(given.data.values())
    assert kind in V3.provider.formats


@pytest.mark.parametrize("name", ["presigned_url", "upload_url"])
def test_a_big_picture_goes_to_storage_without_the_key(
    fake: TripoV3, http: Http, tmp_path: Path, name: str
) -> None:
    fake.upload_name = name
    big = b"\x89PNG" + bytes(IN_ONE_FORM)
    order_of(V3, http, (picture(tmp_path, "front", big),))
    (put,) = fake.calls("PUT ")
    assert put.host == "files"
    assert put.headers["content-type"] == "image/png"
    assert int(put.headers["content-length"]) == len(big)
    assert "authorization" not in put.headers
    assert fake.calls(r"POST /v3/files/presign")[0].json == {"format": "png"}
    assert list(fake.uploads.values()) == [big]
    assert len(fake.creates) == 1


def test_a_picture_of_the_limit_still_goes_in_one_form(
    fake: TripoV3, http: Http, tmp_path: Path
) -> None:
    V3.provider.upload((picture(tmp_path, "front", b"\x89PNG" + bytes(IN_ONE_FORM - 4)),), http)
    assert [request.path for request in fake.requests] == ["/v3/files"]


def test_a_storage_error_is_distinguished_from_a_bad_image(
    fake: TripoV3, http: Http, tmp_path: Path
) -> None:
    fake.fault("PUT ", Fault(403, "<Error/>"))
    big = picture(tmp_path, "front", b"\x89PNG" + bytes(IN_ONE_FORM))
    with pytest.raises(Unreachable, match="storage returned status 403"):
        V3.provider.upload((big,), http)


def test_presign_without_an_address_is_a_bad_reply(
    fake: TripoV3, http: Http, tmp_path: Path
) -> None:
    fake.upload_name = "somewhere_else"
    big = picture(tmp_path, "front", b"\x89PNG" + bytes(IN_ONE_FORM))
    with pytest.raises(BadReply, match="no upload URL"):
        V3.provider.upload((big,), http)


def test_an_https_url_is_sent_unchanged(fake: TripoV3, http: Http) -> None:
    address = "https://example.com/cup.png?x=1"
    order_of(V3, http, (Picture("front", "cup", url=address),))
    assert fake.calls(V3.upload) == []
    assert body_of(fake)["input"] == address
    assert V3.provider.takes_urls, "the provider takes no addresses"


def test_an_address_and_a_file_make_one_order(fake: TripoV3, http: Http, tmp_path: Path) -> None:
    address = "https://example.com/back.png"
    order_of(V3, http, (picture(tmp_path), Picture("back", "cup", url=address)))
    (token,) = fake.uploads
    assert body_of(fake)["inputs"] == [{"front": token}, {"back": address}]


def test_a_plain_http_address_is_refused_before_anything_is_sent(fake: TripoV3, http: Http) -> None:
    with pytest.raises(BadImage, match="https"):
        order_of(V3, http, (Picture("front", "cup", url="http://example.com/cup.png"),))
    assert fake.requests == []


def test_limits_are_those_of_the_service() -> None:
    limits = V3.provider.limits
    assert (limits.min_side, limits.max_side, limits.max_bytes) == (20, 6000, 20_000_000)
    assert V3.provider.token_life == 24 * 3600
    assert V3.provider.views == VIEWS
