# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the whole checkout with a new provider in it, as a contributor begins one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import new_provider
import package
import places

OVERVIEWS = ("services.md", "index.md")
"""The pages of the manual that link to the page of each service."""


def copy_checkout(root: Path) -> Path:
    """Copy every file that git knows to a new folder, which becomes a checkout; return it."""
    for file in package.known_files():
        target = root / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(places.ROOT / file, target)
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "add", "--all"], check=True)
    return root


def add_provider(root: Path, name: str) -> set[str]:
    """Begin a provider as the page about it says; return the paths of all files that are new."""
    written = new_provider.write_provider(name, root)
    for overview in OVERVIEWS:
        with (root / "docs" / overview).open("a", encoding="utf-8") as page:
            page.write(f"- [A New Service](service-{name}.md)\n")
    return {path.relative_to(root).as_posix() for path in written}


def run_in(root: Path, *words: str, code: int = 0) -> str:
    """Run Python in a copy and return what it printed; it must end with this code."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-B", *words],
        capture_output=True,
        text=True,
        cwd=root,
        env={**environment, "PYTHONPATH": str(root.parent / "path")},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout
