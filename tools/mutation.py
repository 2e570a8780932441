# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards: lines of the product that keep a promise, and how to remove them for a test.

A guard's line is marked `# guard: name`. An entry of that name in `guards/*.toml` lists the tests
that must fail without it. The statement that begins on the line is removed: `if X:` becomes
`if False:`, `except X:` catches nothing, `with X:` is left out, anything else becomes `pass`. On a
line within a statement, the argument, element, or operand of `and` or `or` that begins there is
removed. If nothing begins on the last line of a statement, the whole statement is removed.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import package
import places

ENTRIES = Path(__file__).with_name("guards")
_MARKER = re.compile(r"#\s*guard:\s*(\S+)")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KNOWN = {"tests", "becomes", "when"}


class Unusable(Exception):
    """A guard cannot be removed; the message says why."""


@dataclass(frozen=True)
class Guard:
    """One guard: its place, and the tests that must fail without it.

    `becomes` is the code that replaces it, or None for the default; `when` is the value that
    replaces the condition of an `if` or `while`.
    """

    name: str
    file: str
    line: int
    tests: tuple[str, ...]
    becomes: str | None = None
    when: bool = False

    @property
    def needs_window(self) -> bool:
        """Whether all of its tests need a window."""
        return all(test.startswith("tests/gui/") for test in self.tests)


def marked_lines(text: str) -> list[tuple[str, int]]:
    """Return the name and line number of each guard in a file's text."""
    if "guard:" not in text:
        return []
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    found = [(_MARKER.search(token.string), token.start[0]) for token in comments]
    return [(match.group(1), line) for match, line in found if match]


def markers() -> list[tuple[str, str, int]]:
    """Return all markers of the product: name, file, and line."""
    files = [file for file in package.known_files() if file.endswith(".py")]
    return [
        (name, file, line)
        for file in files
        if package.is_product(file)
        for name, line in marked_lines((places.ROOT / file).read_text("utf-8"))
    ]


