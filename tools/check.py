# SPDX-License-Identifier: GPL-3.0-or-later
"""Check code, spelling, and workflows; `--format` formats the code instead.

The checks run in parallel, one per processor. The whole output of a failed check is shown, and only
the last line of the others.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import bpy_names
import environments
import new_provider
import package
import places

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG = str(places.ROOT / "pyproject.toml")
WORKFLOWS = places.ROOT / ".github" / "workflows"


@dataclass(frozen=True)
class Check:
    """A program in the environment for checks, usually a Python module, and its arguments."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self) -> list[str]:
        """Return the command line; zizmor is a program, all others are Python modules."""
        first, *rest = self.arguments
        if first == "zizmor":
            return [str(Path(_python()).with_name(first)), *rest]
        return [_python(), "-m", first, *rest]

    def run(self) -> tuple[int, str]:
        """Run the check; return its exit code and what it printed."""
        done = subprocess.run(
            self.command(), cwd=places.ROOT, check=False, text=True,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return done.returncode, done.stdout.strip()


class BlenderNames:
    """The run of mypy with stubs for Blender's modules; see `bpy_names.py`."""

    name = "bpy names"

    def run(self) -> tuple[int, str]:
        """Run the check; return its exit code and what to print.

        The code is 1 if a name is misspelled. Raises RuntimeError if mypy does not work as
        expected.
        """
        package_root = places.IMPORTABLE / "image_to_mesh"
        found = bpy_names.find_misspelled(package_root, _blender_files(), _mypy_path())
        return int(bool(found)), "\n".join(found) or "no misspelled name of Blender's"


@cache
def _python() -> str:
    return str(environments.for_checks())


def _python_files() -> tuple[list[str], list[str]]:
    """Return the package's Python files, and all others, including those not yet added to git.

    Those of the provider template are left out: `_template` checks them.
    """
    template = f"{new_provider.TEMPLATE.relative_to(places.ROOT).as_posix()}/"
    known = [file for file in package.known_files() if file.endswith(".py")]
    files = [file for file in known if not file.startswith(template)]
    ours = [file for file in files if package.is_product(file)]
    return ours, [file for file in files if not package.is_product(file)]


def _blender_files() -> list[str]:
    """Return the package's files that import Blender's modules."""
    ours, _ = _python_files()
    texts = {file: (places.ROOT / file).read_text("utf-8") for file in ours}
    return [file for file, text in texts.items() if bpy_names.USES_BLENDER.search(text)]


def _mypy_path() -> dict[str, str]:
    # mypy names modules by the folders that it finds them in: the link gives the root its name.
    folders = (places.IMPORTABLE, places.ROOT / "tools", places.ROOT / "tests")
    return {**os.environ, "MYPYPATH": os.pathsep.join(map(str, folders))}


def _types() -> list[Check]:
    """Return one run of mypy per operating system: each has code that the others skip."""
    ours, others = _python_files()
    files = [str(places.IMPORTABLE / "image_to_mesh" / file) for file in ours]
    files += [str(places.ROOT / file) for file in others]
    systems = [system for system in ("linux", "win32", "darwin") if system != sys.platform]
    # Code for this system is unreachable on the others, as intended.
    options = {sys.platform: (), **dict.fromkeys(systems, ("--no-warn-unreachable",))}
    return [
        Check(
            f"mypy {system}",
            # A cache is valid for one system only; sharing it would make each run start over.
            ("mypy", "--config-file", CONFIG, "--platform", system, *more,
             "--cache-dir", str(places.BUILD / f".mypy_cache_{system}"), *files),
            _mypy_path(),
        )
        for system, more in options.items()
    ]  # fmt: skip


def _template() -> Check:
    """Return the check of the provider template in a copy of the checkout, and make that copy.

    There, the relative imports of the template resolve.
    """
    root = places.BUILD / "template" / "image_to_mesh"
    files = [str(path) for path in new_provider.write_example(root) if path.suffix == ".py"]
    paths = os.pathsep.join(map(str, (root.parent, root / "tests")))
    cached = str(places.BUILD / ".mypy_cache_template")
    arguments = ("mypy", "--config-file", CONFIG, "--cache-dir", cached, *files)
    return Check("mypy template", arguments, {"MYPYPATH": paths})


def _workflow_files() -> list[Path]:
    return sorted(WORKFLOWS.glob("*.yml"))


def checks() -> list[Check | BlenderNames]:
    """Return all checks, the long ones first."""
    workflows = tuple(map(str, _workflow_files()))
    return [
        *_types(),
        BlenderNames(),
        _template(),
        Check("ruff", ("ruff", "check", ".")),
        Check("format", ("ruff", "format", "--check", ".")),
        Check("spelling", ("codespell_lib", ".")),
        Check("workflows", ("check_jsonschema", "--builtin-schema", "vendor.github-workflows",
                            *workflows)),
        Check("workflow safety", ("zizmor", "--offline", "--quiet", "--no-progress",
                                  *workflows)),
    ]  # fmt: skip


def _run(check: Check | BlenderNames) -> bool:
    started = time.monotonic()
    code, output = check.run()
    shown = output if code else (output.splitlines() or ["nothing to say"])[-1]
    print(f"{check.name:16} {time.monotonic() - started:5.1f} s  {shown}", flush=True)
    return not code


def _format() -> int:
    fixes = (["check", "--fix-only", "--quiet", "."], ["format", "."])
    return max(subprocess.call([_python(), "-m", "ruff", *fix], cwd=places.ROOT) for fix in fixes)


def main() -> int:
    if "--format" in sys.argv[1:]:
        return _format()
    places.link_checkout()
    _python()  # Set up once, before the checks need it in parallel.
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        return 0 if all(list(workers.map(_run, checks()))) else 1


if __name__ == "__main__":
    sys.exit(main())
