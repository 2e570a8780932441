# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line in its own process: exit codes, JSON, and sentences instead of tracebacks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fakes import FAKES, WORKER
from fakes.png import png_of
from fakes.service import KEY, Service

DRIVER = """
import sys
from image_to_mesh import providers
from image_to_mesh.cli import entry
providers.__path__.append({services!r})
entry.find_blender = lambda environment: {worker!r}
sys.exit(entry.main(sys.argv[1:]))
"""


class Cli:
    """Runs `image-to-mesh` with the rehearsal provider dropped in and the fake worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library = folder / "library"
        self.worker: tuple[str, ...] | None = WORKER

    def command(self, *words: str) -> list[str]:
        """Return the whole command."""
        code = DRIVER.format(services=str(FAKES / "services"), worker=self.worker)
        return [sys.executable, "-c", code, *words]

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=60, cwd=self.folder
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def generate(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run `generate … --json` and return the exit code and the object of the last line."""
        done = self("generate", *words, "--library", str(self.library), "--json")
        return done.returncode, json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def cli(tmp_path: Path, png: bytes) -> Cli:
    """A command line in a folder with a picture."""
    (tmp_path / "cup.png").write_bytes(png)
    return Cli(tmp_path)


def test_generate_prints_one_json_object_with_the_documented_keys(cli: Cli) -> None:
    code, said = cli.generate("cup.png", "--set", "face_count=500")
    assert code == 0
    assert list(said) == [
        "job", "state", "provider", "file", "format", "faces", "credits", "seconds", "error",
    ]  # fmt: skip
    assert (said["state"], said["provider"], said["format"]) == ("ready", "local", "glb")
    assert (said["faces"], said["error"]) == (7, None)
    assert Path(said["file"]).parent == cli.library / said["job"]
    record = json.loads((cli.library / said["job"] / "job.json").read_text())
    assert record["settings"]["face_count"] == 500


def test_output_gets_the_file_extension_of_its_format(cli: Cli) -> None:
    code, said = cli.generate("cup.png", "--output", "out.fbx")
    assert code == 0
    assert said["file"] == str(cli.folder / "out.glb")
    assert (cli.folder / "out.glb").read_bytes().startswith(b"glTF")
    code, said = cli.generate("cup.png", "--output", "out.blend")
    assert (cli.folder / "out.blend").read_bytes() == b"BLENDER"


