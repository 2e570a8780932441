# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of the command line: printable, in any encoding, and to streams that nobody reads."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import FAKES, WORKER
from fakes.running import Orders
from fakes.service import KEY, Service

from image_to_mesh.cli import entry, output

DRIVER = """
import sys
from image_to_mesh import providers
from image_to_mesh.cli import entry
providers.__path__.append({services!r})
entry.find_blender = lambda environment: {worker!r}
sys.exit(entry.main(sys.argv[1:]))
"""
ODD = {
    "name": "\x1b[31mred\x1b]0;title\x07 \u202egnp \x9b2J\ud83d",
    "provider": "\x1b[2Jnobody",
    "created": "2026\n-01",
    "notes": ["\x1b[1m"],
    "failure": {"kind": "failed", "message": "it\x1b[5m says\n\ud83d", "hint": "\u2066x"},
}

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def odd_library(tmp_path: Path) -> Path:
    """A library with a failed job whose texts are hard to print, beside folders with odd names."""
    for job in (JOB, "odd\x1b[31m\udcff", "new\nline"):
        (tmp_path / "library" / job).mkdir(parents=True)
        told = {"id": job, "state": "failed", "schema": 2, **ODD}
        (tmp_path / "library" / job / "job.json").write_text(json.dumps(told))
    return tmp_path / "library"


@pytest.fixture
def run(tmp_path: Path, png: bytes) -> Run:
    """`image-to-mesh …` in a process of its own, with bytes for its output."""
    (tmp_path / "cup.png").write_bytes(png)
    code = DRIVER.format(services=str(FAKES / "services"), worker=WORKER)

    def start(*words: str, env: dict[str, str] | None = None, **how: Any) -> Any:
        how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        return subprocess.run(
            [sys.executable, "-c", code, *words], timeout=60, cwd=tmp_path,
            env={**os.environ, **(env or {})}, **how,
        )  # fmt: skip

    return start


ENCODINGS = {
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ASCII": {"PYTHONIOENCODING": "ascii:strict"},
    "Windows": {"PYTHONIOENCODING": "cp1252:strict"},
    "UTF-8": {"PYTHONIOENCODING": "utf-8:strict"},
    "UTF-16": {"PYTHONIOENCODING": "utf-16:strict"},
}
JOB = "20260101-000000-cup-0000"
COMMANDS = (
    ["jobs"],
    ["jobs", "--json"],
    ["resume", JOB, "--json"],
    ["cancel", JOB],
    ["settle", JOB, "--json"],
    ["resume", "odd\x1b[31m\udcff", "--json"],
    ["cancel", "new\nline"],
    ["generate", "no\x1b[31m猫\udcff.png", "--json"],
    ["batch", "no\x1b[31m猫*.png", "--json"],
)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_command_prints_in_every_encoding(run: Run, odd_library: Path, encoding: str) -> None:
    codec = ENCODINGS[encoding].get("PYTHONIOENCODING", "ascii").partition(":")[0]
    for words in COMMANDS:
        done = run(*words, "--library", str(odd_library), env=ENCODINGS[encoding])
        out, told = done.stdout.decode(codec), done.stderr.decode(codec)
        assert "Traceback" not in told + out, words
        assert all(line.isprintable() for line in (out + told).replace("\ufeff", "").splitlines())
        assert done.returncode in (0, 1, 2), words
        if "--json" in words:
            assert isinstance(json.loads(out.replace("\ufeff", "").splitlines()[-1]), dict)


