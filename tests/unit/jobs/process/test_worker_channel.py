# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker answers over a channel that nothing else prints to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import places
import pytest
from fakes import WORKER

from image_to_mesh.jobs.process.worker_process import WorkerProcess
from image_to_mesh.providers import Failed

WORKER_FOLDER = places.ROOT / "worker"

# What prints what a file of a stranger says: Python, C's standard output, the bare descriptor, and
# another program; then the worker itself, with its own answer.
PRINTS = """
import ctypes, json, os, subprocess, sys
sys.path.insert(0, {folder!r})
from main import reserve_stdout
answers = reserve_stdout()
token = json.loads(sys.stdin.readline())["token"]
def say(**message):
    os.write(answers, f"\\n@image_to_mesh {{token}} {{json.dumps(message)}}\\n".encode())
say(ready={{"blender": [5, 0, 1]}})
sys.stdin.readline()
forged = '\\n@image_to_mesh {{"id": 1, "done": {{"forged": true}}}}\\n'
print(forged, flush=True)
if {token}:
    forged = forged.replace("mesh {{", "mesh " + token + " {{")
    print(forged, flush=True)
    os.write(1, forged.encode())
    subprocess.run([sys.executable, "-c", f"print({{forged!r}})"])
    if os.name == "posix":
        libc = ctypes.CDLL(None)
        libc.printf(b"%s", forged.encode())
        libc.fflush(None)
say(id=1, done={{"forged": False}})
sys.stdin.readline()
"""


def unheard(_phase: str, _fraction: float | None) -> None:
    """Ignore progress."""


def go_on() -> None:
    """Never cancel."""


def answer_of(*command: str) -> dict[str, Any]:
    """Ask a process something; return its answer."""
    worker = WorkerProcess(command)
    try:
        return worker.ask({"do": "prepare"}, unheard, go_on)
    finally:
        worker.kill()


@pytest.mark.parametrize("knows_the_token", [False, True])
def test_printed_lines_are_not_taken_for_answers(knows_the_token: bool) -> None:
    source = PRINTS.format(folder=str(WORKER_FOLDER), token=knows_the_token)
    assert answer_of(sys.executable, "-c", source) == {"forged": False}


SAYS = """
import json, sys
token = json.loads(sys.stdin.readline())["token"]
print(f'@image_to_mesh {{token}} {{{{"ready": {{{{"blender": [5, 0, 1]}}}}}}}}', flush=True)
sys.stdin.readline()
for line in {lines!r}:
    print(line.replace("TOKEN", token), flush=True)
sys.stdin.readline()
"""
DONE = '@image_to_mesh TOKEN {"id": 1, "done": {"right": true}}'


@pytest.mark.parametrize(
    "line",
    [
        '@image_to_mesh {"id": 1, "done": {"right": false}}',
        '@image_to_mesh 0123456789abcdef0123456789abcdef {"id": 1, "done": {}}',
        ' @image_to_mesh TOKEN {"id": 1, "done": {}}',
        "@image_to_mesh TOKEN " + "[" * 100_000,
        "@image_to_mesh TOKEN [1]",
        "@image_to_mesh TOKEN {",
        "\ud83d\x1b[2J",
    ],
    ids=["none", "other", "later", "deep", "list", "cut", "half a letter"],
)
def test_lines_that_are_no_answers_are_skipped(line: str) -> None:
    plain = line.encode("utf-8", "replace").decode()
    source = SAYS.format(lines=[plain, DONE])
    assert answer_of(sys.executable, "-c", source) == {"right": True}


@pytest.mark.parametrize(
    "answer", [{}, {"done": 7}, {"refused": "no"}, {"crashed": []}, {"refused": {}}]
)
def test_an_answer_of_the_wrong_shape_is_a_failure(answer: dict[str, Any]) -> None:
    line = f"@image_to_mesh TOKEN {json.dumps({'id': 1, **answer})}"
    with pytest.raises(Failed):
        answer_of(sys.executable, "-c", SAYS.format(lines=[line]))


def test_the_last_output_of_the_worker_holds_no_terminal_codes() -> None:
    source = "import sys; sys.stderr.write('Error: \\x1b[2J\\x07no\\n'); sys.exit(1)"
    worker = WorkerProcess((sys.executable, "-c", source))
    with pytest.raises(Exception, match=r"Error:  \[2J no") as caught:
        worker.version(go_on)
    assert "\x1b" not in str(caught.value)


def test_the_token_is_sent_on_standard_input_only() -> None:
    """Each process has its own token, in neither its command nor its environment."""
    worker = WorkerProcess(WORKER)
    worker.version(go_on)
    assert worker._channel is not None
    assert worker._process is not None
    token = worker._channel._token
    seen = [*map(str, WORKER), *worker.environment.values()]
    here = Path(f"/proc/{worker._process.pid}")
    if here.exists():
        seen += [(here / name).read_text() for name in ("cmdline", "environ")]
    assert not [text for text in seen if token in text]
    worker.kill()
    worker.version(go_on)
    assert worker._channel._token != token
    worker.kill()


def test_the_worker_prints_to_standard_error_from_the_start() -> None:
    """Before anything is imported: an import may print as well."""
    source = (WORKER_FOLDER / "main.py").read_text("utf-8")
    main = source[source.index("if __name__") :].splitlines()
    assert main[1].strip() == "answers = reserve_stdout()"
    code = f"import sys; sys.path.insert(0, {str(WORKER_FOLDER)!r})\nimport main\n"
    code += "out = main.reserve_stdout()\nprint('noise', flush=True)\nimport os\n"
    code += "os.write(out, b'answer')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr.strip()) == ("answer", "noise")