def test_progress_goes_to_standard_error_and_quiet_means_quiet(cli: Cli) -> None:
    done = cli("generate", "cup.png", "--library", "library")
    assert "Working" in done.stderr
    assert "Working" not in done.stdout
    assert "mesh.glb" in done.stdout
    done = cli("generate", "cup.png", "--library", "library", "--quiet")
    assert "Working" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.png"], "does not exist"),
        (["."], "folder"),
        (["ftp://example.com/a.png"], "https"),
        (["http://example.com/a.png"], "https"),
        (["cup.png", "--provider", "nobody"], "no provider"),
        (["cup.png", "--set", "face_count=1"], "200 to 1000000"),
        (["cup.png", "--set", "face_count"], "NAME=VALUE"),
        (["cup.png", "--set", "faces=3"], "no setting"),
        (["cup.png", "--set", "shape=ball"], "inflate, relief, cutout, spin, body"),
        (["cup.png", "--view", "left=cup.png"], "does not support the “left” view"),
        (["cup.png", "--output", "out.txt"], "extension"),
        (["cup.png", "--output", "nowhere/out.glb"], "does not exist"),
        (["cup.png", "--output", "folder.glb"], "is a folder"),
        (["cup.png", "--view", "front=cup.png"], "same view"),
        (["text.png"], "not an image file"),
        (["empty.png"], "empty"),
        (["cut.jpg"], "damaged or incomplete"),
        (["tiny.png"], "at least 32 × 32"),
        (["wide.png"], "at most 8192"),
    ],
)
def test_wrong_usage_exits_with_2_and_creates_no_job(cli: Cli, words: list[str], said: str) -> None:
    (cli.folder / "folder.glb").mkdir()
    (cli.folder / "text.png").write_text("hello")
    (cli.folder / "empty.png").write_bytes(b"")
    (cli.folder / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0\0\x10JFIF")
    (cli.folder / "tiny.png").write_bytes(png_of(10, 10))
    (cli.folder / "wide.png").write_bytes(png_of(12000, 40))
    code, object_ = cli.generate(*words)
    assert code == 2
    error = object_["error"]
    assert said in f"{error['message']} {error['hint']}"
    assert not cli.library.exists() or not list(cli.library.iterdir())


@pytest.mark.parametrize(
    ("fault", "code", "kind"),
    [
        ({"fail": True}, 1, "failed"),
        ({"no_credits": True}, 4, "no_credits"),
        ({"swallow_submit": True}, 6, "uncertain"),
        ({"mesh": b"<html>"}, 7, "bad_mesh"),
    ],
)
def test_failures_end_with_the_documented_exit_codes(
    cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any],
    code: int, kind: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    for name, value in fault.items():
        setattr(service, name, value)
    returned, said = cli.generate("cup.png", "--provider", "rehearsal")
    assert (returned, said["error"]["kind"]) == (code, kind)
    assert len(service.submits) <= 1


def test_a_missing_key_a_refused_key_and_no_answer_have_exit_codes_of_their_own(
    cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = cli.generate("cup.png", "--provider", "rehearsal")
    assert (code, said["error"]["kind"]) == (3, "missing_key")
    monkeypatch.setenv("REHEARSAL_API_KEY", "wrong-key-4711")
    done = cli("generate", "cup.png", "--provider", "rehearsal", "--library", "l", "--json")
    assert done.returncode == 3
    assert "wrong-key-4711" not in done.stdout + done.stderr
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    service.takes = 30
    code, said = cli.generate("cup.png", "--provider", "rehearsal", "--timeout", "1.5")
    assert (code, said["error"]["kind"], said["state"]) == (5, "timed_out", "running")


def test_resume_fetches_paid_results_and_submits_nothing(
    cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    service.takes = 4
    code, said = cli.generate("cup.png", "--provider", "rehearsal", "--timeout", "1.5")
    assert code == 5
    where = ("--library", str(cli.library), "--json")
    done = cli("resume", said["job"], *where)
    again = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, again["state"], again["job"]) == (0, "ready", said["job"])
    assert Path(again["file"]).read_bytes() == service.mesh
    assert len(service.submits) == 1
    assert cli("resume", *where).returncode == 0
    assert cli("resume", "nobody", *where).returncode == 2


def test_the_local_provider_without_blender_reports_that_it_needs_one(cli: Cli) -> None:
    cli.worker = None
    code, said = cli.generate("cup.png")
    assert (code, said["error"]["kind"]) == (2, "no_blender")
    assert "bpy" in said["error"]["hint"]


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("answers_after", [0.0, 1.5])
def test_an_interrupt_exits_with_130_and_keeps_the_job(
    cli: Cli, service: Service, monkeypatch: pytest.MonkeyPatch, word: signal.Signals,
    answers_after: float,
) -> None:  # fmt: skip
    """The answer to an order is waited for: without it, its id would be lost."""
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    service.takes, service.submit_takes = 30, answers_after
    words = ("generate", "cup.png", "--provider", "rehearsal", "--library", str(cli.library))
    process = subprocess.Popen(
        cli.command(*words), cwd=cli.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 20
    while not service.submits and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(word)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert (b"Waiting for pending replies" in said) == bool(answers_after)
    (record,) = cli.library.glob("*/job.json")
    written = json.loads(record.read_text())
    assert (written["state"], bool(written["ticket"])) == ("running", True)


def test_providers_lists_settings_as_json_schema(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_API_KEY", KEY)
    done = cli("providers", "--json")
    rows = {row["id"]: row for row in json.loads(done.stdout.splitlines()[-1])["providers"]}
    assert rows["local"]["key_set"] is None
    assert rows["rehearsal"]["key_set"] is True
    assert rows["local"]["settings"]["properties"]["face_count"]["maximum"] == 1_000_000
    assert KEY not in done.stdout
    text = cli("providers").stdout
    assert "local: Built-in (Offline) (no key needed)" in text
    assert "face_count = 40000" in text


def test_jobs_lists_the_library(cli: Cli) -> None:
    _, said = cli.generate("cup.png")
    (cli.library / "broken").mkdir()
    (cli.library / "broken" / "job.json").write_text("{")
    done = cli("jobs", "--library", str(cli.library), "--json")
    list_jobs = json.loads(done.stdout.splitlines()[-1])
    assert [(row["id"], row["state"], row["image"]) for row in list_jobs["jobs"]] == [
        (said["job"], "ready", "cup")
    ]
    assert len(list_jobs["problems"]) == 1
    done = cli("jobs", "--library", str(cli.library))
    assert said["job"] in done.stdout
    assert "broken" in done.stderr


def test_jobs_can_be_filtered(cli: Cli, png: bytes) -> None:
    (cli.folder / "pot.png").write_bytes(png)
    ids = {name: cli.generate(f"{name}.png")[1]["job"] for name in ("cup", "pot")}

    def list_jobs(*words: str) -> list[str]:
        done = cli("jobs", "--library", str(cli.library), "--json", *words)
        return [row["id"] for row in json.loads(done.stdout.splitlines()[-1])["jobs"]]

    assert list_jobs() == [ids["cup"], ids["pot"]]
    assert list_jobs("--text", "POT") == [ids["pot"]]
    assert list_jobs("--state", "ready", "--provider", "local", "--text", "cup") == [ids["cup"]]
    assert list_jobs("--state", "failed") == []
    assert list_jobs("--provider", "tripo") == []
    assert cli("jobs", "--state", "happy").returncode == 2


def test_no_command_exits_with_2(cli: Cli) -> None:
    assert cli().returncode == 2
    assert cli("frobnicate").returncode == 2
    assert cli("--help").returncode == 0
