# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshy's tasks: progress, results that live three days, ends, cancellation, lost orders."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes.meshy import LIFE, Meshy
from fakes.meshy_calls import (
    DELETE,
    LIST,
    POLL,
    PROVIDER,
    VIEWS,
    order,
    picture,
    request_of,
    settings,
)
from fakes.tripo_server import Fault

from image_to_mesh.providers import (
    BadMesh,
    Balance,
    Banned,
    CancelOutcome,
    Expired,
    Failed,
    Progress,
    RateLimited,
    Ticket,
    Unreachable,
    Uploaded,
)
from image_to_mesh.providers._shared.http.client import Http

DONE: list[dict[str, Any]] = [{"status": "SUCCEEDED", "progress": 100}]


@pytest.fixture
def ticket(http: Http, tmp_path: Path) -> Ticket:
    """A task that was ordered."""
    return order(http, tmp_path)


def poll(http: Http, ticket: Ticket) -> Any:
    """Poll a task once."""
    return PROVIDER.poll(ticket, http)


@pytest.mark.parametrize("views", [("front",), VIEWS])
def test_a_task_goes_from_the_queue_to_its_result(
    fake: Meshy, http: Http, tmp_path: Path, views: tuple[str, ...]
) -> None:
    ticket = order(http, tmp_path, views)
    assert poll(http, ticket) == Progress("Waiting in queue", 0.0)
    assert poll(http, ticket) == Progress("Generating", 0.4)
    result = poll(http, ticket)
    (task,) = fake.creates
    assert [(file.role, file.format) for file in result.files] == [
        ("mesh", "glb"),
        ("preview", "png"),
    ]
    assert (result.credits, result.facts) == (30.0, {"task": task.id})
    assert fake.calls(POLL)[-1].path == f"/openapi/v1/{task.kind}/{task.id}"
    assert ticket.data == {"task": task.id, "kind": task.kind}


def test_quads_come_as_fbx(fake: Meshy, http: Http, tmp_path: Path) -> None:
    fake.states = DONE
    result = poll(http, order(http, tmp_path, should_remesh=True, topology="quad"))
    assert result.files[0].format == "fbx"


STATUSES: list[tuple[dict[str, Any], Progress]] = [
    ({"status": "pending", "progress": None}, Progress("Waiting in queue")),
    ({"status": "IN_PROGRESS", "progress": 100}, Progress("Generating", 1.0)),
    ({"status": "IN_PROGRESS", "progress": "40"}, Progress("Generating", 0.4)),
    ({"status": "IN_PROGRESS", "progress": 140}, Progress("Generating", 1.0)),
    ({"status": "IN_PROGRESS", "progress": -1}, Progress("Generating", 0.0)),
    ({"status": "DREAMING", "progress": 7}, Progress("Generating", 0.07)),
    ({"status": "", "model_urls": None, "new": [1]}, Progress("Generating", 0.0)),
]


@pytest.mark.parametrize(("state", "progress"), STATUSES)
def test_states_that_are_not_final_are_polled(
    fake: Meshy, http: Http, ticket: Ticket, state: dict[str, Any], progress: Progress
) -> None:
    fake.states = [state]
    assert poll(http, ticket) == progress


def failure_state(message: str = "their own words.", **error: str) -> dict[str, Any]:
    """Return the state of a task that failed."""
    return {"status": "FAILED", "task_error": {"message": message, **error}}


