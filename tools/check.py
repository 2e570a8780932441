# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the code with ruff, mypy and codespell; `--format` formats it instead."""

from __future__ import annotations

import os
import subprocess
import sys

import environments
import new_provider
import package
import places


def _python_files() -> tuple[list[str], list[str]]:
    """Return the package's files and the others, those not yet added to git included."""
    template = f"{new_provider.TEMPLATE.relative_to(places.ROOT).as_posix()}/"
    known = [file for file in package.known_files() if file.endswith(".py")]
    files = [file for file in known if not file.startswith(template)]
    ours = [file for file in files if package.is_product(file)]
    return ours, [file for file in files if not package.is_product(file)]


def _check_template(python: str, config: str) -> int:
    """Have mypy read the template of a provider where it will be: its imports are relative."""
    root = places.BUILD / "template" / "image_to_mesh"
    files = [str(path) for path in new_provider.write_example(root) if path.suffix == ".py"]
    env = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, (root.parent, root / "tests")))}
    cache = str(places.BUILD / ".mypy_cache_template")
    command = [python, "-m", "mypy", "--config-file", config, "--cache-dir", cache, *files]
    return subprocess.call(command, cwd=places.ROOT, env=env)


def main() -> int:
    python = str(environments.for_checks())
    if "--format" in sys.argv[1:]:
        fixes = (["check", "--fix-only", "--quiet", "."], ["format", "."])
        return max(subprocess.call([python, "-m", "ruff", *fix], cwd=places.ROOT) for fix in fixes)
    importable = places.link_checkout()
    ours, others = _python_files()
    config = str(places.ROOT / "pyproject.toml")
    cache = str(places.BUILD / ".mypy_cache")
    # mypy names modules by the folders that it finds them in: the link gives the root its name.
    env = {**os.environ, "MYPYPATH": os.pathsep.join(
        map(str, (importable, places.ROOT / "tools", places.ROOT / "tests")))}  # fmt: skip
    named = [str(importable / "image_to_mesh" / file) for file in ours]
    named += [str(places.ROOT / file) for file in others]
    runs = (
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy", "--config-file", config, "--cache-dir", cache, *named],
        ["codespell_lib", "."],
    )
    codes = [subprocess.call([python, "-m", *run], cwd=places.ROOT, env=env) for run in runs]
    codes.append(_check_template(python, config))
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
