# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy: what reaches the wire, pictures in, prices, and what is refused before it is sent."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from fakes.meshy import Meshy
from fakes.meshy_calls import (
    CREATE,
    PROVIDER,
    VIEWS,
    legal_choices,
    order,
    picture,
    request_of,
    settings,
)
from fakes.meshy_fields import FIELDS, RETIRED, SMART, STANDARD, price_of
from fakes.png import png_of

from image_to_mesh.providers import (
    BadImage,
    InvalidSettings,
    Picture,
    Uploaded,
    check_rules,
    settings_of,
)
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.results.prices import find_price
from image_to_mesh.providers.meshy import MeshySettings

REMESH: dict[str, Any] = {"should_remesh": True}
SIX: dict[str, Any] = {"ai_model": "meshy-6"}
COMPANIONS: dict[str, dict[str, Any]] = {
    "topology": REMESH,
    "target_polycount": REMESH,
    "decimation_mode": REMESH,
    "remove_lighting": SIX,
    "origin_at": {"auto_size": True},
}
FOLLOWS = {"ai_model", "should_remesh", "target_formats", "model_type"}
"""Fields that are always sent, or follow from others."""


def body_of(fake: Meshy) -> dict[str, Any]:
    """Return the body of the one order that came."""
    (seen,) = fake.calls(CREATE)
    body: dict[str, Any] = seen.json
    return body


def default_of(name: str) -> Any:
    """Return a setting's default."""
    return next(item.default for item in settings_of(MeshySettings) if item.name == name)


# -- settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value"), list(legal_choices()))
def test_every_choice_arrives_as_it_is_named(
    fake: Meshy, http: Http, tmp_path: Path, name: str, value: Any
) -> None:
    if name == "texture_image":
        pytest.fail("its path is no value")
    order(http, tmp_path, **{**COMPANIONS.get(name, {}), name: value})
    sent = body_of(fake)
    assert sent.pop("image_url").startswith("data:image/png;base64,")
    wanted = {**COMPANIONS.get(name, {}), name: value}
    if value == default_of(name) and name not in FOLLOWS:
        del wanted[name]
    assert {item: sent.get(item) for item in wanted} == wanted
    assert {type(sent[item]) for item in wanted} == {type(item) for item in wanted.values()}
    assert sent.keys() - wanted.keys() <= FOLLOWS
    assert len(fake.creates) == 1


def test_every_field_of_the_service_is_a_setting_follows_from_one_or_stores_more_files() -> None:
    ours = {setting.name for setting in settings_of(MeshySettings)} - {"texture_image"}
    extra = {"save_pre_remeshed_model", "alpha_thumbnail", "multi_view_thumbnails"}
    assert FIELDS.keys() - ours == {
        *("model_type", "target_formats", "texture_image_url"),
        *extra,
    }
    assert ours <= FIELDS.keys()


