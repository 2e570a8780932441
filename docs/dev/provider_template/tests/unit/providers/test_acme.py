# SPDX-License-Identifier: GPL-3.0-or-later
"""Acme against its fake: what is sent, what each answer means, one order under every fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fakes.acme import DROPPED, KEY, Acme, serving
from fakes.running import end_of, spec_for

from image_to_mesh.jobs import JobView, Session, State
from image_to_mesh.providers import (
    Balance,
    Failed,
    ImageToMeshError,
    Picture,
    Progress,
    Provider,
    Request,
    Result,
    Secret,
    Ticket,
    get_provider,
)
from image_to_mesh.providers._shared.http.client import Http

PROVIDER: Provider[Any] = get_provider("acme")
KEYS = {"acme_api_key": Secret(KEY)}


@pytest.fixture
def acme() -> Iterator[Acme]:
    """The fake, without faults."""
    with serving(Acme()) as service:
        yield service


@pytest.fixture
def http(acme: Acme) -> Iterator[Http]:
    """A connection to the fake that does not pause before it tries again."""
    with closing(Http(acme.url, PROVIDER.headers(KEYS), pause=lambda _: None)) as connection:
        yield connection


@pytest.fixture
def cup(tmp_path: Path, png: bytes) -> Picture:
    """An image file for the front view."""
    path = tmp_path / "cup.png"
    path.write_bytes(png)
    return Picture("front", "cup.png", path)


def order(cup: Picture, http: Http, **settings: Any) -> Ticket:
    """Upload the image and order a mesh, without the runner."""
    request = Request(PROVIDER.settings(**settings), (cup,))
    return PROVIDER.submit(request, PROVIDER.upload((cup,), http), http)


def run(running: Session, acme: Acme, library: Path, png: bytes) -> JobView:
    """Run a whole job to its end."""
    spec = spec_for(library, png, "acme", keys=KEYS, base_url=acme.url)
    return end_of(running, running.start(spec))


@pytest.mark.parametrize("settings", [{}, {"texture": False}, {"face_limit": 100}], ids=str)
def test_only_changed_settings_are_sent(
    acme: Acme, http: Http, cup: Picture, settings: dict[str, Any]
) -> None:
    order(cup, http, **settings)
    assert acme.orders == [{"image": "image-0", **settings}]


def test_a_task_is_polled_to_its_mesh(acme: Acme, http: Http, cup: Picture) -> None:
    ticket = order(cup, http)
    assert PROVIDER.poll(ticket, http) == Progress("Generating", 0.5)
    result = PROVIDER.poll(ticket, http)
    assert isinstance(result, Result)
    assert [file.url for file in result.files] == [f"{acme.url}/files/mesh.glb"]
    assert result.credits == 3


def test_a_failed_task_is_reported_in_the_services_words(
    acme: Acme, http: Http, cup: Picture
) -> None:
    acme.fails = True
    ticket = order(cup, http)
    PROVIDER.poll(ticket, http)
    with pytest.raises(Failed, match=r"Nothing to be seen\."):
        PROVIDER.poll(ticket, http)


@pytest.mark.parametrize(
    ("call", "status", "kind"),
    [
        ("POST /images", 415, "bad_image"),
        ("POST /tasks", 400, "invalid_settings"),
        ("POST /tasks", 401, "bad_key"),
        ("POST /tasks", 402, "no_credits"),
        ("POST /tasks", 429, "rate_limited"),
        ("POST /tasks", 500, "uncertain"),
        ("POST /tasks", DROPPED, "uncertain"),
        ("GET /tasks/task-1", 404, "expired"),
        ("GET /tasks/task-1", 503, "unreachable"),
    ],
)
def test_a_refusal_becomes_its_error(
    acme: Acme, http: Http, cup: Picture, call: str, status: int, kind: str
) -> None:
    acme.faults[call] = [status] * 5
    with pytest.raises(ImageToMeshError) as caught:
        PROVIDER.poll(order(cup, http), http)
    assert caught.value.kind == kind


def test_the_balance_is_read(http: Http) -> None:
    assert PROVIDER.balance(http) == Balance(42.5)


def test_a_job_runs_from_image_to_mesh(
    running: Session, acme: Acme, tmp_path: Path, png: bytes
) -> None:
    view = run(running, acme, tmp_path, png)
    assert view.state is State.READY, view.failure
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == acme.mesh
    record = (tmp_path / view.job / "job.json").read_text("utf-8")
    assert KEY not in record


@pytest.mark.parametrize("fault", [500, DROPPED])
def test_an_order_without_an_answer_is_not_sent_again(
    running: Session, acme: Acme, tmp_path: Path, png: bytes, fault: int
) -> None:
    acme.faults["POST /tasks"] = [fault]
    view = run(running, acme, tmp_path, png)
    assert view.state is State.UNCERTAIN
    assert len(acme.orders) == (1 if fault == DROPPED else 0)
