# SPDX-License-Identifier: GPL-3.0-or-later
"""`triposr` of AI/ML API against its fake: settings, answers, refusals, the sample program."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import aiml_samples as samples
from fakes.aiml import KEY, REQUEST, SHAPES, Aiml, Fault, classic
from fakes.aiml_cases import AGAIN, ERRORS, Row, connection, order
from fakes.glb import triangle_glb

from image_to_mesh.providers import (
    Balance,
    CancelOutcome,
    ImageToMeshError,
    InvalidSettings,
    Picture,
    Provider,
    Request,
    Result,
    Setting,
    Ticket,
    Uploaded,
    get_provider,
    settings_of,
)
from image_to_mesh.providers._shared.adapters import parse_settings
from image_to_mesh.providers._shared.http.reply import Reply

PROVIDER: Provider[Any] = get_provider("aiml_triposr")
SETTINGS = settings_of(PROVIDER.settings)


def _legal(setting: Setting) -> list[Any]:
    """Return the values of a setting to try: each choice, or both ends of its range."""
    if setting.kind == "bool":
        return [True, False]
    if setting.choices:
        return [choice.value for choice in setting.choices]
    kind = int if setting.kind == "int" else float
    return [kind(end) for end in (setting.minimum, setting.maximum) if end is not None]


LEGAL = [(setting.name, value) for setting in SETTINGS for value in _legal(setting)]


def test_every_documented_setting_is_declared() -> None:
    declared = {item.name: (item.default, item.minimum, item.maximum) for item in SETTINGS}
    assert [item.name for item in SETTINGS if item.optional] == ["do_remove_background"]
    assert declared == {
        "output_format": ("glb", None, None),
        "do_remove_background": (None, None, None),
        "foreground_ratio": (0.9, 0.5, 1.0),
        "mc_resolution": (256, 32, 1024),
    }
    assert len(LEGAL) == 8


@pytest.mark.parametrize(("name", "value"), LEGAL)
def test_setting_arrives_with_name_type_and_value(
    aiml: Aiml, cup: Picture, name: str, value: Any
) -> None:
    order(PROVIDER, aiml, cup, **{name: value})
    default = getattr(PROVIDER.settings(), name)
    more = {} if value == default else {name: value}
    assert {key: aiml.orders[0][key] for key in more} == more
    assert set(aiml.orders[0]) == {"model", "image_url", *more}
    assert {key: type(aiml.orders[0][key]) for key in more} == {key: type(value) for key in more}


def test_default_settings_send_only_required_fields(aiml: Aiml, cup: Picture, png: bytes) -> None:
    order(PROVIDER, aiml, cup)
    address = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    assert aiml.orders == [{"model": "triposr", "image_url": address}]


def test_a_picture_given_as_address_goes_as_it_is(aiml: Aiml) -> None:
    order(PROVIDER, aiml, Picture("front", "cup", url="https://example.com/a%20cup.png?x=1"))
    assert aiml.orders[0]["image_url"] == "https://example.com/a%20cup.png?x=1"
    assert PROVIDER.takes_urls, "the provider takes no addresses"


@pytest.mark.parametrize(
    "values",
    [
        {"mc_resolution": "31"},
        {"mc_resolution": "1025"},
        {"mc_resolution": "256.5"},
        {"foreground_ratio": "0.49"},
        {"foreground_ratio": "1.01"},
        {"output_format": "stl"},
        {"do_remove_background": "perhaps"},
        {"image_url": "https://example.com/a.png"},
        {"model": "triposr"},
    ],
    ids=str,
)
def test_illegal_values_are_refused_before_anything_is_sent(
    aiml: Aiml, values: dict[str, str]
) -> None:
    with pytest.raises(InvalidSettings, match=next(iter(values))) as caught:
        parse_settings(PROVIDER.settings, values)
    assert caught.value.hint, "the error has no hint"
    assert not aiml.requests, "a request was sent"


def test_ratio_is_grayed_where_nothing_is_cut_out() -> None:
    names = [name for name, _ in PROVIDER.settings(do_remove_background=False).inactive_fields()]
    assert names == ["foreground_ratio"]
    for kept in (True, None):
        assert not list(PROVIDER.settings(do_remove_background=kept).inactive_fields())


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_an_answer_is_read(
    aiml: Aiml, cup: Picture, shape: str, status: int
) -> None:
    aiml.shape, aiml.status = shape, status
    ticket = order(PROVIDER, aiml, cup)
    result = PROVIDER.poll(Ticket(ticket.data), None)
    assert isinstance(result, Result)
    (mesh,) = result.files
    within = shape in ("data_b64", "data_prefixed", "data_address")
    assert dict(ticket.files) == ({"mesh.glb": aiml.mesh} if within else {})
    assert (mesh.role, mesh.format, mesh.file) == ("mesh", "glb", "mesh.glb" if within else None)
    assert mesh.url.startswith("" if within else f"{aiml.files_url}/flamingo/files/b/obuml")
    assert "base64" not in repr(ticket.data)
    assert result.credits == (1 if shape == "spent" else 182000)
    assert result.facts["request_id"] == REQUEST
    assert result.facts.get("usd_spent") == (0.091 if shape == "spent" else None)


@pytest.mark.parametrize(
    ("mesh", "name"),
    [
        (triangle_glb(), "mesh.glb"),
        (b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "mesh.obj"),
        (b"Kaydara FBX Binary  \0", "mesh.fbx"),
    ],
    ids=["glb", "obj", "fbx"],
)
def test_a_mesh_within_the_answer_is_named_by_its_format(
    aiml: Aiml, cup: Picture, mesh: bytes, name: str
) -> None:
    aiml.mesh, aiml.shape = mesh, "data_b64"
    assert order(PROVIDER, aiml, cup).files == {name: mesh}


def test_a_bundle_beside_an_obj_is_reported_and_its_address_kept(aiml: Aiml, cup: Picture) -> None:
    aiml.shape = "bundle"
    result = PROVIDER.poll(order(PROVIDER, aiml, cup, output_format="obj"), None)
    assert isinstance(result, Result)
    assert result.files[0].format == "obj"
    assert "bundle" in result.notes[0]
    assert str(result.facts["remeshing_dir"]).startswith(f"{aiml.files_url}/flamingo")


def test_a_bundle_alone_is_the_mesh(aiml: Aiml, cup: Picture) -> None:
    aiml.shape = "bundle_alone"
    result = PROVIDER.poll(order(PROVIDER, aiml, cup, output_format="obj"), None)
    assert isinstance(result, Result)
    assert "abc_bundle.zip?" in result.files[0].url
    assert result.notes == ()


def test_request_is_traced_by_an_id_of_its_own(aiml: Aiml, cup: Picture) -> None:
    tickets = [order(PROVIDER, aiml, cup) for _ in range(2)]
    sent = [request.headers["x-client-request-id"] for request in aiml.requests]
    assert [ticket.data["facts"]["client_request_id"] for ticket in tickets] == sent
    assert len(set(sent)) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", item) for item in sent)


def test_lost_answer_names_the_id_that_was_sent(aiml: Aiml, cup: Picture) -> None:
    aiml.faults["generate"] = [Fault(0, taken=True)]
    with pytest.raises(ImageToMeshError) as caught:
        order(PROVIDER, aiml, cup)
    assert aiml.requests[0].headers["x-client-request-id"] in caught.value.hint


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: row.name)
def test_refusal_becomes_its_error(aiml: Aiml, cup: Picture, row: Row) -> None:
    body = row.fault.body
    if isinstance(body, dict):
        body = _with_model(body, PROVIDER.id.removeprefix("aiml_"))
    aiml.faults["generate"] = [replace(row.fault, body=body)] * 5
    with pytest.raises(ImageToMeshError) as caught:
        order(PROVIDER, aiml, cup)
    error = caught.value
    assert (error.kind, error.link) == (row.kind, row.link)
    assert row.says in error.message
    assert "<" not in error.message
    assert row.hint in error.hint
    assert KEY not in "".join(traceback.format_exception(error))
    again = row.fault.status == 429 and row.fault.body and "Retry" not in row.hint
    assert aiml.posts() == (5 if again and "900" not in row.hint else 1)
    assert len(aiml.orders) == int(row.fault.taken)


def _with_model(value: Any, model: str) -> Any:
    """Put the model's name in where a message quotes it."""
    if isinstance(value, dict):
        return {name: _with_model(item, model) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_model(item, model) for item in value]
    return value.replace("{model}", model) if isinstance(value, str) else value