ENDS: list[tuple[dict[str, Any], type[Failed], str, str]] = [
    # Both spellings of the end of a task that was canceled.
    ({"status": "CANCELED"}, Failed, "canceled at Meshy", "Generate again"),
    ({"status": "CANCELLED"}, Failed, "canceled at Meshy", "Generate again"),
    ({"status": "canceled"}, Failed, "canceled at Meshy", "Generate again"),
    ({"status": "EXPIRED"}, Expired, "three days", "Generate again"),
    (failure_state(type="invalid_input"), Failed, r"their own words\. ", "Try another image"),
    (failure_state(type="invalid_input", code="image_too_complex"), Failed, "own words", "simpler"),
    (
        failure_state(type="invalid_input", code="moderation_blocked"),
        Banned,
        "own words",
        "another image",
    ),
    (failure_state("Content does not pass safety filters"), Banned, "safety", "Use another image"),
    (failure_state(type="timeout"), Expired, "own words", "Generate again"),
    (failure_state(type="server_error", code="timeout"), Expired, "own words", "Generate again"),
    (failure_state(type="service_unavailable"), Failed, "own words", "Generate again later"),
    (failure_state(type="server_error"), Failed, "own words", "Generate again later"),
    (failure_state(code="format_conversion_failed"), Failed, "own words", "Topology"),
    (failure_state(type="new", code="newer"), Failed, "own words", "does not charge"),
    (failure_state(""), Failed, "could not generate the mesh", "does not charge"),
    ({"status": "FAILED", "task_error": None}, Failed, "could not generate", "Try another"),
    ({"status": "Failed"}, Failed, "could not generate", "Try another"),
]


@pytest.mark.parametrize(("state", "kind", "sentence", "hint"), ENDS)
def test_every_end_without_a_mesh_is_its_error(
    fake: Meshy,
    http: Http,
    ticket: Ticket,
    state: dict[str, Any],
    kind: type[Failed],
    sentence: str,
    hint: str,
) -> None:
    fake.states = [state]
    with pytest.raises(kind, match=sentence) as caught:
        poll(http, ticket)
    assert type(caught.value) is kind
    assert hint in caught.value.hint
    assert str(ticket.data["task"]) not in caught.value.message, "it is for Copy Error"
    if state["status"].upper() == "FAILED":
        assert "does not charge" in caught.value.hint
    if state["status"] != "EXPIRED":
        assert PROVIDER.cancel(ticket, http) is CancelOutcome.FREE
        assert fake.calls(DELETE) == []


