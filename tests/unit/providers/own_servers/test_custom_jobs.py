# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole jobs at a server that the user describes, by click and command line, and their faults."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import places
import pytest
from fakes import hunyuan3d, local_servers
from fakes.custom import DROPPED, HALF, Custom, serving
from fakes.hunyuan3d import Hunyuan3d
from fakes.local_servers import OtherServer
from fakes.running import end_of, spec_for

from image_to_mesh.cli.entry import main
from image_to_mesh.jobs import JobView, Library, Record, Session, State
from image_to_mesh.providers import Secret, get_provider

HEADER = "Authorization: Basic dXNlcjpzZWNyZXQ="
POLLED = {"status_path": "/jobs/{id}"}
PAGE = places.ROOT / "docs" / "service-custom.md"

Run = Callable[..., JobView]


@pytest.fixture
def run(running: Session, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a job with these settings at a server to its end."""
    monkeypatch.setattr("image_to_mesh.jobs.runner.next_pause", lambda *_: 0.01)

    def start(
        server: Any, timeout: float | None = None, record: Record | None = None, **settings: Any
    ) -> JobView:
        spec = spec_for(
            tmp_path,
            png,
            "custom",
            base_url=server.url,
            settings=get_provider("custom").settings(**settings),
            keys={"custom_header": Secret(HEADER)},
            timeout=timeout,
            record=record,
        )
        return end_of(running, running.start(spec))

    return start


def long_glb(mesh: bytes, size: int) -> bytes:
    """Return a GLB file with a further chunk, which readers skip (glTF 2.0, section 4.4.3)."""
    longer = bytearray(mesh + struct.pack("<II", size, 0) + bytes(size))
    struct.pack_into("<I", longer, 8, len(longer))
    return bytes(longer)


def mesh_of(view: JobView, library: Path) -> bytes:
    """Return the job's mesh file."""
    assert view.state is State.READY, view.failure
    assert view.record
    return (library / view.job / str(view.record.mesh)).read_bytes()


@pytest.mark.parametrize("answer", ["file", "json", "url"])
def test_a_job_runs_from_image_to_mesh(run: Run, tmp_path: Path, answer: str) -> None:
    with serving(Custom(answer=answer, header=HEADER)) as server:
        assert mesh_of(run(server), tmp_path) == server.mesh
    assert server.orders == 1


def test_an_obj_file_is_a_mesh_too(run: Run, tmp_path: Path) -> None:
    mesh = b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"
    with serving(Custom(mesh=mesh)) as server:
        view = run(server)
    assert mesh_of(view, tmp_path) == mesh
    assert view.record
    assert (view.record.mesh, view.record.format) == ("mesh.obj", "obj")


def test_a_task_is_polled_and_its_secret_is_kept(run: Run, tmp_path: Path) -> None:
    states = [{"status": "queued"}, 202, {"status": "running", "progress": 0.5}, 503]
    server = Custom(answer="task", states=states, header=HEADER)
    server.last = {"status": "completed", "model": "{mesh}"}
    server.mesh = long_glb(server.mesh, 60_000)
    with serving(server):
        view = run(server, extra_headers='{"X-Style": "clay"}', **POLLED)
    assert mesh_of(view, tmp_path) == server.mesh
    assert server.orders == 1
    record = (tmp_path / view.job / "job.json").read_text("utf-8")
    assert "dXNlcj" not in record
    assert "clay" in record


def test_a_short_password_that_a_server_quotes_is_not_kept(run: Run, tmp_path: Path) -> None:
    answer = OtherServer(status=500, otherwise={"error": "no user with the password “secret”"})
    with local_servers.serving(answer):
        view = run(answer)
    assert view.state is State.FAILED
    assert view.failure
    assert view.failure.message.endswith("no user with the password “…”.")
    record = json.loads((tmp_path / view.job / "job.json").read_text("utf-8"))
    assert "secret" not in json.dumps(record)


def test_another_server_is_not_asked_for_a_task_of_the_same_id(run: Run, tmp_path: Path) -> None:
    busy = Custom(answer="task", last={"status": "processing"}, header=HEADER)
    with serving(busy) as server, serving(Custom(answer="task")) as other:
        record = Library(tmp_path).load(run(server, timeout=1.0, **POLLED).job)
        view = run(other, record=record, **POLLED)
        assert view.state is State.RUNNING
        assert view.failure
        assert server.url in view.failure.message
        assert not any("/jobs/" in path for _, path in other.calls)
        server.last = None
        record = Library(tmp_path).load(view.job)
        assert mesh_of(run(server, record=record, **POLLED), tmp_path) == server.mesh


def test_an_endless_task_ends_with_advice(run: Run) -> None:
    with serving(Custom(answer="task", last={"status": "processing"})) as server:
        view = run(server, timeout=1.5, **POLLED)
    assert view.state is State.RUNNING
    assert view.failure
    assert view.failure.kind == "timed_out"
    assert "Status Path" in view.failure.hint


@pytest.mark.parametrize(
    ("server", "state", "words"),
    [
        (Custom(faults={"/generate": [404]}), State.FAILED, "does not take images at /generate"),
        (Custom(faults={"/generate": [422]}), State.FAILED, "A fault"),
        (Custom(faults={"/generate": [502]}), State.UNCERTAIN, "502"),
        (Custom(faults={"/generate": [DROPPED]}), State.UNCERTAIN, "no response"),
        (Custom(faults={"/generate": [HALF]}), State.UNCERTAIN, "no response"),
        (Custom(answer=b"<html>Sign in</html>"), State.UNCERTAIN, "web page"),
        (Custom(answer={"ok": True}), State.UNCERTAIN, "contains no mesh"),
        (Custom(answer=Custom().mesh[:-8]), State.UNCERTAIN, "truncated"),
        (Custom(location="http://192.168.1.9/x"), State.UNCERTAIN, "redirects"),
        (Custom(location="/generate/"), State.UNCERTAIN, "redirects"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_fault_neither_repeats_nor_loses_the_order(
    run: Run, server: Custom, state: State, words: str
) -> None:
    with serving(server):
        view = run(server)
    assert view.state is state
    assert view.failure
    assert words in view.failure.message
    assert server.orders == 1


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ({"cup": "/files/cup.glb", "mesh": {}}, {"mesh_field": "cup"}),
        ({"cup": "{url}/jobs/7f3a"}, {"status_path": "{id}", "id_field": "cup"}),
    ],
)
def test_a_saved_answer_is_read_again_with_other_settings(
    run: Run, tmp_path: Path, answer: dict[str, Any], right: dict[str, str]
) -> None:
    with serving(Custom()) as server:
        server.answer = json.loads(json.dumps(answer).replace("{url}", server.url))
        wrong = {**right, "mesh_field": "other", "id_field": "other"}
        view = run(server, **{name: wrong[name] for name in right if name != "status_path"})
        assert view.state is State.UNCERTAIN
        record = Library(tmp_path).load(view.job)
        assert mesh_of(run(server, record=record, **right), tmp_path) == server.mesh
    assert server.orders == 1


@pytest.mark.parametrize("name", ["../../{foreign}", "link.glb"])
def test_a_strangers_record_moves_no_file_from_elsewhere(
    run: Run, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    foreign = tmp_path_factory.mktemp("private") / "design.glb"
    foreign.write_bytes(Custom().mesh)
    with serving(Custom()) as server:
        view = run(server)
        folder = tmp_path / view.job
        (folder / "mesh.glb").unlink()
        (folder / "link.glb").symlink_to(foreign)
        name = name.format(foreign=foreign.relative_to(tmp_path_factory.getbasetemp()))
        assert (folder / name).is_file()
        ticket = {"file": name, "format": "glb"}
        record = replace(
            Library(tmp_path).load(view.job), state=State.RUNNING, ticket=ticket, files=()
        )
        Library(tmp_path).save(record)
        view = run(server, record=record)
    assert view.failure
    assert "The mesh file is missing" in view.failure.message
    assert foreign.read_bytes() == Custom().mesh
    assert (folder / "link.glb").is_symlink()


def test_a_file_that_is_gone_can_be_downloaded_later(run: Run) -> None:
    with serving(Custom(answer="url", faults={"/files/cup.glb": [404] * 9})) as server:
        view = run(server)
    assert view.state is State.DOWNLOADING
    assert view.failure
    assert view.failure.kind == "bad_mesh"
    assert server.orders == 1


def test_a_download_is_redirected_to_no_public_server_and_without_the_secret(run: Run) -> None:
    other = OtherServer(location="https://93.184.216.34/cup.glb")
    with local_servers.serving(other), serving(Custom(header=HEADER)) as server:
        server.answer = {"mesh": f"{other.url}/cup.glb"}
        view = run(server)
    assert view.failure
    assert "not in your own network" in view.failure.message
    assert other.requests
    assert all("authorization" not in headers for headers in other.headers)


@pytest.mark.parametrize(
    ("path", "offered"), [("/generate", ""), ("/make", "hunyuan3d")], ids=["works", "wrong"]
)
def test_a_known_server_is_named_if_the_description_does_not_fit(
    run: Run, path: str, offered: str
) -> None:
    with hunyuan3d.serving(Hunyuan3d()) as server:
        view = run(server, path=path, send_as="json")
    assert (view.failure.provider if view.failure else "") == offered
    assert len(server.orders) == (0 if offered else 1)


# -- the command line, and the page of the manual ------------------------------------------------


def _generate(tmp_path: Path, png: bytes, *arguments: str) -> int:
    (tmp_path / "cup.png").write_bytes(png)
    cup = str(tmp_path / "cup.png")
    return main(["generate", cup, "--provider", "custom", "--json", "--quiet", *arguments])


def test_settings_can_be_given_one_by_one_or_as_a_file(
    tmp_path: Path, png: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = tmp_path / "server.json"
    values = {"send_as": "json", "image_field": "photo", "extra_fields": '{"seed": 1}'}
    shared.write_text(
        json.dumps({"image_to_mesh_settings": 1, "provider": "custom", "settings": values})
    )
    with serving(Custom("json", image_field="photo")) as server:
        given = [f"--set={name}={value}" for name, value in values.items()]
        assert _generate(tmp_path, png, "--address", server.url, *given) == 0
        answer = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (answer["state"], answer["format"], answer["credits"]) == ("ready", "glb", None)
        changed = ("--settings", str(shared), "--set", 'extra_fields={"seed": 2}')
        assert _generate(tmp_path, png, "--address", server.url, "--again", *changed) == 0
    assert server.fields == [{"seed": 1}, {"seed": 2}]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no JSON", "it is not JSON"),
        ("{}", "contains no settings of this version"),
        (
            '{"image_to_mesh_settings": 1, "provider": "custom", "settings": {"a": []}}',
            "no settings",
        ),
        ('{"image_to_mesh_settings": 1, "provider": "nobody", "settings": {}}', "nobody"),
        ('{"image_to_mesh_settings": 1, "provider": "local", "settings": {}}', "for local"),
        ('{"image_to_mesh_settings": 1, "provider": "custom", "settings": {"b": 1}}', "“b”"),
    ],
)
def test_a_file_that_is_wrong_ends_with_2(
    tmp_path: Path, png: bytes, capsys: pytest.CaptureFixture[str], content: str, words: str
) -> None:
    (tmp_path / "server.json").write_text(content)
    with serving(Custom()) as server:
        shared = ("--settings", str(tmp_path / "server.json"))
        assert _generate(tmp_path, png, "--address", server.url, *shared) == 2
    assert words in capsys.readouterr().err
    assert not server.calls


def test_a_strangers_file_cannot_send_the_secret_elsewhere(
    tmp_path: Path, png: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = tmp_path / "server.json"
    for values in (
        {"extra_headers": '{"Host": "evil.example"}'},
        {"path": "//evil.example/x"},
        {"base_url": "http://192.168.1.9"},
        {"custom_base_url": "http://192.168.1.9"},
    ):
        data = {"image_to_mesh_settings": 1, "provider": "custom", "settings": values}
        shared.write_text(json.dumps(data))
        with serving(Custom()) as server:
            assert _generate(tmp_path, png, "--address", server.url, "--settings", str(shared)) == 2
        assert not server.calls
        assert "evil" not in capsys.readouterr().out


def test_a_public_address_without_encryption_ends_with_2(
    tmp_path: Path, png: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _generate(tmp_path, png, "--address", "http://93.184.216.34:8000") == 2
    assert "own network" in capsys.readouterr().err


def test_the_server_in_the_manual_works(tmp_path: Path, png: bytes) -> None:
    """Run the page's own server on a free port, and its command for it."""
    text = PAGE.read_text("utf-8")
    code = re.findall(r"```py\n(.*?)```", text, re.DOTALL)
    assert len(code) == 1
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert code[0].count("8000") == 1
    (tmp_path / "server.py").write_text(code[0].replace("8000", str(port)))
    server = subprocess.Popen(
        [sys.executable, "server.py"], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, stderr=-3
    )
    try:
        _await_port(port)
        (command,) = re.findall(r"`image-to-mesh generate cup\.png (--provider custom .*?)`", text)
        address = ("--address", f"http://127.0.0.1:{port}")
        (tmp_path / "cup.png").write_bytes(png)
        arguments = (*command.split(), *address, "--quiet", "--output", str(tmp_path / "cup.obj"))
        assert main(["generate", str(tmp_path / "cup.png"), *arguments]) == 0
    finally:
        server.terminate()
        server.wait(10)
    assert (tmp_path / "cup.obj").read_text().startswith("v 0.0")


def _await_port(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server has not started")