def test_errors_quote_the_service_and_its_request_id(aiml: Aiml, cup: Picture) -> None:
    aiml.credits = False
    with pytest.raises(ImageToMeshError, match="run out of credits") as caught:
        order(PROVIDER, aiml, cup)
    assert f"(request ID {REQUEST})" in caught.value.message


def test_a_refused_inline_picture_suggests_sending_an_address(aiml: Aiml, cup: Picture) -> None:
    aiml.inline = False
    with pytest.raises(ImageToMeshError) as caught:
        order(PROVIDER, aiml, cup)
    assert caught.value.kind == "bad_image"
    assert "public https URL" in caught.value.hint
    aiml.faults["generate"] = [Fault(400, classic(400, "image_url: cannot be downloaded"))]
    with pytest.raises(ImageToMeshError) as caught:
        order(PROVIDER, aiml, Picture("front", "cup", url="https://example.com/a.png"))
    assert caught.value.kind == "bad_image"
    assert "Check that the image's URL is public" in caught.value.hint


def test_a_model_that_is_switched_off_is_reported(aiml: Aiml, cup: Picture) -> None:
    aiml.models = ("magic/image-to-3d",)
    with pytest.raises(ImageToMeshError, match="received 'triposr'") as caught:
        order(PROVIDER, aiml, cup)
    assert (caught.value.kind, "no longer be available" in caught.value.hint) == ("failed", True)


