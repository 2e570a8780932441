# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up service is one file of the product, with its tests, its fake and its page.

Each test drops files into a copy of the checkout, and runs there what a contributor would run.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import new_provider
import places
import pytest
from fakes import FAKES
from fakes.checkout import OVERVIEWS, add_provider, copy_checkout
from fakes.checkout import run_in as run

TESTS = "tests/unit/providers"
CONTRACT = f"{TESTS}/test_providers_contract.py"
COPIED = (
    *("providers", "jobs", "scene", "tools", "tests/fakes", "tests/conftest.py"),
    *("tests/pytest.ini", "tests/unit/conftest.py", TESTS),
    *("__init__.py", "cli", "blender_manifest.toml"),
)
PAGES = (*OVERVIEWS, "service-*.md")
HOUSE = "tests/unit/house"
OF_ALL_FILES = [
    f"{HOUSE}/test_{name}.py" for name in ("service_names", "rooms", "lazy_names", "dev_pages")
]
"""Tests that read every file of the product, or ask every provider."""
UNDER_FAULTS = [
    "tests/unit/jobs/test_submit_once.py",
    "tests/unit/jobs/steps/test_repeated_order.py",
    "tests/unit/jobs/steps/test_check_images.py",
    f"{TESTS}/test_network_faults.py",
]
"""Tests that order from every service."""


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


@pytest.mark.once
@pytest.mark.timeout(300)
def test_a_new_provider_needs_no_other_file_of_code(tmp_path: Path) -> None:
    name = "stone_mason"
    root = copy_checkout(tmp_path / "any name")
    tests = f"{TESTS}/test_{name}.py"
    assert add_provider(root, name) == {
        f"providers/{name}.py", tests, f"tests/fakes/{name}.py", f"docs/service-{name}.md"
    }  # fmt: skip
    printed = run(root, "-m", "pytest", CONTRACT, tests, "-v")
    assert f"test_the_declaration_of_every_provider_is_complete[{name}] PASSED" in printed
    assert f"[{name}.face_limit] PASSED" in printed
    assert "test_a_job_runs_from_image_to_mesh PASSED" in printed
    run(root, "-m", "pytest", *OF_ALL_FILES)
    printed = run(root, "-m", "pytest", *UNDER_FAULTS, "-k", f"{name} and not drip", "-v")
    for test in UNDER_FAULTS:
        assert f"{test.removeprefix('tests/')}::" in printed


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
