# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up service is one file of the product, with its tests, its fake and its page.

Each test drops files into a copy of the product, and runs there what a contributor would run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import new_provider
import places
import pytest
from fakes import FAKES

TESTS = "tests/unit/providers"
CONTRACT = f"{TESTS}/test_providers_contract.py"
COPIED = (
    *("providers", "jobs", "scene", "tools", "tests/fakes", "tests/conftest.py"),
    *("tests/pytest.ini", "tests/unit/conftest.py", TESTS),
    *("__init__.py", "cli", "blender_manifest.toml"),
)
OVERVIEWS = ("services.md", "index.md")
PAGES = (*OVERVIEWS, "service-*.md")


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """Copy what the contract test and the command line need."""
    root = tmp_path / "any name"
    pages = [f"docs/{page.name}" for name in PAGES for page in (places.ROOT / "docs").glob(name)]
    for name in (*COPIED, *pages):
        source, target = places.ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    return root


@pytest.fixture
def with_rehearsal(product: Path) -> Path:
    """Drop in a provider that has settings of every kind, and nothing beside its own file."""
    shutil.copyfile(FAKES / "services" / "rehearsal.py", product / "providers" / "rehearsal.py")
    return product


def run(product: Path, *words: str, code: int = 0) -> str:
    """Run Python in the copy and return what it printed; it must end with this code."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        cwd=product,
        env={**environment, "PYTHONPATH": str(product.parent / "path")},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_the_contract_covers_a_new_file_and_demands_its_tests_page_and_fake(
    with_rehearsal: Path,
) -> None:
    printed = run(with_rehearsal, "-m", "pytest", CONTRACT, "-v", code=1)
    assert "test_the_declaration_of_every_provider_is_complete[rehearsal] PASSED" in printed
    assert "[rehearsal.face_limit] PASSED" in printed
    failures = [line for line in printed.splitlines() if line.startswith("FAILED")]
    missing = (
        f"{TESTS}/test_rehearsal.py",
        "docs/service-rehearsal.md",
        "tests/fakes/rehearsal.py",
    )
    assert len(failures) == len(missing), printed
    for file in missing:
        assert f"AssertionError: {file} is missing" in printed


def test_a_page_that_is_not_linked_and_a_fake_that_is_not_used_are_noticed(
    with_rehearsal: Path,
) -> None:
    (with_rehearsal / TESTS / "test_rehearsal.py").write_text("", "utf-8")
    (with_rehearsal / "docs" / "service-rehearsal.md").write_text("# Rehearsal", "utf-8")
    (with_rehearsal / "tests" / "fakes" / "rehearsal.py").write_text("", "utf-8")
    printed = run(with_rehearsal, "-m", "pytest", CONTRACT, "-k", "_has_", code=1)
    assert "docs/services.md does not link to service-rehearsal.md." in printed
    assert f"{TESTS}/test_rehearsal.py does not use tests/fakes/rehearsal.py." in printed
    assert "2 failed" in printed


def test_the_template_passes_the_contract_and_its_own_tests(product: Path) -> None:
    name = "stone_mason"
    tests = f"{TESTS}/test_{name}.py"
    written = new_provider.write_provider(name, product)
    assert {path.relative_to(product).as_posix() for path in written} == {
        f"providers/{name}.py", tests, f"tests/fakes/{name}.py", f"docs/service-{name}.md"
    }  # fmt: skip
    for overview in OVERVIEWS:
        with (product / "docs" / overview).open("a", encoding="utf-8") as page:
            page.write(f"[A New Service](service-{name}.md)\n")
    printed = run(product, "-m", "pytest", CONTRACT, tests, "-v")
    assert f"test_the_declaration_of_every_provider_is_complete[{name}] PASSED" in printed
    assert f"[{name}.face_limit] PASSED" in printed
    assert "test_a_job_runs_from_image_to_mesh PASSED" in printed


@pytest.mark.parametrize("name", ["Acme", "3d", "a-b", "_acme", "../acme", ""])
def test_an_id_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is not an id"):
        new_provider.write_provider(name, tmp_path)


def test_a_provider_that_is_there_is_not_overwritten(with_rehearsal: Path) -> None:
    before = (with_rehearsal / "providers" / "rehearsal.py").read_bytes()
    with pytest.raises(FileExistsError, match=r"rehearsal\.py"):
        new_provider.write_provider("rehearsal", with_rehearsal)
    assert (with_rehearsal / "providers" / "rehearsal.py").read_bytes() == before
    assert not (with_rehearsal / "docs" / "service-rehearsal.md").exists()


def test_the_command_line_offers_a_new_provider_file(with_rehearsal: Path) -> None:
    folder = with_rehearsal.parent / "path"
    folder.mkdir()
    (folder / "image_to_mesh").symlink_to(with_rehearsal, target_is_directory=True)
    code = "import sys; from image_to_mesh.cli import main; sys.exit(main(['providers']))"
    printed = run(with_rehearsal, "-c", code)
    assert "rehearsal: Rehearsal (no key set)" in printed
    assert "face_limit = None" in printed
