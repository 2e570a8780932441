# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole jobs at ComfyUI, from click and command line, and what interrupts them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER, local_servers
from fakes.comfyui import DROPPED, Comfyui, serving
from fakes.comfyui_nodes import CHECKPOINTS
from fakes.glb import triangle_glb
from fakes.local_servers import gradio
from fakes.png import chunk, png_of
from fakes.running import end_of, spec_for, wait_until

from image_to_mesh.cli import entry
from image_to_mesh.jobs import JobView, Library, PictureSource, Session, State
from image_to_mesh.jobs.steps.check_images import ImagePreparer
from image_to_mesh.jobs.steps.prepare import prepare_request
from image_to_mesh.providers import Secret, get_provider

from .conftest import own_graph

HEADER = "Authorization: Basic dXNlcjpzZWNyZXQ="
PROVIDER = get_provider("comfyui")

Run = Callable[..., JobView]


@pytest.fixture
def run(running: Session, tmp_path: Path, png: bytes) -> Run:
    """Return a function that runs a job at a server to its end."""

    def start(server: Any, **how: Any) -> JobView:
        how.setdefault("keys", {})
        spec = spec_for(tmp_path, png, "comfyui", base_url=server.url, **how)
        return end_of(running, running.start(spec))

    return start


def orders_of(server: Comfyui) -> int:
    """Count the orders that were sent, with or without an effect."""
    return server.count("POST", "/prompt")


def test_a_job_runs_from_image_to_mesh(run: Run, tmp_path: Path) -> None:
    with serving(Comfyui(stages=["pending", "running"])) as server:
        view = run(server)
    assert view.state is State.READY, view.failure
    assert orders_of(server) == 1
    record = Library(tmp_path).load(view.job)
    assert record.credits == 0.0
    assert record.facts["seed"] == server.orders[0]["prompt"]["5"]["inputs"]["seed"]


def test_the_workflow_is_not_kept_in_the_mesh(run: Run, tmp_path: Path) -> None:
    with serving(Comfyui()) as server:
        view = run(server)
    (saved,) = [data for item, data in server.files.items() if item[0] == "output"]
    kept = (tmp_path / view.job / "mesh.glb").read_bytes()
    assert b"ckpt_name" in saved
    assert b"ckpt_name" not in kept
    assert len(kept) < len(saved)
    assert kept[-100:] == triangle_glb(3)[-100:]


def test_the_image_is_cut_out_and_put_on_white(
    run: Run, png: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # IHDR ends at byte 33; gray 0 is transparent.
    clear = png_of(64, 64)[:33] + chunk(b"tRNS", b"\0\0") + png_of(64, 64)[33:]
    whole = PROVIDER.settings(remove_background=False)
    edits: list[str] = []
    edit = ImagePreparer._edit

    def note(preparer: ImagePreparer, *given: Any, image_background: str) -> bytes:
        edits.append(image_background)
        if image_background == "remove":
            return clear
        return edit(preparer, *given, image_background=image_background)

    monkeypatch.setattr(ImagePreparer, "_edit", note)
    with serving(Comfyui()) as server:
        for settings, image in ((PROVIDER.settings(), png), (whole, png), (whole, clear)):
            picture = PictureSource("cup", "front", partial(bytes, image))
            view = run(server, settings=settings, pictures=(picture,))
            assert view.state is State.READY, view.failure
    assert edits == ["remove", "white", "white"]
    images = [order["prompt"]["10"]["inputs"]["image"] for order in server.orders]
    sent = [server.files["input", "image_to_mesh", name.rpartition("/")[2]] for name in images]
    assert sent == [png_of(50, 50), png, png_of(50, 50)]


def test_a_locked_server_gets_the_header_with_every_call(run: Run, tmp_path: Path) -> None:
    with serving(Comfyui(header=HEADER)) as server:
        view = run(server, keys={"comfyui_header": Secret(HEADER)})
    assert view.state is State.READY, view.failure
    record = (tmp_path / view.job / "job.json").read_text("utf-8")
    assert "dXNlcj" not in record
    assert "?filename=" in json.loads(record)["files"][0]["url"]


def test_an_own_workflow_is_kept_with_the_job(run: Run, tmp_path: Path) -> None:
    settings = PROVIDER.settings(workflow="file", workflow_file="/home/me/cup.json")
    files = {"workflow_file": json.dumps(own_graph()).encode()}
    with serving(Comfyui()) as server:
        view = run(server, settings=settings, files=files)
    assert view.state is State.READY, view.failure
    record = Library(tmp_path).load(view.job)
    assert record.settings["workflow_file"] == "cup.json"
    assert (
        json.loads((tmp_path / view.job / "setting-workflow_file.json").read_text()) == own_graph()
    )


@pytest.mark.parametrize("fault", [502, DROPPED])
def test_an_order_without_an_answer_is_found_or_uncertain_and_never_sent_again(
    run: Run, tmp_path: Path, fault: int
) -> None:
    server = Comfyui(stages=["pending", "pending", "running"], faults={"/prompt": [fault]})
    with serving(server):
        view = run(server)
    assert orders_of(server) == 1
    if fault == DROPPED:
        assert view.state is State.READY, view.failure
        notes = Library(tmp_path).load(view.job).notes
        assert any("was found at the service" in note for note in notes)
    else:
        assert view.state is State.UNCERTAIN
        assert "costs nothing" in str(view.failure)


def test_a_lost_file_of_the_workflow_loses_no_order(
    run: Run, running: Session, tmp_path: Path, png: bytes
) -> None:
    settings = PROVIDER.settings(workflow="file", workflow_file="cup.json")
    files = {"workflow_file": json.dumps(own_graph()).encode()}
    server = Comfyui(faults={"/prompt": [DROPPED], "/history": []})
    with serving(server):
        server.faults["/queue"] = [500]
        server.stages = ["pending"] * 3
        view = run(server, settings=settings, files=files)
        assert view.state is State.UNCERTAIN
        (tmp_path / view.job / "setting-workflow_file.json").unlink()
        record = Library(tmp_path).load(view.job)
        spec = spec_for(tmp_path, png, "comfyui", base_url=server.url, pictures=(), record=record,
                        settings=settings)  # fmt: skip
        view = end_of(running, running.start(spec))
    assert view.state is State.READY, view.failure
    assert orders_of(server) == 1


def test_a_canceled_job_leaves_the_queue(running: Session, tmp_path: Path, png: bytes) -> None:
    with serving(Comfyui(stages=["pending"] * 500)) as server:
        spec = spec_for(tmp_path, png, "comfyui", base_url=server.url)
        job = running.start(spec)
        wait_until(lambda: bool(server.queued))
        wait_until(lambda: running.views()[0].state is State.RUNNING)
        running.cancel(job)
        end_of(running, job)
        wait_until(lambda: not server.queued)
        running.join(10.0)
    assert server.interrupted == []
    assert Library(tmp_path).load(job).state is State.CANCELLED


def test_an_order_that_fails_ends_the_job_with_the_node(run: Run) -> None:
    with serving(Comfyui(ends="memory")) as server:
        view = run(server)
    assert view.state is State.FAILED
    assert view.failure
    assert "“Sampler” failed" in view.failure.message
    assert "Octree Resolution" in view.failure.hint


def test_the_wrong_server_leaves_the_job_unsent(run: Run) -> None:
    with local_servers.serving(gradio()) as other:
        view = run(other)
    assert view.state is State.QUEUED
    assert view.failure
    assert "port 8188" in view.failure.hint


@pytest.mark.parametrize("wanted", [True, False])
def test_the_worker_is_asked_to_project_the_image(run: Run, tmp_path: Path, wanted: bool) -> None:
    with serving(Comfyui()) as server:
        view = run(server, settings=PROVIDER.settings(project_image=wanted))
    record, folder = Library(tmp_path).load(view.job), tmp_path / view.job
    asked = prepare_request(folder, record, {})["projection"]
    image = {"picture": str(folder / "front.png"), "orientation": 1, "rotation": 0}
    assert asked == (image if wanted else None)


# -- the command line ----------------------------------------------------------------------------


@pytest.fixture
def generate(
    tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, dict[str, Any]]]:  # fmt: skip
    """Return a function that runs `generate` at a server, and returns code and last line."""
    monkeypatch.setattr(entry, "find_blender", lambda environment: WORKER)
    (tmp_path / "cup.png").write_bytes(png)

    def call(server: Comfyui, *words: str) -> tuple[int, dict[str, Any]]:
        given = ("--provider", "comfyui", "--address", server.url, "--library", str(tmp_path / "l"))
        code = entry.main(["generate", str(tmp_path / "cup.png"), *given, "--json", *words])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return call