def test_a_submit_waits_as_long_as_the_service_asks(aiml: Aiml, cup: Picture) -> None:
    told = Fault(429, classic(429, "Too Many Requests"), {"Retry-After": "7"})
    aiml.faults["generate"] = [told, Fault(429, "slow down"), Fault(429, "slow down")]
    pauses: list[float] = []
    order(PROVIDER, aiml, cup, pauses=pauses)
    assert pauses[0] == 7.0
    assert 0.5 < pauses[1] < pauses[2]
    assert (aiml.posts(), len(aiml.orders)) == (4, 1)
    assert len({request.headers["x-client-request-id"] for request in aiml.requests}) == 1


class _Ear:
    """Records the path and the options of a submit's request."""

    def __init__(self) -> None:
        self.heard: dict[str, Any] = {}

    def submit(self, path: str, **how: Any) -> Reply:
        """Answer at once."""
        self.heard = {"path": path, **how}
        body = {"model_mesh": {"url": "https://example.com/model.glb"}}
        return Reply(200, {}, "{}", body)


@pytest.mark.parametrize(("provider", "least"), [("aiml_triposr", 120), ("aiml_magic", 300)])
def test_answer_is_waited_for_long_enough_and_may_carry_a_mesh(
    cup: Picture, provider: str, least: int
) -> None:
    ear: Any = _Ear()
    chosen = get_provider(provider)
    chosen.submit(Request(chosen.settings(), (cup,)), Uploaded(), ear)
    assert ear.heard["path"] == "/v1/images/generations"
    assert ear.heard["timeout"] >= least
    assert ear.heard["limit"] > 100_000_000
    assert chosen.deadline > ear.heard["timeout"]


def test_a_paid_order_survives_an_odd_price_or_ticket(aiml: Aiml) -> None:
    with pytest.raises(ImageToMeshError, match="ticket") as caught:
        PROVIDER.poll(Ticket({"facts": 3}), None)
    assert caught.value.kind == "bad_reply"
    assert PROVIDER.cancel(Ticket({}), None) is CancelOutcome.CHARGED


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({}, Balance(123.45, "USD")),
        ({"/v2/billing": [Fault(404, "")]}, Balance(42_000_000.0)),
        ({"/v2/billing": [Fault(403, classic(403, "no scope"))]}, Balance(42_000_000.0)),
        ({"/v2/billing": [Fault(200, {"current_balance": "7.5"})]}, Balance(7.5, "USD")),
        ({"/v2/billing": [Fault(502, ""), Fault(0)]}, Balance(123.45, "USD")),
    ],
)
def test_the_balance_is_read(aiml: Aiml, faults: dict[str, list[Fault]], expected: Balance) -> None:
    aiml.faults = faults
    with connection(aiml, []) as http:
        assert PROVIDER.balance(http) == expected
    assert aiml.posts() == 0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(401, classic(401, "bad")), "bad_key"),
        (Fault(500, classic(500, "Internal server error")), "unreachable"),
        (Fault(502, "<html></html>"), "unreachable"),
        (Fault(0), "unreachable"),
        (Fault(200, "<html></html>"), "bad_reply"),
        (Fault(200, {"balance": 3}), "bad_reply"),
        (Fault(200, classic(401, "bad")), "bad_key"),
        (Fault(429, "wait"), "rate_limited"),
    ],
)
def test_a_refused_balance_request_is_an_error(aiml: Aiml, fault: Fault, kind: str) -> None:
    aiml.faults["/v2/billing"] = [fault] * 5
    with connection(aiml, []) as http, pytest.raises(ImageToMeshError) as caught:
        PROVIDER.balance(http)
    assert caught.value.kind == kind


def test_a_wrong_key_is_detected_without_cost(aiml: Aiml) -> None:
    with connection(aiml, [], "wrong-key") as http, pytest.raises(ImageToMeshError) as caught:
        PROVIDER.balance(http)
    assert caught.value.kind == "bad_key"
    assert aiml.posts() == 0


def test_sample_program_of_the_documentation_agrees(aiml: Aiml, tmp_path: Path) -> None:
    picture = f"{aiml.files_url}/mushroom.jpg"
    ours = {samples.ADDRESS: aiml.url, samples.PICTURE: picture, samples.KEY: KEY}
    program = samples.TRIPOSR
    for theirs, own in ours.items():
        program = program.replace(theirs, own)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=30)
    assert (tmp_path / "model.glb").read_bytes() == aiml.mesh
    order(PROVIDER, aiml, Picture("front", "mushroom", url=picture))
    theirs_body, our_body = aiml.orders
    assert our_body == theirs_body
    names = ("authorization", "content-type")
    first, second = ({name: request.headers[name] for name in names} for request in aiml.requests)
    assert first == second


def test_only_polling_requests_are_repeated() -> None:
    waiting = {row.kind for row in ERRORS if row.fault.status == 429 and row.fault.body}
    assert waiting == set(AGAIN)
