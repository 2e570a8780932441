# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits for the lengths of files and functions, and docstrings that must exist."""

from __future__ import annotations

import ast
import statistics
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import package
import places
from fakes.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

PRODUCT_FILE, FILE, PROVIDER_FILE, FOLDER = 350, 450, 250, 15
FUNCTION, MOST_FUNCTIONS, MEDIAN_FUNCTION = 60, 30, 9

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file of Python."""

    file: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Its number of lines."""
        return len(self.text.splitlines())

    def functions(self) -> Iterator[Function]:
        """Return its functions and methods, inner ones included."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


@cache
def _sources() -> tuple[Source, ...]:
    files = [file for file in package.known_files() if file.endswith(".py")]
    texts = {file: (places.ROOT / file).read_text("utf-8") for file in files}
    return tuple(Source(file, text, parse(text)) for file, text in texts.items())


def _product() -> list[Source]:
    return [source for source in _sources() if package.is_product(source.file)]


def _providers() -> list[Source]:
    return [source for source in _product() if source.file.startswith("providers/")]


def _length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_files_are_short() -> None:
    product = {source.file for source in _product()}
    long = [
        f"{source.file}: {source.lines}"
        for source in _sources()
        if source.lines > (PRODUCT_FILE if source.file in product else FILE)
    ]
    assert not long, "\n".join(long)


def test_product_folders_are_small() -> None:
    counts = Counter(source.file.rpartition("/")[0] for source in _product())
    large = {folder: count for folder, count in counts.items() if folder and count > FOLDER}
    assert not large, large


def test_a_service_fits_in_a_short_file() -> None:
    files = {source.file.removeprefix("providers/"): source.lines for source in _providers()}
    services = {file: lines for file, lines in files.items() if file[0] != "_" and "/" not in file}
    assert services, "no services were found"
    assert {file: lines for file, lines in services.items() if lines > PROVIDER_FILE} == {}


def test_no_function_is_long() -> None:
    long = [
        f"{source.file}:{function.lineno} {function.name}: {_length(function)}"
        for source in _sources()
        for function in source.functions()
        if _length(function) > FUNCTION
    ]
    assert not long, "\n".join(long)


def test_most_functions_are_short() -> None:
    lengths = sorted(_length(function) for source in _product() for function in source.functions())
    assert statistics.median(lengths) <= MEDIAN_FUNCTION
    assert lengths[round(0.95 * (len(lengths) - 1))] <= MOST_FUNCTIONS


def _missing_annotations(function: Function) -> list[str]:
    named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    starred = [item for item in (function.args.vararg, function.args.kwarg) if item]
    missing = [item.arg for item in (*named, *starred) if item.annotation is None]
    absent = [name for name in missing if name not in ("self", "cls")]
    return absent if function.returns is not None else [*absent, "return"]


def test_everything_is_annotated() -> None:
    missing = [
        f"{source.file}:{function.lineno} {function.name}: {', '.join(absent)}"
        for source in _sources()
        for function in source.functions()
        if (absent := _missing_annotations(function)) and not _is_bare_init(function, absent)
    ]
    assert not missing, "\n".join(missing)


def _is_bare_init(function: Function, absent: list[str]) -> bool:
    """An `__init__` with annotated parameters says no more by `-> None`."""
    return function.name == "__init__" and absent == ["return"] and len(function.args.args) > 1


def test_every_module_says_what_it_is_for() -> None:
    assert [source.file for source in _sources() if not ast.get_docstring(source.tree)] == []


def test_every_file_carries_the_license() -> None:
    header = "# SPDX-License-Identifier: GPL-3.0-or-later\n"
    assert [source.file for source in _sources() if not source.text.startswith(header)] == []


def _public(body: list[ast.stmt], inherited: frozenset[str], within: str = "") -> Iterator[str]:
    """Return the names of public classes and functions without a docstring."""
    for node in body:
        if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node) and node.name not in inherited:
            yield f"{within}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _public(node.body, inherited, f"{node.name}.")


def _contract() -> tuple[Source, ast.ClassDef]:
    """Return the base class of all providers, and its file."""
    return next(
        (source, node)
        for source in _providers()
        for node in source.tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Provider"
    )


def test_public_things_of_the_providers_are_documented() -> None:
    base, contract = _contract()
    inherited = frozenset(node.name for node in contract.body if isinstance(node, Function))
    silent = [
        f"{source.file}: {name}"
        for source in _providers()
        for name in _public(source.tree.body, frozenset() if source is base else inherited)
    ]
    assert not silent, "\n".join(silent)
