# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up service is one file: dropped into a copy of the product, everything knows it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import places
import pytest
from fakes import FAKES

CONTRACT = "tests/unit/providers/test_providers_contract.py"
COPIED = (
    *("providers", "jobs", "scene", "tools", "tests/fakes", "tests/conftest.py"),
    *("tests/pytest.ini", "tests/unit/conftest.py", CONTRACT),
    *("__init__.py", "cli", "blender_manifest.toml"),
)


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """Copy what the contract test and the command line need, and drop the file in."""
    root = tmp_path / "any name"
    for name in COPIED:
        source, target = places.ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    shutil.copyfile(FAKES / "services" / "rehearsal.py", root / "providers" / "rehearsal.py")
    return root


def run(product: Path, *words: str) -> str:
    """Run Python in the copy and return what it printed; it must end well."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        cwd=product,
        env={**environment, "PYTHONPATH": str(product.parent / "path")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_contract_tests_cover_a_new_provider_file(product: Path) -> None:
    said = run(product, "-m", "pytest", CONTRACT, "-v")
    assert "test_declaration_is_complete[rehearsal]" in said
    assert "[rehearsal.face_limit]" in said


def test_the_command_line_offers_a_new_provider_file(product: Path) -> None:
    (product.parent / "path").mkdir()
    (product.parent / "path" / "image_to_mesh").symlink_to(product, target_is_directory=True)
    code = "import sys; from image_to_mesh.cli import main; sys.exit(main(['providers']))"
    said = run(product, "-c", code)
    assert "rehearsal: Rehearsal (no key set)" in said
    assert "face_limit = None" in said
