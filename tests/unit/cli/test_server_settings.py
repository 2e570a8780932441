# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a server on the command line: listed on request, checked, sent with their type."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER
from fakes.glb import triangle_glb
from fakes.workshop import SERVICES, Workshop, serving

from image_to_mesh.jobs import Library, State

DRIVER = """
import sys
from image_to_mesh import providers
from image_to_mesh.cli import entry
providers.__path__.append({services!r})
entry.find_blender = lambda environment: {worker!r}
sys.exit(entry.main(sys.argv[1:]))
"""


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    """The fake server."""
    with serving(Workshop(mesh=triangle_glb(5))) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, png: bytes) -> Path:
    """A folder with a picture and a table."""
    (tmp_path / "cup.png").write_bytes(png)
    return tmp_path


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with the workshop's provider beside the real ones."""
    code = DRIVER.format(services=SERVICES, worker=WORKER)
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True, text=True, timeout=60, cwd=folder, check=False,
    )  # fmt: skip


def generate(folder: Path, workshop: Workshop, *words: str) -> tuple[int, dict[str, Any]]:
    """Run `generate … --json`; return the exit code and the last line's object."""
    given = ("--provider", "workshop", "--address", workshop.url, "--library", "library", "--json")
    done = run(folder, "generate", "cup.png", *given, *words)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_providers_lists_them_when_it_gets_an_address(folder: Path, workshop: Workshop) -> None:
    named = ("--provider", "workshop", "--address", workshop.url)
    done = run(folder, "providers", "--json", *named)
    assert done.returncode == 0, done.stderr
    rows = {row["id"]: row for row in json.loads(done.stdout.splitlines()[-1])["providers"]}
    found = rows["workshop"]
    steps = found["settings"]["properties"]["steps"]
    assert (steps["type"], steps["minimum"], steps["maximum"]) == ("integer", 10, 100)
    assert found["settings"]["properties"]["resolution"]["enum"] == [512, 1024]
    assert found["server"]["address"] == workshop.url
    assert "cfg.scale" in found["server"]["settings"]
    assert set(rows) == {"workshop"}
    assert workshop.requests == [("GET", "/settings/fast")]


def test_they_depend_on_the_declared_settings(folder: Path, workshop: Workshop) -> None:
    words = ("providers", "--address", workshop.url, "--set", "model=fine")
    done = run(folder, *words, "--provider", "workshop")
    assert "steps = 80" in done.stdout
    assert "tripo" not in done.stdout
    assert workshop.requests == [("GET", "/settings/fine")]


def test_without_an_address_no_server_is_asked(folder: Path, workshop: Workshop) -> None:
    done = run(folder, "providers")
    assert "those of the server: --address URL" in done.stdout
    assert workshop.requests == []


def test_set_reaches_the_server_with_its_type(folder: Path, workshop: Workshop) -> None:
    (folder / "graph.json").write_text('{"9": {}}')
    given = {"steps": "35", "cfg.scale": "3", "resolution": "1024", "finish": "gloss",
             "cut out": "false", "seed": "18446744073709551615", "graph": "graph.json"}  # fmt: skip
    words = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
    code, said = generate(folder, workshop, *words)
    assert (code, said["state"], said["format"]) == (0, "ready", "glb")
    (order,) = workshop.orders
    assert order == {
        "values": {
            "model": "fast", "steps": 35, "cfg.scale": 3.0, "resolution": 1024, "finish": "gloss",
            "cut out": False, "prompt": "", "seed": 2**64 - 1, "center": None,
        },
        "graph": '{"9": {}}',
    }  # fmt: skip
    assert isinstance(order["values"]["cfg.scale"], float)
    record = json.loads((folder / "library" / said["job"] / "job.json").read_text())
    assert record["settings"] == {**order["values"], "graph": "graph.json"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("steps=300", "Steps (steps) cannot be “300”."),
        ("steps=33", "in steps of 5"),
        ("resolution=2048", "512, 1024"),
        ("step=30", "Did you mean “steps”?"),
        ("graph=missing.json", "no such file"),
    ],
)
def test_what_the_server_would_refuse_is_refused_before(
    given: str, message: str, folder: Path, workshop: Workshop
) -> None:
    code, said = generate(folder, workshop, "--set", given)
    assert code == 2
    assert message in f"{said['error']['message']} {said['error']['hint']}"
    assert workshop.orders == []


def test_a_server_that_does_not_answer_is_named(folder: Path, workshop: Workshop) -> None:
    workshop.rows = {}
    code, said = generate(folder, workshop)
    assert code != 0
    assert "did not say its settings" in said["error"]["message"]
    assert workshop.orders == []


def test_a_batch_asks_the_server_once(folder: Path, workshop: Workshop) -> None:
    (folder / "table.csv").write_text("image,steps\ncup.png,35\ncup.png,40\ncup.png,7\n")
    words = ("--provider", "workshop", "--address", workshop.url, "--library", "library", "--json")
    done = run(folder, "batch", "table.csv", *words)
    rows = json.loads(done.stdout.splitlines()[-1])
    assert (rows["done"], rows["failed"]) == (2, 1)
    assert sorted(order["values"]["steps"] for order in workshop.orders) == [35, 40]
    assert workshop.calls("/settings/fast") == 1


def test_a_job_is_resumed_without_asking_the_server(
    folder: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = generate(folder, workshop, "--set", "steps=35")
    assert code == 0
    library = Library(folder / "library")
    record = library.load(said["job"])
    library.save(replace(record, state=State.QUEUED, ticket=None, submitted=None, mesh=None,
                         files=()))  # fmt: skip
    workshop.requests.clear()
    monkeypatch.setenv("WORKSHOP_BASE_URL", workshop.url)
    done = run(folder, "resume", said["job"], "--library", "library")
    assert done.returncode == 0, done.stderr
    assert workshop.calls("/settings/fast") == 0
    assert workshop.orders[1]["values"]["steps"] == 35


@pytest.mark.parametrize("provider", ["local", "tripo"])
def test_a_key_goes_to_no_address_of_the_command_line(
    provider: str, folder: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPO_API_KEY", "tsk_1234567890")
    words = ("--provider", provider, "--address", workshop.url, "--library", "library", "--json")
    done = run(folder, "generate", "cup.png", *words)
    assert done.returncode == 2
    assert "does not take --address" in done.stdout
    assert workshop.requests == []


def test_an_address_that_must_not_be_called_is_refused(folder: Path) -> None:
    words = ("--provider", "workshop", "--address", "ftp://127.0.0.1:9", "--json")
    done = run(folder, "generate", "cup.png", "--library", "library", *words)
    assert done.returncode == 2
    assert "--address" in done.stdout
