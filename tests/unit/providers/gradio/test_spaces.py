# SPDX-License-Identifier: GPL-3.0-or-later
"""Spaces: those that start, those that do not run, and private ones, which need the token.

Without a token that can open it, Hugging Face answers every call to a private Space with a page and
404: gradio-app/gradio#6388 and #11017.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import gradio, local_servers
from fakes.gradio import TOKEN, Gradio
from fakes.gradio_shapes import TRELLIS
from fakes.local_servers import OtherServer
from fakes.running import end_of, spec_for

from image_to_mesh.jobs import Session, State
from image_to_mesh.jobs.resources import open_http
from image_to_mesh.providers import (
    BadKey,
    ImageToMeshError,
    RateLimited,
    Secret,
    Unreachable,
    _gradio,
    get_provider,
)
from image_to_mesh.providers._gradio import spaces
from image_to_mesh.providers._gradio.app import read_app
from image_to_mesh.providers._shared.http.client import Http

PROVIDER = get_provider("gradio")
KEYS = {"gradio_token": Secret(TOKEN)}
Connect = Callable[..., Http]


@pytest.fixture
def to() -> Iterator[Connect]:
    """Return a function that connects to a Space, with a token if one is given."""
    made: list[Http] = []

    def connect(app: Gradio, token: str = "") -> Http:
        keys = {"gradio_token": Secret(token)} if token else {}
        made.append(open_http(PROVIDER, keys, app.url, online=True, pause=lambda _: None))
        return made[-1]

    yield connect
    for http in made:
        http.close()


@pytest.fixture
def space(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Gradio, OtherServer]]:
    """A Space that was entered by name, and Hugging Face's own server, on loopback."""
    for module in ("spaces", "errors"):
        monkeypatch.setattr(f"image_to_mesh.providers._gradio.{module}.SPACES", "127.0.0.1")
    monkeypatch.setattr(type(PROVIDER), "sends_keys_to", lambda _, base: "127.0.0.1" in base)
    with gradio.serving(Gradio(TRELLIS)) as app, local_servers.serving(OtherServer()) as hub:
        monkeypatch.setattr(spaces, "HUB", hub.url)
        monkeypatch.setitem(_gradio.space_names, "127.0.0.1", "microsoft/TRELLIS")
        yield app, hub


RUNTIME = "/api/spaces/microsoft/TRELLIS/runtime"


@pytest.mark.parametrize("stage", ["SLEEPING", "BUILDING", "RUNNING"])
def test_a_job_waits_for_a_space_that_is_starting(
    to: Connect, space: tuple[Gradio, OtherServer], stage: str
) -> None:
    app, hub = space
    app.faults = {"/config": [503, 503, 404]}
    hub.pages[RUNTIME] = {"stage": stage}
    assert read_app(to(app), patient=True).title == "TRELLIS"
    assert hub.requests == [("GET", RUNTIME)] * 3
    app.faults = {"/config": [503]}
    with pytest.raises(Unreachable, match="starting"):
        read_app(to(app))


@pytest.mark.parametrize("stage", ["PAUSED", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE"])
def test_a_space_that_does_not_run_is_reported_in_its_own_words(
    to: Connect, space: tuple[Gradio, OtherServer], stage: str
) -> None:
    app, hub = space
    app.faults = {"/config": [503]}
    hub.pages[RUNTIME] = {"stage": stage}
    with pytest.raises(Unreachable, match=f"does not run: {stage}") as caught:
        read_app(to(app), patient=True)
    assert "duplicate" in caught.value.hint


def test_the_name_of_a_space_is_remembered_for_the_question() -> None:
    PROVIDER.full_address("microsoft/TRELLIS.2")
    assert _gradio.space_names["microsoft-trellis-2.hf.space"] == "microsoft/TRELLIS.2"


def test_a_space_with_too_many_visitors_says_so(
    to: Connect, space: tuple[Gradio, OtherServer]
) -> None:
    app, _ = space
    app.faults = {"/config": [429]}
    with pytest.raises(RateLimited, match="too many requests") as caught:
        read_app(to(app))
    assert "later" in caught.value.hint


# -- private ones ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "kind"), [(404, Unreachable), (401, BadKey), (403, BadKey)])
@pytest.mark.parametrize(
    ("token", "message", "hint"),
    [
        ("", "There is no public Space at", "If it is private, enter a Hugging Face token"),
        ("hf_of_somebody_else", "that your token can open", "is valid and of an account"),
    ],
)
def test_a_closed_space_says_what_to_do(
    to: Connect, space: tuple[Gradio, OtherServer], status: int, kind: type[ImageToMeshError],
    token: str, message: str, hint: str,
) -> None:  # fmt: skip
    app, hub = space
    app.token, app.closed = TOKEN, status
    with pytest.raises(kind, match=message) as caught:
        read_app(to(app, token), patient=True)
    assert hint in caught.value.hint
    assert all("authorization" not in name for row in hub.headers for name in row)
    assert not token or token not in str(caught.value)


def test_a_password_of_the_app_is_not_taken_for_a_private_space(
    to: Connect, space: tuple[Gradio, OtherServer]
) -> None:
    server = OtherServer(status=401, otherwise={"detail": "Not authenticated"})
    with local_servers.serving(server), pytest.raises(BadKey, match="requires a password"):
        read_app(to(server))


def test_a_private_space_makes_a_mesh_with_its_token(
    space: tuple[Gradio, OtherServer], running: Session, tmp_path: Path, png: bytes
) -> None:
    app, hub = space
    app.token = TOKEN
    order = spec_for(tmp_path, png, "gradio", base_url=app.url, keys=KEYS)
    view = end_of(running, running.start(order))
    assert view.state is State.READY, view.failure
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == app.mesh
    # Each call has it, as the Space answers none without: the streams and the mesh as well.
    assert {row.get("x-hf-authorization") for row in app.headers} == {f"Bearer {TOKEN}"}
    assert not hub.requests
    assert not any(TOKEN.encode() in path.read_bytes() for path in tmp_path.rglob("*.json"))


@pytest.mark.parametrize("path", ["/upload", "/queue/join"])
def test_a_token_that_was_revoked_meanwhile_orders_nothing(
    space: tuple[Gradio, OtherServer], running: Session, tmp_path: Path, png: bytes, path: str
) -> None:
    app, _ = space
    app.token, app.faults = TOKEN, {path: [404]}
    order = spec_for(tmp_path, png, "gradio", base_url=app.url, keys=KEYS)
    view = end_of(running, running.start(order))
    assert view.failure
    assert (view.state, view.failure.kind) == (State.QUEUED, "unreachable")
    assert "that your token can open" in view.failure.message
    assert not app.worked
