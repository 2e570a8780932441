# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages whose names load on first use: each name exists, and no module has the same name."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import places
import pytest

if TYPE_CHECKING:
    from types import ModuleType

PACKAGES = ("jobs", "providers", "providers._shared.images", "providers._scenario")
LOADED = """
import sys
import image_to_mesh.jobs
print(*(name for name in sys.modules if name.startswith("image_to_mesh.jobs.")))
"""


@pytest.fixture(params=PACKAGES)
def package(request: pytest.FixtureRequest) -> ModuleType:
    return importlib.import_module(f"image_to_mesh.{request.param}")


def _declared_names(package: ModuleType) -> set[str]:
    """Return the names that a package imports for type checkers alone."""
    assert package.__file__ is not None
    tree = ast.parse(Path(package.__file__).read_text("utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name for node in imports for alias in node.names}


def test_type_checkers_and_python_see_the_same_names(package: ModuleType) -> None:
    homes = package._HOMES
    assert {name for names in homes.values() for name in names} == _declared_names(package)


def test_each_name_loads(package: ModuleType) -> None:
    for home, names in package._HOMES.items():
        module = importlib.import_module(f"{package.__name__}.{home}")
        for name in names:
            assert getattr(package, name) is getattr(module, name), name


def test_no_name_is_also_a_module(package: ModuleType) -> None:
    # Importing a submodule sets it as an attribute of its package, over a name loaded earlier.
    files = {path.stem for folder in package.__path__ for path in Path(folder).iterdir()}
    assert not files & {name for names in package._HOMES.values() for name in names}


def test_an_unknown_name_is_an_attribute_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        package.nothing_like_it  # noqa: B018 - reading it is the test


def test_the_jobs_room_loads_nothing_by_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, cwd=places.ROOT
    )
    assert done.stdout.split() == []