def test_set_reaches_the_nodes(generate: Callable[..., Any]) -> None:
    words = ("steps=12", "cfg=4.5", f"ckpt_name={CHECKPOINTS[0]}", "algorithm=basic", "seed=5")
    with serving(Comfyui()) as server:
        code, said = generate(server, *(part for word in words for part in ("--set", word)))
    assert (code, said["state"], said["credits"]) == (0, "ready", 0.0), said
    graph = server.orders[0]["prompt"]
    sampler = {name: graph["5"]["inputs"][name] for name in ("steps", "cfg", "seed")}
    assert sampler == {"steps": 12, "cfg": 4.5, "seed": 5}
    assert graph["7"]["inputs"]["algorithm"] == "basic"
    assert graph["1"]["inputs"]["ckpt_name"] == CHECKPOINTS[0]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("steps=0", "Steps (steps) cannot be “0”"),
        ("ckpt_name=other.safetensors", "hunyuan_3d_v2.1.safetensors"),
        ("workflow=file", "Choose a workflow file"),
        ("step=3", "Did you mean “steps”?"),
    ],
)
def test_what_the_server_would_refuse_is_refused_before(
    generate: Callable[..., Any], word: str, message: str
) -> None:
    with serving(Comfyui()) as server:
        code, said = generate(server, "--set", word)
    assert code == 2
    assert message in f"{said['error']['message']} {said['error']['hint']}"
    assert orders_of(server) == 0


def test_an_own_workflow_on_the_command_line(generate: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "graph.json").write_text(json.dumps(own_graph()))
    words = ("--set", "workflow=file", "--set", f"workflow_file={tmp_path / 'graph.json'}",
             "--set", "19:7.quality=high")  # fmt: skip
    with serving(Comfyui()) as server:
        code, said = generate(server, *words)
    assert (code, said["state"]) == (0, "ready"), said
    assert server.orders[0]["prompt"]["19:7"]["inputs"]["quality"] == "high"


def test_providers_lists_the_settings_at_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(Comfyui()) as server:
        words = ["providers", "--json", "--provider", "comfyui", "--address", server.url]
        assert entry.main(words) == 0
    rows = json.loads(capsys.readouterr().out.splitlines()[-1])["providers"]
    found = next(row for row in rows if row["id"] == "comfyui")
    assert found["settings"]["properties"]["ckpt_name"]["enum"] == CHECKPOINTS
    assert found["server"]["address"] == server.url
    assert orders_of(server) == 0
