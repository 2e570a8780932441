# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario: what reaches the wire, pictures in, what is refused before anything is sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.png import png_of
from fakes.scenario_calls import KEYS, PROVIDER, end_of, job_for, order, picture
from fakes.scenario_calls import settings_of as settings_from
from fakes.scenario_model import INPUTS, MODEL
from fakes.scenario_state import BASIC, Fault, ScenarioFake

from image_to_mesh.jobs import Session
from image_to_mesh.providers import (
    BadImage,
    BadReply,
    InvalidSettings,
    Picture,
    Request,
    TimedOut,
    Unreachable,
    settings_of,
)
from image_to_mesh.providers._scenario.uploads import CHUNK, INLINE, POLLS
from image_to_mesh.providers._shared.http.client import Http

SETTINGS = settings_of(PROVIDER.settings)
UNTEXTURED = {"texture": False, "pbr": False}
COMPANIONS: dict[tuple[str, Any], dict[str, Any]] = {
    ("texture", False): {"pbr": False},
    ("generateParts", True): UNTEXTURED,
    ("faceLimit", 2_000_000): {"geometryQuality": "detailed"},
}


def _legal() -> Iterator[Any]:
    """Every setting at each legal choice, numbers at both ends."""
    for setting in SETTINGS:
        values: list[Any] = [choice.value for choice in setting.choices]
        values += [True, False] if setting.kind == "bool" else []
        values += [int(end) for end in (setting.minimum, setting.maximum) if end is not None]
        for value in values:
            yield pytest.param(setting.name, value, id=f"{setting.name}={value}")


@pytest.mark.parametrize(("name", "value"), list(_legal()))
def test_every_choice_arrives_as_it_is_named(
    fake: ScenarioFake, http: Http, tmp_path: Path, name: str, value: Any
) -> None:
    beside = COMPANIONS.get((name, value), {})
    order(fake, http, tmp_path, **beside, **{name: value})
    declared = next(item for item in INPUTS if item["name"] == name)
    wanted = dict(beside) if value == declared.get("default") else {**beside, name: value}
    [sent] = fake.submits
    image = sent.pop("image")
    assert image in fake.assets
    assert json.dumps(sent, sort_keys=True) == json.dumps(wanted, sort_keys=True)
    [call] = fake.calls("POST", "/generate/.*")
    assert (call.path, call.query) == (f"/generate/custom/{MODEL}", {})


def test_at_defaults_only_the_picture_is_sent(
    fake: ScenarioFake, http: Http, tmp_path: Path
) -> None:
    ticket = order(fake, http, tmp_path)
    assert [set(body) for body in fake.submits] == [{"image"}]
    assert ticket.data == {"job": "job_" + "1".zfill(24), "quad": False, "cost": 40.0}
    assert {request.headers["authorization"] for request in fake.requests} <= {f"Basic {BASIC}"}


def test_settings_are_the_model_s_own_inputs() -> None:
    inputs = {item["name"]: item for item in INPUTS if item["name"] != "image"}
    # In an order of our own: what belongs together is drawn together.
    assert sorted(setting.name for setting in SETTINGS) == sorted(inputs)
    kinds = {"bool": "boolean", "enum": "string", "int": "number"}
    for setting in SETTINGS:
        declared = inputs[setting.name]
        assert kinds[setting.kind] == declared["type"], setting.name
        assert setting.default == declared.get("default"), setting.name
        assert [choice.value for choice in setting.choices] == declared.get("allowedValues", [])


@pytest.mark.parametrize(
    "values",
    [
        {"smartLowPoly": True, "faceLimit": 1000},
        {"smartLowPoly": True, "faceLimit": 20_000},
        {"smartLowPoly": True, "quad": True, "faceLimit": 500},
        {"smartLowPoly": True, "quad": True, "faceLimit": 10_000},
        {"quad": True, "faceLimit": 150_000},
        {"faceLimit": 1_500_000},
        {"pbr": False},
        {"texture": False, "pbr": False},
    ],
    ids=str,
)
def test_the_service_accepts_all_settings_that_the_rules_allow(
    fake: ScenarioFake, http: Http, tmp_path: Path, values: dict[str, Any]
) -> None:
    order(fake, http, tmp_path, **values)
    assert values.items() <= fake.submits[0].items()


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"texture": False}, "texture", "PBR"),
    ({"generateParts": True}, "generateParts", "Texture, PBR, and Quads"),
    ({"generateParts": True, "texture": False}, "generateParts", "off"),
    ({"generateParts": True, "pbr": False}, "generateParts", "off"),
    ({"generateParts": True, **UNTEXTURED, "quad": True}, "generateParts", "off"),
    ({"smartLowPoly": True, "faceLimit": 999}, "faceLimit", "1000 to 20000"),
    ({"smartLowPoly": True, "faceLimit": 20_001}, "faceLimit", "Smart Low Poly"),
    ({"smartLowPoly": True, "quad": True, "faceLimit": 499}, "faceLimit", "500 to 10000"),
    ({"smartLowPoly": True, "quad": True, "faceLimit": 10_001}, "faceLimit", "and Quads"),
    ({"quad": True, "faceLimit": 150_001}, "faceLimit", "1 to 150000"),
    ({"faceLimit": 1_500_001}, "faceLimit", "1 to 1500000"),
]


