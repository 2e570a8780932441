# SPDX-License-Identifier: GPL-3.0-or-later
"""fal's queue and its results: progress, meshes under any key, cancels, lost orders, balances."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.fal import DONE, KEY, Fal
from fakes.fal_calls import PROVIDER, order, picture, settings_of
from fakes.fal_models import file
from fakes.scenario_state import Fault

from image_to_mesh.providers import (
    BadKey,
    BadMesh,
    Balance,
    CancelOutcome,
    Failed,
    InvalidSettings,
    Progress,
    Request,
    Result,
    Ticket,
    Unreachable,
)
from image_to_mesh.providers._shared.http.client import Http


def result_of(fake: Fal, http: Http, folder: Path, output: Any = None, **values: Any) -> Result:
    """Order a mesh whose result is `output`, and return what the provider makes of it."""
    fake.script, fake.output = (DONE,), output
    answer = PROVIDER.poll(order(http, folder, **values), http)
    assert isinstance(answer, Result)
    return answer


# -- the queue


def test_the_place_in_the_queue_is_shown(fake: Fal, http: Http, tmp_path: Path) -> None:
    ticket = order(http, tmp_path)
    first, second, last = (PROVIDER.poll(ticket, http) for _ in range(3))
    assert first == Progress("Waiting in queue (2 ahead)")
    assert second == Progress("Generating")
    assert isinstance(last, Result)


@pytest.mark.parametrize("position", [0, None, True, "soon", -1])
def test_a_place_that_is_no_number_of_others_is_not_shown(
    position: Any, fake: Fal, http: Http, tmp_path: Path
) -> None:
    fake.position = position
    assert PROVIDER.poll(order(http, tmp_path), http) == Progress("Waiting in queue")


def test_an_unknown_state_is_no_end(fake: Fal, http: Http, tmp_path: Path) -> None:
    fake.script = ("WARMING_UP", DONE)
    ticket = order(http, tmp_path)
    assert PROVIDER.poll(ticket, http) == Progress("Generating")
    assert isinstance(PROVIDER.poll(ticket, http), Result)


def test_the_path_of_the_queue_leaves_out_the_sub_path_of_the_model(
    fake: Fal, http: Http, tmp_path: Path
) -> None:
    ticket = order(http, tmp_path, model="fal-ai/hunyuan3d/v2/turbo")
    assert ticket.data["app"] == "fal-ai/hunyuan3d"
    assert isinstance(PROVIDER.poll(ticket, http), Progress)


@pytest.mark.parametrize(
    "shown",
    ["https://queue.fal.run", "https://evil.example", "http://127.0.0.1:9", "nonsense", ""],
)
def test_the_hosts_of_returned_addresses_are_never_called(
    shown: str, fake: Fal, http: Http, tmp_path: Path
) -> None:
    """The key goes to the service's own host, also if an answer names another one."""
    fake.shown = shown
    ticket = order(http, tmp_path)
    assert shown not in repr(ticket) or not shown
    assert isinstance(PROVIDER.poll(ticket, http), Progress)


def test_the_returned_path_counts_if_it_is_another_one(http: Http) -> None:
    from image_to_mesh.providers._fal.tasks import ticket_of

    longer = "https://queue.fal.run/workflows/me/cup/requests/r-1/status?logs=1"
    assert ticket_of("r-1", "workflows/me/cup/fast", longer).data["app"] == "workflows/me/cup"
    assert ticket_of("r-1", "workflows/me/cup/fast").data["app"] == "workflows/me/cup"
    gateway = "https://gateway.example/fal/fal-ai/alias/requests/r-1/status"
    assert ticket_of("r-1", "fal-ai/a/b", gateway).data["app"] == "fal-ai/alias"
    assert ticket_of("r-1", "fal-ai/a/b", "https://x/../r-1/status").data["app"] == "fal-ai/a"
    assert ticket_of("r-1", "fal-ai/a/b", "https://x/a/b/requests/r-2/status").data["app"] == (
        "fal-ai/a"
    )


# -- results


def mesh_of(fake: Fal, http: Http, folder: Path, output: Any) -> str:
    """Return the name of the mesh file in an output."""
    return result_of(fake, http, folder, output).files[0].url.rpartition("/")[2]