def entries(folder: Path = ENTRIES) -> list[tuple[str, dict[str, Any]]]:
    """Return the name and the content of all entries, in the order of their files."""
    tables = [tomllib.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.toml"))]
    return [entry for table in tables for entry in table.items()]


def problems(
    marked: list[tuple[str, str, int]], listed: list[tuple[str, dict[str, Any]]]
) -> list[str]:
    """Return what is wrong: every marker needs exactly one valid entry, every entry one marker."""
    found = []
    names = {name for name, *_ in marked} | {name for name, _ in listed}
    for name in sorted(names):
        places_of = [f"{file}:{line}" for other, file, line in marked if other == name]
        of_name = [entry for other, entry in listed if other == name]
        if not _NAME.fullmatch(name):
            found.append(f"{name!r} is not a name in lower case with hyphens")
        if len(places_of) != 1:
            found.append(f"{name} is marked {len(places_of)} times: {', '.join(places_of)}")
        if len(of_name) != 1:
            found.append(f"{name} has {len(of_name)} entries")
        found += [f"{name}: {wrong}" for entry in of_name for wrong in _wrong_with(entry)]
    return found


def _wrong_with(entry: dict[str, Any]) -> list[str]:
    found = [f"an entry knows no {key!r}" for key in sorted(set(entry) - _KNOWN)]
    tests = entry.get("tests")
    if not tests or not isinstance(tests, list):
        return [*found, "it names no tests"]
    return found + [f"there is no {test}" for test in tests if not _is_there(str(test))]


def _is_there(test: str) -> bool:
    file, _, name = test.partition("::")
    path = places.ROOT / file
    if not file.startswith("tests/") or not path.is_file():
        return False
    wanted = name.partition("[")[0].rpartition("::")[2]
    defined = re.search(rf"^\s*def {re.escape(wanted)}\(", path.read_text("utf-8"), re.MULTILINE)
    return not wanted or defined is not None


def guards() -> list[Guard]:
    """Return all guards that have a marker and a valid entry, sorted by name."""
    found = {name: entry for name, entry in entries() if not _wrong_with(entry)}
    return sorted(
        (
            Guard(name, file, line, tuple(found[name]["tests"]), found[name].get("becomes"),
                  bool(found[name].get("when")))
            for name, file, line in markers()
            if name in found
        ),
        key=lambda guard: guard.name,
    )  # fmt: skip


# -- taking out ------------------------------------------------------------------------------------


def without(text: str, guard: Guard) -> str:
    """Return a file's text without the guard. Raise Unusable if it cannot be removed."""
    source = text.encode()
    tree = ast.parse(source)
    edit = (
        _edit_of_statement(tree, source, guard, "first")
        or _edit_of_part(tree, source, guard)
        or _edit_of_statement(tree, source, guard, "last")
    )
    if edit is None:
        raise Unusable(f"{guard.name}: nothing begins on {guard.file}:{guard.line}")
    start, end, new = edit
    changed = (source[:start] + new.encode() + source[end:]).decode()
    try:
        compile(changed, guard.file, "exec")
    except SyntaxError as error:
        raise Unusable(f"{guard.name}: without it {guard.file} is no Python: {error}") from error
    return changed


Edit = tuple[int, int, str]
"""Start and end of a range in bytes, and the text that replaces it."""


def _edit_of_statement(
    tree: ast.Module, source: bytes, guard: Guard, at: Literal["first", "last"]
) -> Edit | None:
    # ast.walk yields outer nodes first, so this takes the outermost statement that begins on the
    # line, or the innermost that ends there.
    nodes = list(ast.walk(tree))
    for node in nodes if at == "first" else reversed(nodes):
        if not isinstance(node, ast.stmt | ast.ExceptHandler):
            continue
        if not (node.lineno == guard.line if at == "first" else _ends_on(node, guard.line)):
            continue
        if guard.becomes is None:
            return _default(node, source, guard)
        if guard.becomes.rstrip().endswith(":"):
            return _new_header(guard.becomes, node, source)
        indent = "\n" + " " * node.col_offset
        return *_span(source, node), guard.becomes.strip("\n").replace("\n", indent)
    return None


def _ends_on(node: ast.stmt | ast.ExceptHandler, line: int) -> bool:
    """Return whether a statement ends on this line; of `if` and `while`, only the header counts."""
    if isinstance(node, ast.If | ast.While):
        return (node.test.end_lineno or 0) <= line < node.body[0].lineno
    return node.end_lineno == line


def _new_header(header: str, node: Any, source: bytes) -> Edit:
    """Return the edit that replaces a compound statement's header and keeps its body."""
    first = node.body[0]
    new = f"{header.rstrip()}\n{' ' * first.col_offset}"
    return _span(source, node)[0], _span(source, first)[0], new


def _default(node: ast.stmt | ast.ExceptHandler, source: bytes, guard: Guard) -> Edit:
    match node:
        case ast.If(test=test) | ast.While(test=test):
            return *_span(source, test), str(guard.when)
        case ast.ExceptHandler(type=ast.expr() as kind):
            return *_span(source, kind), "()"
        case ast.With():
            return _new_header("if True:", node, source)
        # The whole body, so that the function stays callable.
        case ast.FunctionDef(body=[first, *_]):
            return _span(source, first)[0], _span(source, node)[1], "pass"
    return *_span(source, node), "pass"


def _edit_of_part(tree: ast.Module, source: bytes, guard: Guard) -> Edit | None:
    """Return the edit for the smallest removable part of an expression that begins on the line.

    It removes the part, or replaces it with `guard.becomes` if that is set. Return None if no part
    begins there.
    """
    found: list[Edit] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.BoolOp):
            neutral = str(isinstance(node.op, ast.And))
            found += [(*_span(source, child), neutral) for child in _on_line(node.values, guard)]
        elif isinstance(node, ast.Call | ast.List | ast.Tuple | ast.Set):
            children = [*node.args, *node.keywords] if isinstance(node, ast.Call) else node.elts
            found += [_removal(source, child) for child in _on_line(children, guard)]
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            found += [
                _removal(source, key, value) for key, value in pairs
                if key is not None and key.lineno == guard.line
            ]  # fmt: skip
    if not found:
        return None
    start, end, new = min(found, key=lambda edit: edit[1] - edit[0])
    # The removal included the comma, which a replacement needs.
    if guard.becomes is not None:
        new, end = guard.becomes, end - source[start:end].endswith(b",")
    return start, end, new


def _on_line(children: list[Any], guard: Guard) -> list[Any]:
    return [child for child in children if child.lineno == guard.line]


def _removal(source: bytes, first: Any, last: Any = None) -> Edit:
    start, end = _span(source, first)[0], _span(source, last or first)[1]
    comma = re.match(rb"\s*,", source[end:])
    return start, end + (comma.end() if comma else 0), ""


def _span(source: bytes, node: Any) -> tuple[int, int]:
    """Return the offsets in bytes of a node's start and end."""
    starts = [0, *(match.end() for match in re.finditer(rb"\n", source))]
    return (
        starts[node.lineno - 1] + node.col_offset,
        starts[node.end_lineno - 1] + node.end_col_offset,
    )