@pytest.mark.parametrize(("values", "field", "words"), BROKEN, ids=lambda item: str(item)[:60])
def test_a_broken_rule_is_refused_before_anything_is_sent(
    fake: ScenarioFake,
    http: Http,
    tmp_path: Path,
    values: dict[str, Any],
    field: str,
    words: str,
) -> None:
    with pytest.raises(InvalidSettings, match=words) as caught:
        settings_from(**values)
    assert field in caught.value.hint
    settings = PROVIDER.settings(**values)
    assert [name for name, _ in settings.rules()] == [field]
    with pytest.raises(InvalidSettings):
        PROVIDER.quote(Request(settings, ()), http)
    session = Session()
    view = end_of(session, session.start(job_for(fake, tmp_path, settings=settings)))
    session.close(2.0)
    assert view.failure is not None
    assert view.failure.kind == "invalid_settings"
    assert not fake.requests, "a request was sent"


def test_settings_without_effect_are_reported_and_not_sent(
    fake: ScenarioFake, http: Http, tmp_path: Path
) -> None:
    values = {**UNTEXTURED, "textureQuality": "extreme", "textureSeed": 7}
    values["textureAlignment"] = "geometry"
    unused = [name for name, _ in PROVIDER.settings(**values).inactive_fields()]
    assert unused == ["textureQuality", "textureAlignment", "textureSeed"]
    assert not list(PROVIDER.settings(textureSeed=7).inactive_fields())
    order(fake, http, tmp_path, **values)
    assert set(fake.submits[0]) == {"image", "texture", "pbr"}


# -- pictures in


def test_a_small_image_is_sent_inline(fake: ScenarioFake, http: Http, tmp_path: Path) -> None:
    image = picture(tmp_path)
    [asset] = PROVIDER.upload((image,), http).data.values()
    assert fake.files[asset] == image.data()
    [call] = fake.requests
    assert (call.method, call.path) == ("POST", "/assets")
    text = base64.b64encode(image.data()).decode()
    assert call.json == {"name": "cup.png", "image": f"data:image/png;base64,{text}"}


@pytest.mark.parametrize(
    ("more", "paths"), [(0, {"/assets"}), (1, {"/uploads"})], ids=["at the limit", "beyond"]
)
def test_a_picture_is_inline_up_to_three_and_a_half_megabytes(
    fake: ScenarioFake, http: Http, tmp_path: Path, more: int, paths: set[str]
) -> None:
    head = png_of(64, 48)
    image = picture(tmp_path, head + bytes(3_500_000 - len(head) + more))
    PROVIDER.upload((image,), http)
    assert INLINE == 3_500_000
    assert {call.path for call in fake.calls("POST", "/(assets|uploads)")} == paths


def test_a_large_image_is_uploaded_in_chunks_without_the_key(
    fake: ScenarioFake, http: Http, tmp_path: Path, pauses: list[float]
) -> None:
    image = picture(tmp_path, png_of(64, 48) + bytes(range(256)) * 40_000)
    [asset] = PROVIDER.upload((image,), http).data.values()
    assert fake.files[asset] == image.data()
    begin, complete = fake.calls("POST", "/uploads.*")
    assert begin.json == {
        "fileName": "cup.png",
        "fileSize": len(image.data()),
        "contentType": "image/png",
        "kind": "image",
        "parts": 2,
    }
    assert complete.json == {"action": "complete"}
    chunks = [call for call in fake.requests if call.method == "PUT"]
    assert [len(part.body) for part in chunks] == [CHUNK, len(image.data()) - CHUNK]
    assert {part.host for part in chunks} <= {"storage"}
    assert [part.path for part in chunks if "authorization" in part.headers] == []
    assert pauses == [1.5] * 3