def test_the_mesh_is_found_under_each_key(fake: Fal, http: Http, tmp_path: Path) -> None:
    at = fake.media
    glb = file(at, "x.glb")
    for output, name in [
        ({"model_glb": glb}, "x.glb"),
        ({"model_mesh": glb, "seed": 1}, "x.glb"),
        ({"mesh": glb}, "x.glb"),
        ({"model_urls": {"glb": glb, "fbx": file(at, "x.fbx")}}, "x.glb"),
        ({"model_urls": {"glb": None, "fbx": file(at, "x.fbx")}, "model_glb": None}, "x.fbx"),
        ({"model_mesh": file(at, "all.zip"), "model_glb": glb}, "x.glb"),
        ({"base_model": file(at, "base.glb"), "pbr_model": glb}, "x.glb"),
        ({"rendered_image": file(at, "r.webp"), "model_mesh": file(at, "q.fbx")}, "q.fbx"),
        ({"model_mesh": {"url": f"{at}/files/noname", "file_name": "mesh"}}, "noname"),
        ({"individual_glbs": [glb], "gaussian_splat": file(at, "s.ply")}, "x.glb"),
        ({"data": {"outputs": [{"anything": glb}]}}, "x.glb"),
    ]:
        assert mesh_of(fake, http, tmp_path, output) == name, output


def test_a_real_glb_replaces_an_obj_under_model_glb(fake: Fal, http: Http, tmp_path: Path) -> None:
    obj, extra = file(fake.media, "m.obj"), {"material_mtl": file(fake.media, "m.mtl")}
    both = {"model_glb": obj, "model_urls": {"glb": file(fake.media, "m.glb")}, **extra}
    assert mesh_of(fake, http, tmp_path, both) == "m.glb"
    alone = result_of(fake, http, tmp_path, {"model_glb": obj, "model_urls": {}, **extra})
    assert alone.files[0].format == "obj"
    assert "texture" in alone.notes[0]


def test_a_splat_is_no_mesh(fake: Fal, http: Http, tmp_path: Path) -> None:
    splats = {"gaussian_splat": file(fake.media, "s.ply"), "model_glb": None}
    with pytest.raises(Failed, match="no mesh") as caught:
        result_of(fake, http, tmp_path, splats)
    assert "splat" in caught.value.hint


@pytest.mark.parametrize("output", [{"images": []}, {"model_glb": None, "seed": 3}, {"x": "y"}])
def test_a_result_without_a_mesh_can_be_asked_for_again(
    output: Any, fake: Fal, http: Http, tmp_path: Path
) -> None:
    with pytest.raises(BadMesh, match="no mesh") as caught:
        result_of(fake, http, tmp_path, output)
    assert "dashboard" in caught.value.hint


def test_seed_and_preview_are_kept(fake: Fal, http: Http, tmp_path: Path) -> None:
    result = result_of(fake, http, tmp_path, model="fal-ai/hunyuan3d/v2")
    assert (result.facts["seed"], result.facts["model"]) == (4711, "fal-ai/hunyuan3d/v2")
    assert result.facts["request"] in fake.orders
    output = {"model_glb": file(fake.media, "x.glb"), "thumbnail": file(fake.media, "t.png")}
    mesh, preview = result_of(fake, http, tmp_path, output).files
    assert (mesh.role, preview.role) == ("mesh", "preview")
    assert preview.url.endswith("t.png")


# -- cancelling


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (("IN_QUEUE",), CancelOutcome.FREE),
        (("IN_PROGRESS",), CancelOutcome.UNKNOWN),
        ((DONE,), CancelOutcome.CHARGED),
    ],
)
def test_only_what_still_waits_is_free(
    script: tuple[str, ...], outcome: CancelOutcome, fake: Fal, http: Http, tmp_path: Path
) -> None:
    fake.script = script
    ticket = order(http, tmp_path)
    assert PROVIDER.cancel(ticket, http) is outcome
    assert bool(fake.cancelled) == (script != (DONE,))
    [call] = fake.calls("PUT", ".*/cancel")
    assert call.headers["authorization"] == f"Key {KEY}"


def test_a_failed_request_may_be_charged(fake: Fal, http: Http, tmp_path: Path) -> None:
    fake.script, fake.error = (DONE,), "Out of memory"
    assert PROVIDER.cancel(order(http, tmp_path), http) is CancelOutcome.UNKNOWN


def test_an_unknown_request_and_a_server_in_trouble(fake: Fal, http: Http, tmp_path: Path) -> None:
    ticket = order(http, tmp_path)
    fake.faults.append(Fault("PUT", ".*", 503, "", times=99))
    with pytest.raises(Unreachable):
        PROVIDER.cancel(ticket, http)
    fake.faults.clear()
    fake.orders.clear()
    assert PROVIDER.cancel(ticket, http) is CancelOutcome.UNKNOWN