# -- results ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("urls", "ending"),
    [
        ({"glb": "https://a.example/m.glb", "fbx": "https://a.example/m.fbx"}, "glb"),
        # Formats that were not made are missing, or empty in older answers.
        ({"fbx": "https://a.example/m.fbx"}, "fbx"),
        ({"glb": "", "obj": "https://a.example/m.obj"}, "obj"),
        ({"glb": None, "stl": "https://a.example/m.stl"}, "stl"),
        ({"pre_remeshed_glb": "https://a.example/m.glb", "usdz": "https://a.example/m"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_mesh_is_the_first_format_that_blender_reads(
    fake: Meshy, http: Http, ticket: Ticket, urls: Any, ending: str | None
) -> None:
    fake.states = [{"status": "SUCCEEDED", "model_urls": urls, "thumbnail_url": None}]
    if ending is None:
        with pytest.raises(BadMesh, match="no download URL"):
            poll(http, ticket)
        return
    (mesh,) = poll(http, ticket).files
    assert (mesh.url, mesh.format) == (urls[ending], ending)


def test_results_are_gone_after_three_days(fake: Meshy, http: Http, ticket: Ticket) -> None:
    fake.states, fake.now = DONE, LIFE - 60
    assert poll(http, ticket).files
    fake.now = LIFE + 60
    with pytest.raises(Expired, match="three days") as caught:
        poll(http, ticket)
    assert "Generate again" in caught.value.hint


def test_a_finished_task_whose_files_are_gone_has_expired(
    fake: Meshy, http: Http, ticket: Ticket
) -> None:
    gone = {"status": "SUCCEEDED", "model_urls": {}, "expires_at": int(time.time() - 5) * 1000}
    fake.states = [gone]
    with pytest.raises(Expired, match="three days"):
        poll(http, ticket)


def test_fresh_links_are_requested(fake: Meshy, http: Http, ticket: Ticket) -> None:
    fake.states = DONE
    assert poll(http, ticket).files != poll(http, ticket).files


def test_credits_are_those_that_were_consumed(fake: Meshy, http: Http, ticket: Ticket) -> None:
    fake.states = [{**DONE[0], "consumed_credits": "35"}]
    assert poll(http, ticket).credits == 35.0


@pytest.mark.parametrize(("held", "shown"), [(1000, 1000.0), ("12.5", 12.5), (0, 0.0)])
def test_the_balance_is_in_credits(fake: Meshy, http: Http, held: Any, shown: float) -> None:
    fake.balance = held
    assert PROVIDER.balance(http) == Balance(shown, "Credits")


# -- ids -------------------------------------------------------------------------------------


@pytest.mark.parametrize("views", [("front",), ("front", "back")])
def test_an_attached_task_of_either_kind_is_found(
    fake: Meshy, http: Http, tmp_path: Path, views: tuple[str, ...]
) -> None:
    ordered = order(http, tmp_path, views)
    attached = PROVIDER.attach(f" {ordered.data['task']} ", settings())
    assert attached.data == {"task": ordered.data["task"]}
    fake.states = DONE
    assert poll(http, attached).files
    with pytest.raises(Expired, match="no longer has this task"):
        poll(http, PROVIDER.attach("nobodys-task", settings()))


def test_a_task_is_asked_for_by_its_id_alone(fake: Meshy, http: Http) -> None:
    with pytest.raises(Expired):
        poll(http, Ticket({"task": "../balance?x=1", "kind": "image-to-3d"}))
    assert fake.requests[-1].path.endswith("image-to-3d/..%2Fbalance%3Fx%3D1")


def test_a_kind_that_a_record_made_up_is_not_called(fake: Meshy, http: Http) -> None:
    with pytest.raises(Expired):
        poll(http, Ticket({"task": "x", "kind": "../../v2/text-to-3d"}))
    assert not fake.calls("text-to-3d")


# -- cancel ----------------------------------------------------------------------------------


def test_a_waiting_task_is_deleted_and_costs_nothing(
    fake: Meshy, http: Http, ticket: Ticket
) -> None:
    fake.states = [{"status": "PENDING"}]
    assert fake.balance == 970
    assert PROVIDER.cancel(ticket, http) is CancelOutcome.FREE
    assert (fake.creates, fake.balance) == ([], 1000)
    assert len(fake.calls(DELETE)) == 1


@pytest.mark.parametrize("status", ["IN_PROGRESS", "SUCCEEDED", "DREAMING"])
def test_a_task_that_began_is_charged_and_never_deleted(
    fake: Meshy, http: Http, ticket: Ticket, status: str
) -> None:
    fake.states = [{"status": status}]
    assert PROVIDER.cancel(ticket, http) is CancelOutcome.CHARGED
    assert fake.calls(DELETE) == []
    assert len(fake.creates) == 1


def test_a_task_that_begins_meanwhile_is_charged(fake: Meshy, http: Http, ticket: Ticket) -> None:
    fake.states = [{"status": "PENDING"}, {"status": "IN_PROGRESS"}]
    assert PROVIDER.cancel(ticket, http) is CancelOutcome.CHARGED
    assert len(fake.calls(DELETE)) == 1
    assert (len(fake.creates), fake.balance) == (1, 970)


def test_a_lost_answer_to_a_deletion_is_not_asked_for_again(
    fake: Meshy, http: Http, ticket: Ticket
) -> None:
    fake.states = [{"status": "PENDING"}]
    fake.fault(DELETE, Fault(drop=True, done=True))
    with pytest.raises(Unreachable):
        PROVIDER.cancel(ticket, http)
    assert len(fake.calls(DELETE)) == 1


@pytest.mark.parametrize(
    ("fault", "kind"), [(Fault(502), Unreachable), (Fault(429, {"message": "x"}), RateLimited)]
)
def test_a_deletion_that_failed_says_nothing_of_the_charge(
    fake: Meshy, http: Http, ticket: Ticket, fault: Fault, kind: type[Exception]
) -> None:
    fake.states = [{"status": "PENDING"}]
    fake.fault(DELETE, fault)
    with pytest.raises(kind):
        PROVIDER.cancel(ticket, http)


def test_a_task_that_is_gone_is_not_known_to_be_charged(
    fake: Meshy, http: Http, ticket: Ticket
) -> None:
    fake.tasks.clear()
    assert PROVIDER.cancel(ticket, http) is CancelOutcome.UNKNOWN


# -- lost orders -----------------------------------------------------------------------------


def find(http: Http, folder: Path, views: tuple[str, ...] = ("front",), **values: Any) -> list[str]:
    """Return the ids of the tasks that may be an order from just now."""
    pictures = tuple(picture(folder, view) for view in views)
    request = request_of(pictures, **values)
    found = PROVIDER.find_order(request, Uploaded(), datetime.now(UTC), http)
    return [ticket.data["task"] for ticket in found]


def test_a_lost_order_is_found_by_kind_time_and_prompt(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    single = order(http, tmp_path, texture_prompt="old bronze").data["task"]
    several = order(http, tmp_path, VIEWS).data["task"]
    order(http, tmp_path, texture_prompt="new silver")
    assert find(http, tmp_path, texture_prompt="old bronze") == [single]
    assert find(http, tmp_path, VIEWS) == [several]
    assert find(http, tmp_path) == []
    # The list does not name the images: a task from half a minute before is not the order's.
    fake.tasks[single].created -= 30
    assert find(http, tmp_path, texture_prompt="old bronze") == []


def test_times_of_the_list_are_milliseconds(fake: Meshy, http: Http, tmp_path: Path) -> None:
    task = order(http, tmp_path).data["task"]
    seen = http.get("/image-to-3d").json[0]["created_at"]
    assert abs(seen / 1000 - time.time()) < 60
    assert find(http, tmp_path) == [task]


def test_what_the_list_names_of_an_order_has_to_match(
    fake: Meshy, http: Http, tmp_path: Path
) -> None:
    task = order(http, tmp_path, geometry_resolution="4k").data["task"]
    fake.states = [{"status": "PENDING", "ai_model": "meshy-7.1", "geometry_resolution": "4k"}]
    assert find(http, tmp_path, geometry_resolution="4k") == [task]
    assert find(http, tmp_path) == []
    assert find(http, tmp_path, ai_model="latest", geometry_resolution="4k") == [task]


def test_a_long_list_is_read_page_by_page(fake: Meshy, http: Http, tmp_path: Path) -> None:
    task = order(http, tmp_path).data["task"]
    fake.most_queued, fake.balance = 1000, 10**6
    for minutes in range(120):
        order(http, tmp_path)
        fake.creates[-1].created += 20 * 60 + minutes
    assert find(http, tmp_path) == [task]
    assert [seen.path.partition("?")[2] for seen in fake.calls(LIST)] == [
        f"page_num={number}&page_size=50&sort_by=-created_at" for number in (1, 2, 3, 4)
    ]


@pytest.mark.parametrize("fault", [Fault(403, {"message": "no"}), Fault(200, "<html>")])
def test_a_list_that_is_refused_finds_nothing(
    fake: Meshy, http: Http, tmp_path: Path, fault: Fault
) -> None:
    order(http, tmp_path)
    fake.fault(LIST, fault)
    assert find(http, tmp_path) == []


@pytest.mark.parametrize("created", [None, True, "soon", "2026-11-30T00:00:00Z", 1e30])
def test_a_row_without_a_time_in_milliseconds_is_ignored(
    fake: Meshy, http: Http, tmp_path: Path, created: Any
) -> None:
    fake.fault(LIST, Fault(200, [{"id": "a", "created_at": created}, {"created_at": 1}, 7]))
    assert find(http, tmp_path) == []
