# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line where addresses, proxies and certificate bundles are set wrongly."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes.failing import nothing
from fakes.lines import answering

from image_to_mesh.jobs import Library, State

pytestmark = pytest.mark.once

KEYS = {
    "tripo": ("TRIPO_API_KEY", "tsk_" + 40 * "a", "TRIPO_BASE_URL"),
    "tripo_v2": ("TRIPO_API_KEY", "tsk_" + 40 * "a", "TRIPO_V2_BASE_URL"),
    "scenario": ("SCENARIO_SDK_API_KEY", "api_" + 20 * "a", "SCENARIO_BASE_URL"),
    "aiml_triposr": ("AIML_API_KEY", 32 * "a", "AIML_BASE_URL"),
    "aiml_magic": ("AIML_API_KEY", 32 * "a", "AIML_BASE_URL"),
}
PROGRAM = "import sys; from image_to_mesh import cli; sys.exit(cli.main(sys.argv[1:]))"


class Line:
    """Runs `generate` with a service's address and a picture's address: nothing is uploaded."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.library = folder / "library"
        self._set = monkeypatch.setenv
        self._set("SCENARIO_SDK_API_SECRET", 20 * "s")

    def generate(self, provider: str, address: str, *words: str) -> tuple[int, dict[str, Any]]:
        """Return the exit code and the JSON object."""
        name, key, where = KEYS[provider]
        self._set(name, key)
        self._set(where, address)
        return self.run("generate", "https://pictures.example/cup.png", "--provider", provider)

    def run(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Return a command's exit code and its JSON object."""
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words, "--library", str(self.library), "--json"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout.splitlines()[-1])

    def records(self) -> list[State]:
        """Return the states of all jobs."""
        return [row.state for row in Library(self.library).all()[0]]


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Line:
    """A command line with a library of its own."""
    return Line(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("provider", "address"),
    [
        ("tripo", "openapi.tripo3d.ai/v3"),
        ("tripo_v2", "http://elsewhere.example"),
        ("scenario", "https://[::1"),
        ("aiml_triposr", "http://2130706433"),
        ("aiml_magic", "https://user@a.example"),
    ],
)
def test_a_bad_address_exits_with_2_and_names_the_variable(
    line: Line, provider: str, address: str
) -> None:
    code, said = line.generate(provider, address)
    assert (code, said["error"]["kind"]) == (2, "invalid_settings")
    assert address in said["error"]["message"]
    assert KEYS[provider][2] in said["error"]["hint"]
    assert not line.library.exists() or line.records() == []


@pytest.mark.parametrize(
    ("provider", "variable", "value", "says"),
    [
        ("tripo", "https_proxy", "http://127.0.0.1:{gone}", "through the proxy"),
        ("aiml_triposr", "ALL_PROXY", "socks5h://127.0.0.1:{gone}", "uses SOCKS"),
        ("tripo_v2", "https_proxy", "http://[::1", "cannot be used"),
        ("scenario", "REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem", "bundle.pem cannot be used"),
    ],
)
def test_bad_proxy_or_certificate_settings_exit_with_5_and_the_job_can_be_resumed(
    line: Line,
    monkeypatch: pytest.MonkeyPatch,
    provider: str,
    variable: str,
    value: str,
    says: str,
) -> None:
    with answering(nothing) as gone:
        port = gone.port
    monkeypatch.setenv(variable, value.format(gone=port))
    code, said = line.generate(provider, "https://service.example")
    assert (code, said["error"]["kind"]) == (5, "unreachable")
    assert says in said["error"]["message"]
    assert variable in f"{said['error']['message']} {said['error']['hint']}"
    assert line.records() == [State.QUEUED]
    assert said["state"] == "queued"
