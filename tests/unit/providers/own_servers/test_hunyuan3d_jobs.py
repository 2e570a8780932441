# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole jobs at Hunyuan3D's API server, from click and command line, and what interrupts them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import local_servers
from fakes.hunyuan3d import DROPPED, Hunyuan3d, serving
from fakes.local_servers import gradio
from fakes.png import png_of
from fakes.running import end_of, spec_for

from image_to_mesh.cli.entry import main
from image_to_mesh.jobs import JobView, Library, Session, State
from image_to_mesh.jobs.cancel_token import CancelToken
from image_to_mesh.providers import Secret, get_provider

HEADER = "Authorization: Basic dXNlcjpzZWNyZXQ="
TEXTURED = get_provider("hunyuan3d").settings(texture=True)

Run = Callable[..., JobView]


@pytest.fixture
def run(running: Session, tmp_path: Path, png: bytes) -> Run:
    """Return a function that runs a job at a server to its end."""

    def start(server: Any, **how: Any) -> JobView:
        spec = spec_for(tmp_path, png, "hunyuan3d", base_url=server.url, **how)
        return end_of(running, running.start(spec))

    return start


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_a_job_runs_from_image_to_mesh(run: Run, tmp_path: Path, version: str) -> None:
    with serving(Hunyuan3d(version)) as server:
        view = run(server)
    assert view.state is State.READY, view.failure
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == server.mesh
    assert len(server.orders) == 1
    assert not list((tmp_path / view.job).glob("answer.*"))


def test_a_textured_mesh_is_downloaded_out_of_the_answer(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("image_to_mesh.jobs.runner.next_pause", lambda *_: 0.01)
    keys = {"hunyuan3d_header": Secret(HEADER)}
    server = Hunyuan3d(stages=["processing", "texturing", "half"], header=HEADER)
    with serving(server):
        view = run(server, settings=TEXTURED, keys=keys)
    assert view.state is State.READY, view.failure
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == server.painted
    record = (tmp_path / view.job / "job.json").read_text("utf-8")
    assert "dXNlcj" not in record
    assert json.loads(record)["files"][0]["field"] == "model_base64"


def test_only_the_2_1_server_gets_a_cut_out(run: Run, png: bytes, tmp_path: Path) -> None:
    for version, sent in (("2.0", png), ("2.1", png_of(50, 50))):
        with serving(Hunyuan3d(version)) as server:
            view = run(server)
        assert server.images == [{"image": sent}]
        assert Library(tmp_path).load(view.job).notes == ()


def test_a_subject_that_cannot_be_cut_out_is_sent_whole(
    run: Run, png: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Hunyuan3d()) as server:
        view = run(server, blender=None)
    assert server.images == [{"image": png}]
    notes = Library(tmp_path).load(view.job).notes
    assert any("was sent with its background: No Blender" in note for note in notes)


def test_the_wrong_server_leaves_the_job_unsent(run: Run) -> None:
    with local_servers.serving(gradio()) as other:
        view = run(other)
    assert view.state is State.QUEUED
    assert view.failure
    assert "port 8081" in view.failure.hint


@pytest.mark.parametrize("fault", [502, DROPPED])
def test_an_order_without_an_answer_is_not_sent_again(run: Run, fault: int) -> None:
    with serving(Hunyuan3d(faults={"/generate": [fault]})) as server:
        view = run(server)
    assert view.state is State.UNCERTAIN
    assert len([call for call in server.calls if call[0] == "POST"]) == 1


def test_a_name_that_is_public_fails_before_anything_is_sent(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Elsewhere:
        url = "http://93.184.216.34:8081"

    view = run(Elsewhere)
    assert view.state is State.FAILED
    assert view.failure
    assert "own network" in view.failure.message


def test_endless_texturing_ends_with_advice(run: Run) -> None:
    server = Hunyuan3d(stages=["texturing"] * 500)
    whole = get_provider("hunyuan3d").settings(texture=True, remove_background=False)
    with serving(server):
        view = run(server, settings=whole, timeout=5.0)
    assert view.state is State.RUNNING
    assert view.failure
    assert "Texture turned off" in view.failure.hint


def test_the_advice_of_other_providers_is_to_wait() -> None:
    assert get_provider("tripo").late_hint == "Resume the job to wait longer."
    assert CancelToken(1.0, None, lambda: False)


# -- the command line ----------------------------------------------------------------------------


@pytest.fixture
def cup(tmp_path: Path, png: bytes) -> str:
    """An image file."""
    (tmp_path / "cup.png").write_bytes(png)
    return str(tmp_path / "cup.png")


def _generate(cup: str, *arguments: str) -> int:
    return main(["generate", cup, "--provider", "hunyuan3d", "--json", "--quiet", *arguments])


def test_an_address_can_be_given(
    cup: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUNYUAN3D_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HUNYUAN3D_HEADER", HEADER)
    with serving(Hunyuan3d(header=HEADER)) as server:
        assert _generate(cup, "--address", server.url, "--set", "remove_background=false") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["state"], answer["credits"]) == ("ready", 0.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--address", "http://8.8.8.8"), "Correct it in --address"),
        (("--address", "studio"), "does not start with https://"),
        (("--address", "http://10.255.255.1:9"), "--send-unencrypted"),
    ],
)
def test_a_bad_address_or_a_secret_in_the_open_ends_with_2(
    cup: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.setenv("HUNYUAN3D_HEADER", HEADER)
    assert _generate(cup, *arguments, "--set", "remove_background=false") == 2
    assert words in capsys.readouterr().err


def test_the_options_are_for_own_servers_only(cup: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", cup, "--provider", "tripo", "--address", "http://127.0.0.1:8081"]) == 2
    assert "does not take --address" in capsys.readouterr().err