def test_an_image_url_is_sent_as_a_url(fake: ScenarioFake, http: Http) -> None:
    image = Picture("front", "cup", url="https://pictures.example/cup.png")
    assert PROVIDER.takes_urls, "the provider takes no addresses"
    [asset] = PROVIDER.upload((image,), http).data.values()
    assert asset in fake.assets
    [begin] = fake.calls("POST", "/uploads.*")
    assert begin.json == {"url": "https://pictures.example/cup.png", "kind": "image"}


def test_the_asset_of_an_upload_may_stand_in_its_job(fake: ScenarioFake, http: Http) -> None:
    fake.upload_names_job = True
    image = Picture("front", "cup", url="https://pictures.example/cup.png")
    assert PROVIDER.upload((image,), http).data["front"] in fake.assets


def _large(folder: Path) -> Picture:
    return picture(folder, png_of(64, 48) + bytes(4_000_000))


IMPORTED = {"id": "upload_0", "status": "imported", "entityId": None, "jobId": None}
FAULTY_UPLOADS: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("failed", {"upload_script": ("validating", "failed")}, BadImage, "not an image"),
    ("endless", {"upload_script": ("validating",)}, TimedOut, "in time"),
    (
        "no parts",
        {"faults": [Fault("POST", "/uploads", 200, {"upload": {"id": "upload_0", "parts": []}})]},
        BadReply,
        "all upload URLs",
    ),
    (
        "storage refuses",
        {"faults": [Fault("PUT", "/parts/.*", 403, "<Error/>")]},
        Unreachable,
        "storage returned status 403",
    ),
    (
        "not complete",
        {"faults": [Fault("PUT", "/parts/.*", 200, b"")]},
        BadImage,
        r"Parts are missing \(request ID tr_1\)",
    ),
    (
        "no asset",
        {
            "faults": [
                Fault("GET", "/uploads/.*", 200, {"upload": {"id": "u", "status": "imported"}})
            ]
        },
        BadReply,
        "no asset ID",
    ),
]


@pytest.mark.parametrize(
    ("state", "kind", "words"),
    [pytest.param(*row[1:], id=row[0]) for row in FAULTY_UPLOADS],
)
def test_each_upload_failure_becomes_its_error(
    fake: ScenarioFake,
    http: Http,
    tmp_path: Path,
    pauses: list[float],
    state: dict[str, Any],
    kind: type[Exception],
    words: str,
) -> None:
    for name, value in state.items():
        setattr(fake, name, value)
    with pytest.raises(kind, match=words):
        PROVIDER.upload((_large(tmp_path),), http)
    assert len(pauses) <= POLLS


def test_an_upload_completion_without_an_answer_counts(
    fake: ScenarioFake, http: Http, tmp_path: Path
) -> None:
    fake.faults.append(Fault("POST", "/uploads/.*/action", drop="after"))
    assert PROVIDER.upload((_large(tmp_path),), http).data["front"] in fake.assets
    assert len(fake.calls("POST", "/uploads/.*/action")) == 2


def test_a_failed_chunk_is_uploaded_again(fake: ScenarioFake, http: Http, tmp_path: Path) -> None:
    fake.faults += [Fault("PUT", "/parts/.*", drop="before"), Fault("PUT", "/parts/.*", 503, "")]
    assert PROVIDER.upload((_large(tmp_path),), http).data["front"] in fake.assets


@pytest.mark.parametrize("format_", sorted(PROVIDER.formats))
def test_every_image_format_gets_its_media_type(
    fake: ScenarioFake, http: Http, tmp_path: Path, format_: str
) -> None:
    heads = {"png": png_of(8, 8), "jpeg": b"\xff\xd8", "webp": b"RIFF", "tiff": b"II*\0"}
    image = picture(tmp_path)
    assert image.path is not None
    assert image.info is not None
    image.path.write_bytes(heads[format_])
    info = type(image.info)(format_, 8, 8)
    PROVIDER.upload((Picture("front", "cup", image.path, info=info),), http)
    assert fake.requests[0].json["name"] == f"cup.{format_}"
    assert fake.requests[0].json["image"].startswith(f"data:image/{format_};base64,")


def test_the_keys_are_one_user_and_password() -> None:
    assert PROVIDER.headers(KEYS) == {"Authorization": f"Basic {BASIC}"}
    names = [(key.preference, key.environment, key.title) for key in PROVIDER.keys]
    assert names == [
        ("scenario_api_key", "SCENARIO_SDK_API_KEY", "API Key"),
        ("scenario_api_secret", "SCENARIO_SDK_API_SECRET", "API Secret"),
    ]
    assert PROVIDER.address is not None
    assert PROVIDER.address.environment == "SCENARIO_BASE_URL"
    assert PROVIDER.address.default == "https://api.cloud.scenario.com/v1"