def test_with_default_settings_only_required_fields_are_sent(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    order(http, tmp_path)
    sent = body_of(fake)
    assert base64.b64decode(sent.pop("image_url").partition(",")[2]) == png_of(64, 48)
    # What Remesh is without a value depends on the model.
    assert sent == {"ai_model": "meshy-7.1", "should_remesh": False, "target_formats": ["glb"]}
    assert fake.calls(CREATE)[0].path == "/openapi/v1/image-to-3d"


def test_the_offered_models_are_those_that_the_service_has() -> None:
    (model,) = [setting for setting in settings_of(MeshySettings) if setting.name == "ai_model"]
    offered = {choice.value for choice in model.choices}
    assert offered == {*STANDARD, *SMART}
    assert not offered & set(RETIRED)


@pytest.mark.parametrize("model", SMART)
def test_t_models_are_ordered_as_smart_topology_without_remesh(
    fake: Meshy, http: Http, tmp_path: Path, model: str
) -> None:
    order(http, tmp_path, ai_model=model, target_polycount=SMART[model])
    sent = body_of(fake)
    del sent["image_url"]
    assert sent == {
        "ai_model": model,
        "model_type": "smart-topology",
        "target_polycount": SMART[model],
        "target_formats": ["glb"],
    }
    assert PROVIDER.views_for(settings(ai_model=model)) == ("front",)


def test_adaptive_faces_take_the_place_of_target_faces(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    both = {**REMESH, "target_polycount": 5000, "decimation_mode": 3}
    order(http, tmp_path, **both)
    sent = body_of(fake)
    assert "target_polycount" not in sent
    assert sent["decimation_mode"] == 3
    assert dict(settings(**both).inactive_fields())["target_polycount"]


def test_quads_are_asked_for_in_the_format_that_keeps_them(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    order(http, tmp_path, **REMESH, topology="quad")
    assert body_of(fake)["target_formats"] == ["fbx"]


def test_without_remesh_quads_are_neither_sent_nor_asked_for(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    order(http, tmp_path, topology="quad", decimation_mode=2)
    assert body_of(fake)["target_formats"] == ["glb"]
    assert not {"topology", "decimation_mode"} & body_of(fake).keys()


def test_without_textures_no_texture_setting_is_sent(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    textures: dict[str, Any] = {
        "enable_pbr": True,
        "texture_resolution": "8k",
        "texture_prompt": "old bronze",
        "texture_image": "bronze.png",
        "remove_lighting": False,
        "should_texture": False,
    }
    order(http, tmp_path, files={"texture_image": png_of(8, 8)}, **SIX, **textures)
    sent = body_of(fake)
    assert sent["should_texture"] is False
    assert not {*textures, "texture_image_url"} - {"should_texture"} & sent.keys()


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    (
        {**SIX, "geometry_resolution": "2k"},
        "geometry_resolution",
        "Model 6 does not support Mesh Detail",
    ),
    (
        {"ai_model": "meshy-6-lite", "geometry_resolution": "2k"},
        "geometry_resolution",
        "Model 6 Lite does not support",
    ),
    ({"ai_model": "meshy-7", "geometry_resolution": "4k"}, "geometry_resolution", "model 7.1"),
    ({"ai_model": "meshy-t2.5", "geometry_resolution": "2k"}, "geometry_resolution", "Model T2.5"),
    ({"ai_model": "meshy-6-lite", "texture_resolution": "4k"}, "texture_resolution", "2K textures"),
    ({"ai_model": "meshy-6-lite", "texture_resolution": "8k"}, "texture_resolution", "2K textures"),
    ({"remove_lighting": False}, "remove_lighting", "Model 7.1 does not support Remove Lighting"),
    ({"ai_model": "latest", "remove_lighting": False}, "remove_lighting", "Model Latest"),
    ({"ai_model": "meshy-7", "remove_lighting": False}, "remove_lighting", "Model 7 does not"),
    ({"ai_model": "meshy-6-lite", "image_enhancement": False}, "image_enhancement", "6 Lite"),
    ({"ai_model": "meshy-t2", "image_enhancement": False}, "image_enhancement", "Model T2 does"),
    ({"ai_model": "meshy-t2", **REMESH}, "should_remesh", "does not support Remesh"),
    ({"ai_model": "meshy-t2.5", "topology": "quad"}, "topology", "does not support Topology"),
    ({"ai_model": "meshy-t2.5", "decimation_mode": 1}, "decimation_mode", "Adaptive Faces"),
    ({"ai_model": "meshy-t2", "target_polycount": 15_001}, "target_polycount", "at most 15000"),
    ({"ai_model": "meshy-t2.5", "target_polycount": 30_001}, "target_polycount", "at most 30000"),
    ({"texture_prompt": "x" * 801}, "texture_prompt", "800 characters"),
    ({"texture_prompt": "x", "texture_image": "a.png"}, "texture_image", "not both"),
]


@pytest.mark.parametrize(("values", "field", "sentence"), BROKEN)
def test_broken_rule_is_refused_before_anything_is_sent(
    fake: Meshy, http: Http, tmp_path: Path, values: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(InvalidSettings, match=sentence):
        order(http, tmp_path, **values)
    assert fake.requests == []
    assert field in dict(MeshySettings(**values).rules())


@pytest.mark.parametrize(
    "values",
    [
        {"geometry_resolution": "4k"},
        {"ai_model": "latest", "geometry_resolution": "4k"},
        {"ai_model": "meshy-7", "geometry_resolution": "2k"},
        {"ai_model": "meshy-7", "texture_resolution": "8k"},
        {"ai_model": "meshy-t2.5", "texture_resolution": "8k", "enable_pbr": True},
        {"ai_model": "meshy-t2", "target_polycount": 100},
        {"ai_model": "meshy-6-lite", **REMESH, "target_polycount": 300_000, "topology": "quad"},
        {"texture_prompt": "x" * 800},
    ],
)
def test_what_just_keeps_the_rules_is_taken(
    fake: Meshy, http: Http, tmp_path: Path, values: dict[str, Any]
) -> None:
    order(http, tmp_path, **values)
    assert values.items() <= body_of(fake).items()
    assert len(fake.creates) == 1


def test_settings_without_effect_are_grayed_out() -> None:
    usual = {"remove_lighting", "topology", "target_polycount", "decimation_mode", "origin_at"}
    assert set(dict(MeshySettings().inactive_fields())) == usual
    remeshed = MeshySettings(should_remesh=True, auto_size=True)
    assert set(dict(remeshed.inactive_fields())) == {"remove_lighting"}
    smart = dict(MeshySettings(ai_model="meshy-t2.5").inactive_fields())
    assert {"should_remesh", "topology", "decimation_mode", "geometry_resolution"} <= set(smart)
    assert "target_polycount" not in smart
    bare = dict(MeshySettings(should_texture=False).inactive_fields())
    assert {"enable_pbr", "texture_resolution", "texture_prompt", "texture_image"} <= set(bare)
    check_rules(MeshySettings())


# -- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "views", [("front", "back"), ("front", "left", "right"), ("front", "left", "back"), VIEWS]
)
def test_several_views_are_one_list_with_the_front_first(
    fake: Meshy, http: Http, tmp_path: Path, views: tuple[str, ...]
) -> None:
    pictures = tuple(picture(tmp_path, view, png_of(64, 48 + len(view))) for view in views)
    PROVIDER.submit(request_of(pictures), Uploaded(), http)
    assert fake.calls(CREATE)[0].path == "/openapi/v1/multi-image-to-3d"
    sent = [base64.b64decode(url.partition(",")[2]) for url in body_of(fake)["image_urls"]]
    assert sent == [item.data() for item in pictures]
    assert fake.creates[0].kind == "multi-image-to-3d"
    assert "image_url" not in body_of(fake)


@pytest.mark.parametrize(("geometry", "several"), [("standard", True), ("2k", True), ("4k", False)])
def test_4k_geometry_takes_a_single_image(
    fake: Meshy, http: Http, tmp_path: Path, geometry: str, several: bool
) -> None:
    values = {"geometry_resolution": geometry}
    assert PROVIDER.views_for(settings(**values)) == (VIEWS if several else ("front",))
    if several:
        order(http, tmp_path, VIEWS, **values)
    else:
        with pytest.raises(InvalidSettings, match="4k is not supported with several images"):
            order(http, tmp_path, VIEWS, **values)
    assert len(fake.creates) == several


@pytest.mark.parametrize(("kind", "data"), [("png", b""), ("jpeg", b"\xff\xd8\xff\xe0")])
def test_a_file_is_sent_as_a_data_url_of_its_type(
    fake: Meshy, http: Http, tmp_path: Path, kind: str, data: bytes
) -> None:
    image = picture(tmp_path, "front", data, kind)
    PROVIDER.submit(request_of((image,)), Uploaded(), http)
    head, _, text = body_of(fake)["image_url"].partition(",")
    assert head == f"data:image/{kind};base64"
    assert base64.b64decode(text) == image.data()
    assert kind in PROVIDER.formats


def test_webp_is_converted_because_the_service_refuses_it(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    assert PROVIDER.formats == {"png", "jpeg"}
    image = picture(tmp_path, "front", b"RIFF\x04\0\0\0WEBP", "webp")
    with pytest.raises(BadImage, match="unsupported image format"):
        PROVIDER.submit(request_of((image,)), Uploaded(), http)


def test_an_https_url_is_sent_unchanged_also_beside_a_file(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    address = "https://example.com/cup.png?x=1"
    url = Picture("front", "cup", url=address)
    PROVIDER.submit(request_of((url,)), Uploaded(), http)
    PROVIDER.submit(request_of((url, picture(tmp_path, "back"))), Uploaded(), http)
    first, second = (seen.json for seen in fake.calls(CREATE))
    assert first["image_url"] == second["image_urls"][0] == address
    assert second["image_urls"][1].startswith("data:image/png")
    assert PROVIDER.takes_urls, "the provider takes no addresses"


def test_a_texture_image_is_sent_without_its_metadata(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    plain = png_of(16, 16)
    # A chunk with text before the end of the file.
    secret = b"\0\0\0\x0btEXtTitle\0Zofia\x00\x00\x00\x00"
    order(
        http,
        tmp_path,
        files={"texture_image": plain[:33] + secret + plain[33:]},
        texture_image="bronze.png",
    )
    sent = base64.b64decode(body_of(fake)["texture_image_url"].partition(",")[2])
    assert b"Zofia" not in sent
    assert sent.startswith(b"\x89PNG")
    assert "texture_image" not in body_of(fake)


@pytest.mark.parametrize("data", [b"", b"no image", b"GIF89a\x01\0\x01\0\0\0\0;"])
def test_an_unusable_texture_image_is_refused_before_anything_is_sent(
    fake: Meshy, http: Http, tmp_path: Path, data: bytes
) -> None:
    with pytest.raises(BadImage):
        order(http, tmp_path, files={"texture_image": data}, texture_image="a.png")
    assert fake.requests == []


def test_limits_are_those_of_the_vendors_client() -> None:
    assert (PROVIDER.limits.max_side, PROVIDER.limits.max_bytes) == (4096, 20_000_000)
    assert PROVIDER.token_life == 0
    # The smallest plan that has the API has a queue of ten tasks.
    assert PROVIDER.max_concurrent(settings()) == 10


# -- prices ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "amount"),
    [
        ({}, 30),
        ({"should_texture": False}, 20),
        ({"texture_resolution": "4k"}, 30),
        ({"texture_resolution": "8k"}, 35),
        ({"geometry_resolution": "2k"}, 35),
        ({"geometry_resolution": "4k", "texture_resolution": "8k"}, 40),
        ({"geometry_resolution": "4k", "should_texture": False}, 25),
        ({"ai_model": "latest"}, 30),
        ({"ai_model": "meshy-7", "texture_resolution": "8k"}, 35),
        (SIX, 30),
        ({"ai_model": "meshy-6-lite"}, 15),
        ({"ai_model": "meshy-6-lite", "should_texture": False}, 5),
        ({"ai_model": "meshy-t2"}, 15),
        ({"ai_model": "meshy-t2.5", "should_texture": False}, 5),
        ({"ai_model": "meshy-t2.5", "texture_resolution": "4k"}, 15),
        ({"ai_model": "meshy-t2.5", "texture_resolution": "8k"}, 20),
    ],
)
def test_a_mesh_costs_what_the_price_list_says(
    fake: Meshy, http: Http, tmp_path: Path, values: dict[str, Any], amount: int
) -> None:
    found = find_price(PROVIDER.prices, settings(**values))
    assert found is not None
    assert (found.amount, found.unit) == (amount, "Credits")
    assert found.source.startswith(("https://docs.meshy.ai/", "https://github.com/meshy-dev/"))
    order(http, tmp_path, **values)
    assert price_of(body_of(fake)) == fake.creates[0].price == amount
