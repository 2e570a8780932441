# SPDX-License-Identifier: GPL-3.0-or-later
"""Find this machine's Python interpreters, and create virtual environments once in the cache.

A function that returns an environment returns its interpreter. It raises Missing without a suitable
Python, and SetupFailed if pip fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import places
import system
import wheels

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIREMENTS = Path(__file__).with_name("requirements")

# The Python and numpy versions that each Blender release ships.
BPY: dict[str, tuple[str, str]] = {
    "4.2.23": ("3.11", "1.24.4"),
    "4.5.15": ("3.11", "1.26.4"),
    "5.0.1": ("3.11", "1.26.4"),
    "5.2.3": ("3.13", "2.3.5"),
}


class Missing(Exception):
    """This machine lacks something that is needed; the message names it."""


class SetupFailed(Exception):
    """An environment could not be set up; the message says why."""


def _candidates(version: str) -> Iterator[str]:
    if sys.version.startswith(version + "."):
        yield sys.executable
    for name in (f"python{version}", "python3"):
        if found := shutil.which(name):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}")))


def _is_usable(python: str, version: str) -> bool:
    """Return whether this is a Python of this version that can create virtual environments.

    A name on the PATH may be a shim without an interpreter; Debian's Python may lack ensurepip.
    """
    question = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [python, "-c", question], capture_output=True, text=True, timeout=30, check=False
        )
    except OSError:
        return False
    return answer.stdout.strip() == version


@cache
def find_python(version: str) -> str | None:
    """Return a Python of this version, such as "3.11", that can create environments, or None."""
    return next((found for found in _candidates(version) if _is_usable(found, version)), None)


def make(name: str, version: str, requirements: list[str]) -> Path:
    """Return the interpreter of an environment with these requirements; create it if needed."""
    python = find_python(version)
    if python is None:
        raise Missing(f"no Python {version} with venv on this machine")
    # Part of the name: an environment breaks if its interpreter is updated or moved.
    base = subprocess.check_output([python, "-c", "import sys; print(sys.version, sys.prefix)"])
    mark = places.fingerprint(base.decode(), *requirements)

    def install(folder: Path) -> None:
        print(f"Setting up {name} (Python {version})", file=sys.stderr, flush=True)
        _run([python, "-m", "venv", str(folder)])
        _run([str(python_of(folder)), "-m", "pip", "install", "--quiet",
              "--disable-pip-version-check", *requirements])  # fmt: skip

    return python_of(places.made_once(f"{name}-py{version}-{mark}", install))


def scripts_of(folder: Path, system: str = os.name) -> Path:
    """Return the folder of a virtual environment's programs; `system` is a value of `os.name`."""
    return folder / ("Scripts" if system == "nt" else "bin")


def python_of(folder: Path, system: str = os.name) -> Path:
    """Return the interpreter of a virtual environment; `system` is a value of `os.name`."""
    return scripts_of(folder, system) / ("python.exe" if system == "nt" else "python")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupFailed(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def _lines(file: str) -> list[str]:
    lines = (REQUIREMENTS / file).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def for_unit(version: str) -> Path:
    """Return the environment of the unit tests: the shipped packages and pytest, without bpy."""
    return make("unit", version, [*wheels.pins(), *_lines("test.txt"), *_lines("unit.txt")])


def for_blender(release: str) -> Path:
    """Return an environment with this release of `bpy`, the shipped packages, and pytest.

    System libraries that bpy lacks are installed if possible. Raise SetupFailed if bpy cannot be
    loaded.
    """
    version, numpy = BPY[release]
    requirements = [f"bpy=={release}", f"numpy=={numpy}", *wheels.pins(), *_lines("test.txt")]
    python = make(f"bpy-{release}", version, requirements)
    if wrong := system.complete(python):
        raise SetupFailed(f"bpy {release} cannot be loaded: {wrong}")
    return python


def for_manual() -> Path:
    """Return the environment that renders the manual."""
    current = f"{sys.version_info.major}.{sys.version_info.minor}"
    version = "3.11" if find_python("3.11") else current
    return make("manual", version, _lines("manual.txt"))


def for_browser() -> Path:
    """Return the environment of the tests that open the manual in a browser.

    Raises Missing without Chromium and its driver, which are installed if possible.
    """
    if missing := system.complete_browser():
        raise Missing(missing)
    return make("browser", "3.11", [*_lines("test.txt"), *_lines("browser.txt")])


def for_checks() -> Path:
    """Return the environment of the linter, the type checker, and the other checks."""
    return make("check", "3.11", [*wheels.pins(), *_lines("test.txt"), *_lines("check.txt")])
