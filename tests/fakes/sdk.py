# SPDX-License-Identifier: GPL-3.0-or-later
"""The services' own clients, each in its own environment, to verify the fakes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import environments


def client(name: str, *requirements: str) -> Path:
    """Return the interpreter that has a service's client; raises SetupFailed."""
    return environments.make(f"sdk-{name}", "3.11", list(requirements))


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