def test_names_stay_readable_where_the_terminal_knows_them(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cup.png").rename(tmp_path / "猫.png")
    done = run("generate", "猫.png", "--json", "--library", "library",
               env={"PYTHONIOENCODING": "utf-8"})  # fmt: skip
    assert json.loads(done.stdout)["state"] == "ready"
    done = run("jobs", "--library", "library", env={"PYTHONIOENCODING": "utf-8"})
    assert "猫" in done.stdout.decode()
    done = run("jobs", "--library", "library", env={"PYTHONIOENCODING": "cp1252"})
    assert "\\u732b" in done.stdout.decode("cp1252")


@pytest.mark.parametrize("words", [["providers"], ["providers", "--json"], ["jobs"]])
def test_a_closed_pipe_causes_no_traceback(run: Run, odd_library: Path, words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    place = ["--library", str(odd_library)] if words == ["jobs"] else []
    done = run(*words, *place, stdout=writing)
    os.close(writing)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert done.returncode == 1
    assert b"Cannot write the output" in done.stderr


def test_a_full_disk_behind_the_output_is_reported_in_one_sentence(run: Run) -> None:
    with Path("/dev/full").open("wb") as full:
        done = run("providers", stdout=full)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"No space left on device" in done.stderr


def test_a_job_finishes_even_if_nothing_reads_its_progress(run: Run, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run("generate", "cup.png", "--library", "library", "--json", stderr=writing)
    os.close(writing)
    assert done.returncode == 0
    assert json.loads(done.stdout)["state"] == "ready"


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-", "0<&-"])
def test_missing_output_streams_do_not_stop_a_job(run: Run, tmp_path: Path, closed: str) -> None:
    code = DRIVER.format(services=str(FAKES / "services"), worker=WORKER)
    (tmp_path / "run.py").write_text(code)
    words = f"{sys.executable} run.py generate cup.png --library library --output out.glb {closed}"
    done = subprocess.run(["sh", "-c", words], cwd=tmp_path, capture_output=True, timeout=60)
    assert done.returncode == 0
    assert (tmp_path / "out.glb").read_bytes().startswith(b"glTF")


def test_the_exit_code_survives_when_the_answer_cannot_be_printed(
    run: Run, tmp_path: Path, service: Service
) -> None:
    env = {"REHEARSAL_API_KEY": "wrong-key-0123456789", "REHEARSAL_BASE_URL": service.url}
    with Path("/dev/full").open("wb") as full:
        done = run("generate", "cup.png", "--provider", "rehearsal", "--json", "--library",
                   "library", env=env, stdout=full)  # fmt: skip
    assert done.returncode == 3


def test_an_unexpected_exception_is_one_sentence_and_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TRIPO_API_KEY", KEY)

    def broken(*_: object) -> None:
        raise ZeroDivisionError(f"with {KEY} and \x1b[31m{base64.b64encode(KEY.encode()).decode()}")

    monkeypatch.setattr(entry, "library_index", broken)
    code = entry.main(["jobs", "--json", "--library", str(tmp_path)])
    out, told = capsys.readouterr()
    said = json.loads(out)
    assert code != 0
    assert said["error"]["kind"] == "unexpected"
    assert said["error"]["message"].endswith("ZeroDivisionError: with … and …")
    assert KEY not in out + told


def test_no_key_is_printed_in_any_kind_of_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output.redact_keys([KEY, "x"])
    for spelled in (KEY, KEY.replace("-", "\\u002d"), base64.b64encode(KEY.encode()).decode()):
        output.print_line(f"a {spelled} x")
        output.print_notice(f"a {spelled} x")
        output.print_json({"a": f"{spelled} x"})
    out, told = capsys.readouterr()
    assert out == 3 * 'a … x\n{"a": "… x"}\n'
    assert told == 3 * "a … x\n"
    output.redact_keys([])


def test_writing_to_a_closed_or_missing_stream_does_nothing() -> None:
    closed = io.StringIO()
    closed.close()
    output.write_line(closed, "x")
    output.write_line(None, "x")
    assert not output.is_terminal(closed)
    assert not output.is_terminal(None)


@pytest.mark.parametrize("value", ["two\nlines-0123", "smart“quotes”-0123", "ключ-0123456789"])
def test_a_key_that_no_header_can_carry_is_refused_by_name(
    run: Run, tmp_path: Path, service: Service, value: str
) -> None:
    env = {"REHEARSAL_API_KEY": value, "REHEARSAL_BASE_URL": service.url}
    done = run(
        "generate", "cup.png", "--provider", "rehearsal", "--json", "--library", "l", env=env
    )
    assert done.returncode == 3
    assert "contains invalid characters" in json.loads(done.stdout)["error"]["message"]
    assert value.encode() not in done.stdout + done.stderr
    assert not service.requests, "a request was sent"
    done = run("providers", env={**env, "TRIPO_API_KEY": value})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"(no key set)") >= 2


@pytest.mark.parametrize("name", ["NUL.glb", "con.obj", "x" * 252 + ".glb"])
def test_an_output_name_that_some_system_cannot_write_is_refused_before_the_order(
    run: Run, tmp_path: Path, name: str
) -> None:
    done = run("generate", "cup.png", "--output", name, "--json", "--library", "library")
    assert done.returncode == 2
    assert "not a valid file name" in json.loads(done.stdout)["error"]["message"]
    assert not (tmp_path / "library").exists()


def test_progress_of_a_service_with_odd_words_is_printable(
    orders: Orders, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from image_to_mesh.cli.running import _progress_line

    view = orders.end()
    output.print_notice(_progress_line(replace(view, phase="\x1b[31mdone\r\n\ud83d", fraction=0.5)))
    assert capsys.readouterr().err == " 50 % done �\n"
