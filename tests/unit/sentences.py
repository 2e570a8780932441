# SPDX-License-Identifier: GPL-3.0-or-later
"""Every sentence that the code has for people, read from the code itself.

A literal with a space in it is taken for one, whatever it is given to: so none is forgotten. What
no person reads is told by what it is given to (a log, an index, an exception of Python's own), or
stands by name in the test.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import package
import places
from fakes.parsing import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOMS = ("providers/", "jobs/", "worker/", "scene/", "app/", "operators/", "panels/")
ALONE = (
    "state/views.py",
    "state/preflight.py",
    "preferences.py",
    "state/scene_properties.py",
    "state/import_options.py",
)
COMMAND_LINE = frozenset({"jobs/batch/plan.py", "jobs/batch/sources.py"})
"""Speak on the command line alone, which is English."""
UNSAID = frozenset(
    {"KeyError", "LookupError", "TypeError", "ValueError", "compile", "debug", "info", "warning"}
)
PHASES = {"Progress": 0, "tell": 0, "report": 1}
"""Functions that say what is being done, in a word or more, and which of their arguments it is."""
WORDS = re.compile(r"[A-Za-z]{2}")
WORD = re.compile(r"[A-Z][a-z]+")
HOLE = re.compile(r"\{[^{}]*\}")


def said_in(files: tuple[str, ...]) -> dict[str, str]:
    """Return the sentences of files with the place of each, `{}` where a value comes in."""
    return {
        text: f"{file}:{line}"
        for file in files
        for text, line in _said(parsed((places.ROOT / file).read_text("utf-8")))
    }


def templates(files: tuple[str, ...]) -> dict[str, str]:
    """Return the templates of the messages in files with the place of each, fields by name."""
    return {
        _text(node.args[0], named=True): f"{file}:{node.lineno}"
        for file in files
        for node in ast.walk(parsed((places.ROOT / file).read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Message"
    }


def speaking() -> tuple[str, ...]:
    """Return the files of the product whose sentences come before a person in Blender."""
    return tuple(
        file
        for file in package.known_files()
        if package.is_product(file)
        and file.endswith(".py")
        and (file.startswith(ROOMS) or file in ALONE)
        and file not in COMMAND_LINE
    )


def _said(tree: ast.Module) -> Iterator[tuple[str, int]]:
    unsaid = _unsaid(tree)
    for node in ast.walk(tree):
        text = _text(node)
        is_said = " " in text.strip() and not text.startswith("#")
        if node not in unsaid and is_said and WORDS.search(HOLE.sub("", text)):
            yield text, getattr(node, "lineno", 0)
    yield from _phases(tree)


def _phases(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield what is being done where that is said in a single word."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args):
                place = PHASES.get(name, len(args))
                shown = [*args[place : place + 1], *_given(node, "phase")]
            case ast.AnnAssign(target=ast.Name(id="phase"), value=ast.Constant() as value):
                shown = [value]
            case ast.Assign(targets=[ast.Name(id="phase" | "PHASES")], value=value):
                shown = [value]
            case _:
                continue
        for part in shown:
            yield from ((_text(one), node.lineno) for one in ast.walk(part) if _is_word(one))


def _given(call: ast.Call, name: str) -> list[ast.expr]:
    return [one.value for one in call.keywords if one.arg == name]


def _is_word(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and WORD.fullmatch(_text(node)) is not None


def _text(node: ast.AST, *, named: bool = False) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text if named else HOLE.sub("{}", text)
        case ast.JoinedStr(values=values):
            return "".join(_text(one) if isinstance(one, ast.Constant) else "{}" for one in values)
    return ""


def _unsaid(tree: ast.Module) -> set[ast.AST]:
    """Return the literals that are parts of others, or that no person reads."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as text):
                found.add(text)
            case ast.JoinedStr(values=values):
                found.update(one for one in values if isinstance(one, ast.Constant))
            case ast.Subscript(slice=index):
                found.add(index)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in UNSAID:
                found.update(part for given in node.args for part in ast.walk(given))
    return found
