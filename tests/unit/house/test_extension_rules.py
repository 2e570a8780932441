# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the Blender Extensions platform, read from the code: docs/dev/extension-platform.md."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import package
import places
import pytest
from fakes.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN_TEXT = frozenset({"exec", "eval", "compile", "__import__"})
LOADERS = frozenset({"code", "ensurepip", "marshal", "pickle", "pip", "runpy", "shelve", "venv"})
OWN_PROCESS = "worker/main.py"
"""The background process, which has a Python of its own; it imports the files beside it."""
BESIDE = frozenset({"i18n/catalog.py", "jobs/process/find_blender.py",
                    "providers/_comfyui/shipped.py", "providers/_fal/models.py",
                    "operators/images/sample.py",
                    "jobs/steps/system_decoders.py", "operators/presets/__init__.py",
                    "providers/_gradio/plans.py", "providers/_shared/bundled_modules.py",
                    "state/manual.py",
                    "worker/local/subject/salient.py",
                    OWN_PROCESS})  # fmt: skip
"""Files that find what they read beside them; none of them writes there."""
ADDRESS = re.compile(r"https?://[\w-]+(\.[\w-]+)+")


def _files() -> list[str]:
    return [
        file for file in package.known_files() if package.is_product(file) and file.endswith(".py")
    ]


def _nodes(file: str) -> Iterator[ast.AST]:
    return ast.walk(parse((places.ROOT / file).read_text("utf-8")))


def code_from_text(tree: ast.AST) -> bool:
    """Return whether a node runs code that is not in the extension, or imports what could."""
    if isinstance(tree, ast.Call):
        return isinstance(tree.func, ast.Name) and tree.func.id in RUN_TEXT
    if isinstance(tree, ast.Import):
        return any(alias.name.split(".")[0] in LOADERS for alias in tree.names)
    if isinstance(tree, ast.ImportFrom):
        return not tree.level and (tree.module or "").split(".")[0] in LOADERS
    return False


def _is_path_of_modules(node: ast.AST) -> bool:
    """Tell whether a node changes or replaces sys.path."""
    if isinstance(node, ast.Call):
        return re.match(r"sys\.path\.(append|extend|insert)", ast.unparse(node.func)) is not None
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(target and ast.unparse(target).startswith("sys.path") for target in targets)


def test_nothing_runs_code_that_is_not_in_the_extension() -> None:
    assert [file for file in _files() if any(map(code_from_text, _nodes(file)))] == []


@pytest.mark.parametrize(
    "text", ["exec(text)", "import pickle", "from pip import main", "__import__('a')"]
)
def test_code_from_elsewhere_is_noticed(text: str) -> None:
    assert any(map(code_from_text, ast.walk(ast.parse(text))))


def test_blenders_python_keeps_its_path() -> None:
    changed = [file for file in _files() if any(map(_is_path_of_modules, _nodes(file)))]
    assert changed == [OWN_PROCESS]


def test_few_files_know_where_the_extension_is() -> None:
    found = {
        file
        for file in _files()
        for node in _nodes(file)
        if (isinstance(node, ast.Name) and node.id == "__file__")
        or (isinstance(node, ast.Constant) and node.value == "__file__")
    }
    assert found == BESIDE


def test_only_services_have_addresses_in_the_code() -> None:
    """The code has no address for version checks, usage statistics or downloads of code."""
    found = {
        file
        for file in _files()
        for node in _nodes(file)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and ADDRESS.search(node.value)
        and not file.startswith("providers/")
    }
    # The address of the hosted manual, if there is one, and those of weights.
    assert found <= {"state/manual.py", "jobs/weights/table.py"}
