# SPDX-License-Identifier: GPL-3.0-or-later
"""Tripo's tasks, both versions: progress, results, ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.tripo_calls import V2, V3, Version, connection, order
from fakes.tripo_server import FakeTripo, Fault, serving

from image_to_mesh.jobs.steps.polling import next_pause
from image_to_mesh.providers import (
    BadMesh,
    Balance,
    Banned,
    CancelOutcome,
    Expired,
    Failed,
    Progress,
    RemoteFile,
    Result,
    Ticket,
    Unreachable,
)
from image_to_mesh.providers._shared.http.backoff import ATTEMPTS
from image_to_mesh.providers._shared.http.client import Http

BOTH = pytest.mark.parametrize("version", [V3, V2], ids=lambda item: item.provider.id)
MESH = "https://files.example/a/tripo_model.glb?sig=1&x=.fbx"
PICTURE = "https://files.example/a/rendered.webp?sig=1"


@pytest.fixture
def fake(version: Version) -> Iterator[FakeTripo]:
    """Tripo on loopback."""
    with serving(version.fake()) as running:
        yield running


@pytest.fixture
def http(fake: FakeTripo) -> Iterator[Http]:
    """A connection to it that does not sleep."""
    with connection(fake, lambda _: None) as line:
        yield line


@pytest.fixture
def ticket(version: Version, http: Http, tmp_path: Path) -> Ticket:
    """A task that was ordered."""
    return order(version, http, tmp_path)


def poll(version: Version, http: Http, ticket: Ticket) -> Any:
    """Poll a task once."""
    return version.provider.poll(ticket, http)


@BOTH
def test_a_task_goes_from_the_queue_to_its_result(
    version: Version, fake: FakeTripo, http: Http, ticket: Ticket
) -> None:
    assert poll(version, http, ticket) == Progress("Waiting in queue", 0.0)
    assert poll(version, http, ticket) == Progress("Generating", 0.4)
    result = poll(version, http, ticket)
    (task,) = fake.creates
    assert [file.role for file in result.files] == ["mesh", "preview"]
    assert [file.format for file in result.files] == ["glb", "webp"]
    assert (result.credits, result.facts) == (30.0, {"task": task.id})
    assert fake.calls(version.poll)[-1].path.endswith(f"/{task.id}")


@BOTH
def test_quads_come_as_fbx(version: Version, fake: FakeTripo, http: Http, tmp_path: Path) -> None:
    fake.states = fake.states[-1:]
    result = poll(version, http, order(version, http, tmp_path, quad=True))
    assert result.files[0].format == "fbx"


@BOTH
def test_seeds_and_credits_are_kept(
    version: Version, fake: FakeTripo, http: Http, ticket: Ticket
) -> None:
    (task,) = fake.creates
    used = {"model_seed": 12345, "texture_seed": 678, "texture": True}
    price = {"credits_consumed": "22.50", "consumed_credit": "22.50"}
    fake.states = [{"status": "success", "input": used, **price}]
    result = poll(version, http, ticket)
    assert result.credits == 22.5
    assert result.facts == {"task": task.id, "model_seed": 12345, "texture_seed": 678}


STATUSES: list[tuple[dict[str, Any], Progress]] = [
    ({"status": "QUEUED", "progress": None}, Progress("Waiting in queue")),
    ({"status": "running", "progress": 100}, Progress("Generating", 1.0)),
    ({"status": "running", "progress": "40"}, Progress("Generating", 0.4)),
    ({"status": "running", "progress": 140}, Progress("Generating", 1.0)),
    ({"status": "running", "progress": -1}, Progress("Generating", 0.0)),
    ({"status": "unknown", "progress": 7}, Progress("Generating", 0.07)),
    ({"status": "post-processing", "progress": 99}, Progress("Generating", 0.99)),
    ({"status": None, "progress": None}, Progress("Generating")),
    (
        {"status": "running", "progress": 10, "running_left_time": 42},
        Progress("Generating", 0.1, 42.0),
    ),
    ({"status": "running", "progress": 10, "running_left_time": -1}, Progress("Generating", 0.1)),
    ({"status": "running", "progress": 10, "running_left_time": 0}, Progress("Generating", 0.1)),
    ({"status": "running", "progress": 1, "output": None, "input": None, "new": [1]},
     Progress("Generating", 0.01)),
]  # fmt: skip


@BOTH
@pytest.mark.parametrize(("state", "progress"), STATUSES)
def test_states_that_are_not_final_are_polled(
    version: Version,
    fake: FakeTripo,
    http: Http,
    ticket: Ticket,
    state: dict[str, Any],
    progress: Progress,
) -> None:
    fake.states = [state]
    assert poll(version, http, ticket) == progress


ENDS: list[tuple[dict[str, Any], type[Failed], str, str]] = [
    ({"status": "failed"}, Failed, r"could not generate the mesh\.", "Try another image"),
    (
        {"status": "cancelled"},
        Failed,
        r"could not generate the mesh \(cancelled\)",
        "does not charge",
    ),
    ({"status": "canceled"}, Failed, r"could not generate the mesh \(canceled\)\.", ""),
    ({"status": "Failed"}, Failed, r"could not generate the mesh\.", ""),
    ({"status": "failed", "error_code": 7}, Failed, r"generate the mesh \(error 7\)\.", ""),
    (
        {"status": "failed", "error_code": 2005, "error_message": "no subject."},
        Failed,
        r"no subject \(error 2005\)\.",
        "",
    ),
    ({"status": "failed", "error_msg": "old words"}, Failed, "old words", ""),
    ({"status": "banned"}, Banned, "content policy", "Use another image"),
    ({"status": "failed", "error_code": 2008}, Banned, "content policy", "Use another image"),
    (
        {"status": "failed", "error_code": "2008", "error_message": "unsafe"},
        Banned,
        "unsafe",
        "Use another",
    ),
    ({"status": "expired"}, Expired, "in time", "Generate again"),
    ({"status": "failed", "error_code": "E-7"}, Failed, "could not", ""),
]


@BOTH
@pytest.mark.parametrize(("state", "kind", "sentence", "hint"), ENDS)
def test_every_end_without_a_mesh_is_its_error(
    version: Version,
    fake: FakeTripo,
    http: Http,
    ticket: Ticket,
    state: dict[str, Any],
    kind: type[Failed],
    sentence: str,
    hint: str,
) -> None:
    fake.states = [state]
    with pytest.raises(kind, match=sentence) as caught:
        poll(version, http, ticket)
    assert type(caught.value) is kind
    assert hint in caught.value.hint
    assert str(ticket.data["task"]) not in caught.value.message, "it is for Copy Error"
    assert version.provider.cancel(ticket, http) is CancelOutcome.FREE


@pytest.mark.parametrize(("version", "kind"), [(V3, Expired), (V2, Failed)])
def test_error_2018_is_a_late_queue_in_v3_and_a_hard_subject_in_v2(
    version: Version, fake: FakeTripo, http: Http, ticket: Ticket, kind: type[Failed]
) -> None:
    fake.states = [{"status": "failed", "error_code": 2018}]
    with pytest.raises(Failed) as caught:
        poll(version, http, ticket)
    assert type(caught.value) is kind


OUTPUTS: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"model_url": MESH, "rendered_image_url": PICTURE}, MESH, PICTURE),
    ({"model": MESH, "rendered_image": PICTURE}, MESH, PICTURE),
    ({"pbr_model": MESH, "model": None, "base_model": ""}, MESH, None),
    ({"pbr_model": {"type": "glb", "url": MESH}}, MESH, None),
    ({"base_model_url": MESH}, MESH, None),
    ({"rendered_image": PICTURE}, None, None),
    ({}, None, None),
]


@BOTH
@pytest.mark.parametrize(("output", "mesh", "preview"), OUTPUTS)
def test_the_mesh_is_found_wherever_it_stands(
    version: Version,
    fake: FakeTripo,
    http: Http,
    ticket: Ticket,
    output: dict[str, Any],
    mesh: str | None,
    preview: str | None,
) -> None:
    fake.states = [{"status": "success", "output": output}]
    if mesh is None:
        with pytest.raises(BadMesh, match="no download URL"):
            poll(version, http, ticket)
        return
    wanted = [RemoteFile(mesh, format="glb")]
    if preview:
        wanted.append(RemoteFile(preview, "preview", "webp"))
    assert poll(version, http, ticket).files == tuple(wanted)


@pytest.mark.parametrize(
    ("version", "output", "chosen"),
    [
        (V3, {"model_url": "a", "pbr_model_url": "b", "model": "c"}, "a"),
        (V3, {"model_urls": ["a", "b"]}, "a"),
        (V3, {"model": "c", "pbr_model": "d"}, "c"),
        (V2, {"model": "a", "base_model": "b", "pbr_model": "c"}, "c"),
        (V2, {"model": "a", "base_model": "b"}, "a"),
        (V2, {"base_model": "b"}, "b"),
    ],
)
def test_of_several_meshes_the_finished_one_is_taken(
    version: Version,
    fake: FakeTripo,
    http: Http,
    ticket: Ticket,
    output: dict[str, Any],
    chosen: str,
) -> None:
    fake.states = [{"status": "success", "output": output}]
    assert poll(version, http, ticket).files[0] == RemoteFile(chosen)


@BOTH
def test_fresh_links_are_requested(
    version: Version, fake: FakeTripo, http: Http, ticket: Ticket
) -> None:
    fake.states = fake.states[-1:]
    first, second = poll(version, http, ticket), poll(version, http, ticket)
    assert first.files != second.files
    assert replace(first, files=()) == replace(second, files=())


@BOTH
def test_a_running_task_cannot_be_stopped_and_will_be_charged(
    version: Version, fake: FakeTripo, http: Http, ticket: Ticket
) -> None:
    assert version.provider.cancel(ticket, http) is CancelOutcome.CHARGED
    fake.fault(version.poll, *[Fault(502)] * ATTEMPTS)
    with pytest.raises(Unreachable):
        version.provider.cancel(ticket, http)


@BOTH
@pytest.mark.parametrize(("held", "shown"), [(250.5, 250.5), ("12.25", 12.25), (0, 0.0)])
def test_the_balance_is_in_credits(
    version: Version, fake: FakeTripo, http: Http, held: Any, shown: float
) -> None:
    fake.balance = held
    assert version.provider.balance(http) == Balance(shown, "Credits")
    assert len(fake.calls(version.balance)) == 1


@BOTH
def test_a_task_is_asked_for_by_its_id_alone(version: Version, fake: FakeTripo, http: Http) -> None:
    with pytest.raises(Expired, match="not found"):
        poll(version, http, Ticket({"task": "../account?x=1"}))
    assert fake.requests[-1].path.endswith("..%2Faccount%3Fx%3D1")


@BOTH
@pytest.mark.parametrize("seconds", [0, 7, 61, 253])
def test_a_result_is_noticed_within_two_seconds(
    version: Version, fake: FakeTripo, http: Http, ticket: Ticket, seconds: int
) -> None:
    now, pause, polls = 0.0, 0.0, 1
    estimates = version is V2
    while now < seconds:
        estimate = {"running_left_time": seconds - now} if estimates else {}
        fake.states = [{"status": "running", "progress": 1, **estimate}]
        pause = next_pause(poll(version, http, ticket), pause)
        now += pause
        polls += 1
    fake.states = [{"status": "success", "output": {"model": MESH}}]
    assert isinstance(poll(version, http, ticket), Result)
    assert now - seconds <= 2.0
    assert polls <= max(now, 1.0) + 1