# -- lost orders


def order_and_find(fake: Fal, http: Http, folder: Path, since: datetime, **values: Any) -> Any:
    """Order a mesh, and look for the order as if its answer had been lost."""
    fake.script = (DONE,)
    pictures = (picture(folder),)
    uploaded = PROVIDER.upload(pictures, http)
    request = Request(settings_of(http, values), pictures)
    ticket = PROVIDER.submit(request, uploaded, http)
    return ticket, PROVIDER.find_order(request, uploaded, since, http)


def test_a_lost_order_is_found_among_others(fake: Fal, http: Http, tmp_path: Path) -> None:
    for _ in range(3):
        order(http, tmp_path)
    ticket, tickets = order_and_find(fake, http, tmp_path, datetime.now(UTC), seed=5)
    assert tickets == (ticket,)
    [call, *_] = fake.calls("GET", "/v1/models/requests/by-endpoint")
    assert (call.query["endpoint_id"], call.query["expand"]) == ("fal-ai/trellis-2", "payloads")


def test_an_order_with_other_inputs_or_of_another_day_is_not_ours(
    fake: Fal, http: Http, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    ticket, tickets = order_and_find(fake, http, tmp_path, now - timedelta(days=1))
    assert tickets == ()
    first = fake.orders[ticket.data["request"]]
    pictures = (picture(tmp_path),)
    uploaded = PROVIDER.upload(pictures, http)
    request = Request(settings_of(http, {"resolution": "512"}), pictures)
    assert PROVIDER.find_order(request, uploaded, now, http) == ()
    fake.orders["other"] = replace(first, id="other", inputs={**first.inputs, "resolution": "512"})
    assert PROVIDER.find_order(request, uploaded, now, http) == ()


def test_a_lost_order_that_still_runs_is_not_listed_yet(
    fake: Fal, http: Http, tmp_path: Path
) -> None:
    pictures = (picture(tmp_path),)
    uploaded, now = PROVIDER.upload(pictures, http), datetime.now(UTC)
    request = Request(PROVIDER.settings(), pictures)
    ticket = PROVIDER.submit(request, uploaded, http)
    assert PROVIDER.find_order(request, uploaded, now, http) == ()
    fake.script = (DONE,)
    assert PROVIDER.find_order(request, uploaded, now, http) == (ticket,)


def test_a_key_that_may_not_list_requests_finds_none(fake: Fal, http: Http, tmp_path: Path) -> None:
    fake.lists = False
    assert order_and_find(fake, http, tmp_path, datetime.now(UTC))[1] == ()


def test_a_request_that_the_user_found_can_be_attached(
    fake: Fal, http: Http, tmp_path: Path
) -> None:
    ticket = order(http, tmp_path)
    settings = PROVIDER.settings()
    assert PROVIDER.attach(f" {ticket.data['request']} ", settings) == ticket
    with pytest.raises(InvalidSettings):
        PROVIDER.attach("a/b", settings)


def test_a_record_without_a_request_is_uncertain(http: Http) -> None:
    with pytest.raises(Exception, match="no task ID"):
        PROVIDER.poll(Ticket({"app": "fal-ai/trellis"}), http)


# -- balances


@pytest.mark.parametrize(
    ("balance", "amount"), [(24.5, 24.5), ("3.25", 3.25), (0, 0.0), (None, None), ("soon", None)]
)
def test_the_balance_is_read(balance: Any, amount: float | None, fake: Fal, http: Http) -> None:
    fake.balance = balance
    told = PROVIDER.balance(http)
    assert told == (None if amount is None else Balance(amount, "USD"))


def test_a_key_that_may_not_read_the_balance_is_still_tested(fake: Fal, http: Http) -> None:
    fake.may_read_billing = False
    assert PROVIDER.balance(http) is None
    assert len(fake.calls("GET", "/v1/models/pricing")) == 1
    fake.faults.append(Fault("GET", "/v1/models/pricing", 403, {"detail": "no"}, times=9))
    with pytest.raises(BadKey):
        PROVIDER.balance(http)


def test_a_wrong_key_is_refused(fake: Fal, http: Http) -> None:
    fake.faults.append(Fault("GET", "/v1/account/billing", 401, {"detail": "Unauthorized"}))
    with pytest.raises(BadKey) as caught:
        PROVIDER.balance(http)
    assert caught.value.link == PROVIDER.key_url
