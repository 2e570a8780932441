# SPDX-License-Identifier: GPL-3.0-or-later
"""Models that are not in the table: their inputs are read from their OpenAPI, without a key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.fal import Fal
from fakes.fal_calls import PROVIDER, order, settings_of
from fakes.fal_models import file
from fakes.scenario_state import Fault

from image_to_mesh.providers import (
    ImageToMeshError,
    InvalidSettings,
    Request,
    Result,
)
from image_to_mesh.providers import (
    settings_of as declared_of,
)
from image_to_mesh.providers._shared.adapters import parse_settings
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.server_settings import settings_of_record

OTHER: dict[str, Any] = {"model": "other", "model_id": "meshy/v7.1/image-to-3d"}
MANY: dict[str, Any] = {"model": "other", "model_id": "fal-ai/new/multi"}


def document(properties: dict[str, Any], required: list[str], **more: Any) -> dict[str, Any]:
    """Return an OpenAPI as fal generates it: the input is a reference."""
    schemas = {
        "CupInput": {"type": "object", "properties": properties, "required": required, **more},
        "Size": {"type": "string", "enum": ["s", "m"]},
        "QueueStatus": {"type": "object", "properties": {"status": {"type": "string"}}},
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/CupInput"}}}}
    return {
        "openapi": "3.0.4",
        "components": {"schemas": schemas},
        "paths": {
            "/cup/requests/{request_id}/status": {"get": {}},
            "/cup/requests/{request_id}/cancel": {"put": {}},
            "/cup": {"post": {"requestBody": body}},
        },
    }


PROPERTIES: dict[str, Any] = {
    "image_url": {"type": "string", "title": "Image Url"},
    "steps": {"type": "integer", "minimum": 1, "maximum": 50, "default": 12, "title": "Steps",
              "description": "More are better."},
    "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    "size": {"allOf": [{"$ref": "#/components/schemas/Size"}], "default": "m"},
    "hint": {"type": ["string", "null"]},
    "sharp": {"type": "boolean", "default": True},
    "points": {"type": "array", "items": {"type": "number"}},
    "loop": {"$ref": "#/components/schemas/CupInput"},
}  # fmt: skip


@pytest.fixture
def described(fake: Fal) -> Fal:
    """The fake, with two models that are not in the table."""
    order_ = {"x-fal-order-properties": ["sharp", "image_url", "nothing"]}
    fake.openapi[OTHER["model_id"]] = document(PROPERTIES, ["image_url"], **order_)
    images = {"image_urls": {"type": "array", "items": {"type": "string"}}}
    fake.openapi[MANY["model_id"]] = document(images, ["image_urls"])
    fake.output = {"model_glb": file(fake.media, "x.glb")}
    return fake


def test_the_inputs_of_any_model_become_settings(described: Fal, http: Http) -> None:
    settings = settings_of(http, OTHER)
    rows = {row.name: row for row in declared_of(type(settings)) if row.from_server}
    assert list(rows) == ["front_image_field", "sharp", "steps", "seed", "size", "hint"]
    assert (rows["steps"].kind, rows["steps"].default, rows["steps"].maximum) == ("int", 12, 50)
    assert rows["steps"].description == "More are better"
    assert (rows["seed"].kind, rows["seed"].optional) == ("int", True)
    assert [choice.value for choice in rows["size"].choices] == ["s", "m"]
    assert (rows["sharp"].default, rows["hint"].default) == (True, None)
    assert rows["front_image_field"].default == "image_url"
    [asked] = described.calls("GET", "/api/.*")
    assert "authorization" not in asked.headers


def test_such_a_model_makes_a_mesh(described: Fal, http: Http, tmp_path: Path) -> None:
    ticket = order(http, tmp_path, **OTHER, steps=20, hint="a cup", size="s")
    [sent] = described.orders.values()
    image = sent.inputs.pop("image_url")
    assert image in described.files
    assert sent.model == OTHER["model_id"]
    assert sent.inputs == {"steps": 20, "hint": "a cup", "size": "s", "sharp": True}
    told = [PROVIDER.poll(ticket, http) for _ in range(3)]
    assert isinstance(told[-1], Result)


def test_a_list_of_images_takes_all_views(described: Fal, http: Http, tmp_path: Path) -> None:
    assert PROVIDER.views_for(settings_of(http, MANY)) == ("front", "left", "back", "right")
    assert PROVIDER.views_for(settings_of(http, OTHER)) == ("front",)
    order(http, tmp_path, ("front", "back"), **MANY)
    [sent] = described.orders.values()
    assert [url.rpartition("_")[2] for url in sent.inputs["image_urls"]] == [
        "front.png",
        "back.png",
    ]


def test_a_resumed_job_needs_no_second_question(described: Fal, http: Http) -> None:
    kept = {**OTHER, "front_image_field": "image_url", "steps": 20, "purpose": "model"}
    settings = settings_of_record(PROVIDER, kept)
    from image_to_mesh.providers._fal.inputs import sent_inputs, shape_for

    shape = shape_for(settings)
    assert shape.pictures == {"front": "image_url"}
    assert sent_inputs(settings, shape) == {"steps": 20}
    assert not described.requests


def test_without_get_settings_nothing_is_ordered(
    described: Fal, http: Http, tmp_path: Path
) -> None:
    from fakes.fal_calls import picture

    cup = picture(tmp_path)
    request = Request(PROVIDER.settings(**OTHER), (cup,))
    with pytest.raises(InvalidSettings, match="not known") as caught:
        PROVIDER.submit(request, PROVIDER.upload((cup,), http), http)
    assert "Get Settings" in caught.value.hint
    assert not described.orders


@pytest.mark.parametrize(
    "text",
    [
        "meshy/v7.1/image-to-3d",
        " https://fal.ai/models/meshy/v7.1/image-to-3d ",
        "https://fal.ai/models/meshy/v7.1/image-to-3d/playground?tab=1",
        "https://fal.ai/models/meshy/v7.1/image-to-3d/api",
    ],
)
def test_a_model_can_be_given_by_its_page(text: str, described: Fal, http: Http) -> None:
    assert "steps" in dir(settings_of(http, {**OTHER, "model_id": text}))


@pytest.mark.parametrize("text", ["", "trellis", "a b/c", "../x", "https://evil.example/x", "a/.."])
def test_an_invalid_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="ID of a model"):
        parse_settings(PROVIDER.settings, {**OTHER, "model_id": text})


TEXT = {"prompt": {"type": "string"}}
IMAGE = {"image_url": {"type": "string"}}
UNFIT: list[tuple[dict[str, Any], str]] = [
    (document(TEXT, ["prompt"]), "takes no image"),
    (document({**IMAGE, "mesh_url": {"type": "string"}}, ["mesh_url"]), "requires mesh_url"),
    (document({**IMAGE, "boxes": {"type": "array"}}, ["boxes"]), "requires boxes"),
]


@pytest.mark.parametrize(("described_", "says"), UNFIT)
def test_a_model_that_needs_more_than_an_image_is_refused(
    described_: dict[str, Any], says: str, fake: Fal, http: Http
) -> None:
    fake.openapi[OTHER["model_id"]] = described_
    with pytest.raises(InvalidSettings, match=says) as caught:
        settings_of(http, OTHER)
    assert caught.value.hint


def test_a_text_that_is_required_has_to_be_set(fake: Fal, http: Http) -> None:
    fake.openapi[OTHER["model_id"]] = document({**IMAGE, **TEXT}, ["image_url", "prompt"])
    with pytest.raises(InvalidSettings, match="requires a value for Subject"):
        settings_of(http, OTHER)
    assert settings_of(http, {**OTHER, "prompt": "mug"}).prompt == "mug"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"detail": "Not found"}, "invalid_settings"),
        (503, "", "unreachable"),
        (200, "<html>", "bad_reply"),
        (200, [], "bad_reply"),
        (200, {"paths": {"/x": {"post": {}}}}, "bad_reply"),
        (200, {"paths": []}, "bad_reply"),
    ],
)
def test_no_description_is_an_error_with_a_next_step(
    status: int, body: Any, kind: str, fake: Fal, http: Http
) -> None:
    fake.faults.append(Fault("GET", "/api/.*", status, body))
    with pytest.raises(ImageToMeshError) as caught:
        settings_of(http, OTHER)
    assert caught.value.kind == kind
    assert caught.value.hint


def test_references_without_an_end_and_odd_schemas_are_survived(fake: Fal, http: Http) -> None:
    odd: dict[str, Any] = {
        **IMAGE,
        "loop": {"$ref": "#/components/schemas/CupInput/properties/loop"},
        "number": {"type": "number", "minimum": "low", "maximum": None, "default": [1]},
        "a=b": {"type": "string"},
        "nothing": None,
        "text": {"type": "string", "enum": "no list", "title": 5, "description": {}},
    }
    fake.openapi[OTHER["model_id"]] = document(odd, ["image_url"])
    names = [row.name for row in declared_of(type(settings_of(http, OTHER))) if row.from_server]
    assert names == ["front_image_field", "number", "text"]


def test_models_of_the_table_need_no_call(fake: Fal, http: Http) -> None:
    settings_of(http, {"model": "fal-ai/trellis"})
    assert not fake.requests
