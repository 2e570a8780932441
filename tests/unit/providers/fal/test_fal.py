# SPDX-License-Identifier: GPL-3.0-or-later
"""fal against its fake: the table of models, what is sent, and what is refused before that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.fal import KEY, Fal
from fakes.fal_calls import (
    MODELS,
    PROVIDER,
    order,
    picture,
    required_values,
    settings_of,
    views_for,
)
from fakes.fal_models import inputs

from image_to_mesh.providers import (
    BadImage,
    InvalidSettings,
    Picture,
    Request,
    Result,
    Setting,
    Uploaded,
)
from image_to_mesh.providers import (
    settings_of as declared_of,
)
from image_to_mesh.providers._fal.models import known_models, label_of, shape_of
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.results.prices import find_price

PURPOSES = ("model", "draft", "game_asset", "hero", "print")
LEFT_OUT = {"bbox_condition", "mask_urls", "point_prompts", "box_prompts", "pointmap_url",
            "top_image_url", "bottom_image_url", "left_front_image_url",
            "right_front_image_url"}  # fmt: skip
"""Inputs that are no plain values, or images of views that the add-on does not have."""


def rows_of(model: str, **values: Any) -> dict[str, Setting]:
    """Return the settings of a model by name."""
    model_of = type(settings_of(None, {"model": model, **required_values(model), **values}))
    return {row.name: row for row in declared_of(model_of) if row.from_server}


EVERY_SETTING = [
    pytest.param(model, row, id=f"{model}.{name}")
    for model in MODELS
    for name, row in rows_of(model).items()
]


@pytest.mark.parametrize("model", MODELS)
def test_the_table_has_each_input_that_fal_documents(model: str) -> None:
    shape = shape_of(model)
    assert {*shape.settings, *shape.pictures.values()} | LEFT_OUT >= set(inputs()[model])
    assert {*shape.settings, *shape.pictures.values()} <= set(inputs()[model])
    for name, row in shape.settings.items():
        label = label_of(name)
        assert label["title"], name
        assert not label["description"].endswith(".")
        documented = inputs()[model][name].get("enum")
        if documented:
            assert set(row["choices"]) == set(documented), name


@pytest.mark.parametrize("model", MODELS)
def test_every_model_makes_a_mesh(model: str, fake: Fal, http: Http, tmp_path: Path) -> None:
    values = {"model": model, **required_values(model)}
    ticket = order(http, tmp_path, views_for(model), **values)
    told = [PROVIDER.poll(ticket, http) for _ in range(3)]
    assert isinstance(told[-1], Result)
    assert told[-1].files[0].url.startswith(f"{fake.media}/files/")
    assert told[-1].files[0].format == "glb"
    [sent] = fake.orders.values()
    assert sent.model == model
    assert set(sent.inputs) == {*_picture_fields(model), *required_values(model)}


def _picture_fields(model: str) -> set[str]:
    fields = shape_of(model).pictures
    return {fields.get(view) or fields["*"] for view in views_for(model)}


def _ends_of(row: Setting) -> list[Any]:
    if row.kind == "enum":
        return [choice.value for choice in row.choices]
    if row.kind == "bool":
        return [True, False]
    if row.kind == "str":
        return ["https://example.com/red.png" if row.name.endswith("_url") else "a red mug"]
    ends = [end for end in (row.minimum, row.maximum) if end is not None]
    return [int(end) if row.kind == "int" else float(end) for end in ends] or [7]


@pytest.mark.parametrize(("model", "row"), EVERY_SETTING)
def test_both_ends_of_every_setting_are_sent_and_taken(
    model: str, row: Setting, fake: Fal, http: Http, tmp_path: Path
) -> None:
    shape = shape_of(model)
    company = {"model": model, **required_values(model), **_company(model, row.name)}
    for value in _ends_of(row):
        values = {**company, row.name: value}
        order(http, tmp_path, views_for(model), **values)
        sent = list(fake.orders.values())[-1].inputs
        own = shape.settings[row.name].get("default")
        assert sent.get(row.name, own) == value
        assert type(sent.get(row.name, value)) in (type(value), float)


def _company(model: str, name: str) -> dict[str, Any]:
    """Return the values of other settings with which one is accepted, and has an effect."""
    shape = shape_of(model)
    needed = {other: values[0] for other, values in shape.requires.get(name, {}).items()}
    for other, values in shape.idle.get(name, {}).items():
        row = shape.settings[other]
        choices = row.get("choices", [True, False])
        needed[other] = next(value for value in choices if value not in values)
    for other in list(needed):
        needed |= _company(model, other)
    return needed


@pytest.mark.parametrize(("model", "row"), EVERY_SETTING)
def test_a_value_beyond_the_end_is_refused(model: str, row: Setting) -> None:
    step = 1 if row.kind == "int" else 0.5
    for end, beyond in ((row.minimum, -step), (row.maximum, step)):
        if end is not None:
            values = {"model": model, **required_values(model), row.name: end + beyond}
            with pytest.raises(InvalidSettings, match=row.name):
                settings_of(None, values)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_every_purpose_is_accepted_with_and_without_asked_settings(
    model: str, purpose: str, fake: Fal, http: Http, tmp_path: Path
) -> None:
    values = {"model": model, "purpose": purpose}
    views = views_for(model)
    order(http, tmp_path, views, **values, **required_values(model))
    if not required_values(model):
        plain = Request(PROVIDER.settings(**values), tuple(picture(tmp_path, v) for v in views))
        PROVIDER.submit(plain, PROVIDER.upload(plain.pictures, http), http)
    sent = [
        {name: value for name, value in item.inputs.items() if name not in _picture_fields(model)}
        for item in fake.orders.values()
    ]
    assert sent[0] == sent[-1]
    expected = {**shape_of(model).purposes.get(purpose, {}), **required_values(model)}
    assert sent[0].items() <= expected.items()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_price_is_the_same_before_and_after_get_settings(model: str, purpose: str) -> None:
    values = {"model": model, "purpose": purpose}
    before = find_price(PROVIDER.prices, PROVIDER.settings(**values))
    after = find_price(PROVIDER.prices, settings_of(None, {**values, **required_values(model)}))
    assert (before and before.amount) == (after and after.amount)


@pytest.mark.parametrize(
    ("values", "amount"),
    [
        ({"model": "fal-ai/triposr"}, 0.07),
        ({"model": "fal-ai/trellis-2", "resolution": "512"}, 0.25),
        ({"model": "fal-ai/trellis-2"}, 0.30),
        ({"model": "fal-ai/trellis-2", "purpose": "hero"}, 0.35),
        ({"model": "fal-ai/trellis-2", "purpose": "hero", "resolution": "1024"}, 0.30),
        ({"model": "fal-ai/hyper3d/rodin/v2", "addons": "HighPack"}, 1.2),
        ({"model": "tripo3d/tripo/v2.5/image-to-3d", "texture": "HD", "quad": True}, 0.45),
        ({"model": "tripo3d/tripo/v2.5/image-to-3d", "texture": "no", "pbr": False}, 0.2),
        ({"model": "fal-ai/hunyuan-3d/v3.1/rapid/image-to-3d", "enable_pbr": True}, 0.375),
        # What depends on the number of images, and what no page states.
        ({"model": "fal-ai/hunyuan-3d/v3.1/pro/image-to-3d"}, None),
        ({"model": "fal-ai/meshy/v6/image-to-3d"}, None),
    ],
)
def test_models_cost_what_their_pages_say(values: dict[str, Any], amount: float | None) -> None:
    price = find_price(PROVIDER.prices, settings_of(None, values))
    assert (price.amount if price else None) == (None if amount is None else pytest.approx(amount))
    if price:
        assert price.source == f"https://fal.ai/models/{values['model']}"


def test_prices_name_settings_that_the_models_have() -> None:
    for price in PROVIDER.prices:
        model = str(price.when["model"])
        for name, values in price.when.items():
            if name in ("model", "purpose"):
                continue
            assert isinstance(values, tuple)
            row = shape_of(model).settings[name]
            assert set(values) <= set(row.get("choices", [True, False])), (model, name)


# -- images


def test_images_go_to_the_storage_without_a_key_for_a_day(
    fake: Fal, http: Http, tmp_path: Path
) -> None:
    order(http, tmp_path)
    [begun] = fake.calls("POST", "/storage/upload/initiate")
    assert begun.json == {"file_name": "front.png", "content_type": "image/png"}
    life = json.loads(begun.headers["x-fal-object-lifecycle-preference"])
    assert life == {"expiration_duration_seconds": 86_400}
    [stored] = fake.calls("PUT", "/upload/.*")
    assert KEY not in repr(stored)
    [sent] = fake.orders.values()
    assert fake.files[sent.inputs["image_url"]] == (tmp_path / "front.png").read_bytes()


@pytest.mark.parametrize("path", ["/storage/upload/initiate", "/upload/.*"])
def test_without_the_storage_the_image_is_part_of_the_order(
    path: str, fake: Fal, http: Http, tmp_path: Path
) -> None:
    from fakes.scenario_state import Fault

    fake.faults += [Fault("POST", path, 500, "", times=99), Fault("PUT", path, 500, "", times=99)]
    order(http, tmp_path)
    [sent] = fake.orders.values()
    assert sent.inputs["image_url"].startswith("data:image/png;base64,")


def test_an_https_address_is_passed_on(fake: Fal, http: Http) -> None:
    cup = Picture("front", "cup", url="https://example.com/cup.png")
    uploaded = PROVIDER.upload((cup,), http)
    PROVIDER.submit(Request(PROVIDER.settings(), (cup,)), uploaded, http)
    [sent] = fake.orders.values()
    assert sent.inputs == {"image_url": cup.url}
    assert not fake.calls("POST", "/storage/.*")
    with pytest.raises(BadImage, match="https"):
        PROVIDER.upload((Picture("front", "cup", url="http://example.com/cup.png"),), http)


def test_images_in_a_list_are_in_the_order_front_left_back_right(
    fake: Fal, http: Http, tmp_path: Path
) -> None:
    model = "tripo3d/h3.1/multiview-to-3d"
    order(http, tmp_path, ("right", "back", "front"), model=model)
    [sent] = fake.orders.values()
    names = [url.rpartition("_")[2] for url in sent.inputs["image_urls"]]
    assert names == ["front.png", "back.png", "right.png"]


@pytest.mark.parametrize(
    ("model", "views", "says"),
    [
        ("fal-ai/hunyuan3d/v2/multi-view", ("front",), "front, left, and back"),
        ("fal-ai/hunyuan3d/v2/multi-view/turbo", ("front", "left"), "front, left, and back"),
        ("tripo3d/h3.1/multiview-to-3d", ("front",), "requires 2 images"),
        ("fal-ai/trellis", ("front", "left"), "single image"),
    ],
)
def test_missing_and_extra_views_are_refused_before_the_order(
    model: str, views: tuple[str, ...], says: str, fake: Fal, http: Http, tmp_path: Path
) -> None:
    with pytest.raises(InvalidSettings, match=says) as caught:
        order(http, tmp_path, views, model=model)
    assert caught.value.hint
    assert not fake.orders


@pytest.mark.parametrize("model", MODELS)
def test_the_panel_offers_the_views_of_the_model(model: str) -> None:
    assert PROVIDER.views_for(PROVIDER.settings(model=model)) == known_models()[model].views


# -- traps and rules


def test_a_scene_without_a_named_subject_is_not_searched_for_a_car(
    fake: Fal, http: Http, tmp_path: Path
) -> None:
    """SAM 3D Objects looks for a car unless the subject is named."""
    cup = picture(tmp_path)
    request = Request(PROVIDER.settings(model="fal-ai/sam-3/3d-objects"), (cup,))
    with pytest.raises(InvalidSettings, match="Subject") as caught:
        PROVIDER.submit(request, Uploaded({"front": "https://example.com/x.png"}), http)
    assert "Get Settings" in caught.value.hint
    assert not fake.orders
    with pytest.raises(InvalidSettings, match="Subject"):
        settings_of(None, {"model": "fal-ai/sam-3/3d-objects"})


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"enable_animation": True}, "Animate requires Rig"),
        ({"enable_pbr": True, "should_texture": False}, "PBR requires Texture"),
    ],
)
def test_what_a_model_refuses_is_refused_here(values: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidSettings, match=says):
        settings_of(None, {"model": "fal-ai/meshy/v6/image-to-3d", **values})


def test_inputs_without_an_effect_are_shown_as_such_and_not_sent(
    fake: Fal, http: Http, tmp_path: Path
) -> None:
    values: dict[str, Any] = {"model": "fal-ai/hunyuan3d-v3/image-to-3d"}
    values |= {"generate_type": "Geometry"}
    values |= {"enable_pbr": True, "polygon_type": "quadrilateral"}
    idle = dict(settings_of(None, values).inactive_fields())
    assert idle.keys() >= {"enable_pbr", "polygon_type"}
    assert "Type" in idle["enable_pbr"]
    order(http, tmp_path, **values)
    [sent] = fake.orders.values()
    assert sent.inputs.keys() == {"input_image_url", "generate_type"}


def test_the_options_of_the_queue_are_headers(fake: Fal, http: Http, tmp_path: Path) -> None:
    order(http, tmp_path)
    order(http, tmp_path, priority="low", start_timeout=60, expiration_duration_seconds=3600)
    plain, chosen = (item.headers for item in fake.orders.values())
    assert not [name for name in plain if name.startswith("x-fal-")]
    assert chosen["x-fal-queue-priority"] == "low"
    assert chosen["x-fal-request-timeout"] == "60.0"
    life = json.loads(chosen["x-fal-object-lifecycle-preference"])
    assert life == {"expiration_duration_seconds": 3600}
