# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the code: names and prose without the banned ones, and never more of them.

`word_rules.py` lists them with their reasons. A room holds none, unless it is in MOST: there the
count may only fall. Lower it whenever a room gets better, and take the room out at 0.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import package
import places
import pytest
from fakes.parsing import parse
from unit.house import word_rules as rules

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST: dict[str, int] = {}
FIXTURES = frozenset({"fixture", "property", "cached_property"})
# These two files list the banned words.
ABOUT_WORDS = ("tests/unit/house/word_rules.py", "tests/unit/house/test_words.py")


@dataclass(frozen=True)
class Finding:
    """A banned word at its place."""

    file: str
    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}  {self.text}: {self.instead}"


def room_of(file: str) -> str:
    """Return the room of a file: the first folder, for tests the first two."""
    folders = file.split("/")[:-1]
    return "/".join(folders[:2] if folders[:1] == ["tests"] else folders[:1]) or "root"


# -- names -----------------------------------------------------------------------------------------


def _bound(node: ast.AST) -> list[str]:
    """Return the names that a node gives to a value."""
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
        return [node.id if isinstance(node, ast.Name) else node.attr]
    if isinstance(node, ast.arg):
        return [node.arg]
    if isinstance(node, ast.alias):
        return [node.asname or ""]
    if isinstance(node, ast.MatchAs | ast.MatchStar):
        return [node.name or ""]
    return []


def _is_called(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether the function is called by its name: fixtures and properties read as nouns."""
    decorators = [getattr(item, "func", item) for item in function.decorator_list]
    names = {getattr(item, "attr", getattr(item, "id", "")) for item in decorators}
    return not names & FIXTURES


@cache
def _about_name(name: str, both_sides: bool) -> tuple[str, ...]:
    """Return what is wrong with a name; the same names occur a hundred times."""
    return tuple(_faults_of_name(name, rules.words_of(name), both_sides))


def _faults_of_name(name: str, words: list[str], both_sides: bool) -> Iterator[str]:
    if name in rules.PUBLIC:
        return
    for stem, instead in rules.WORDS.items():
        if any(rules.is_form_of(word, stem) for word in words):
            yield instead
    if len(words) == 1 and words[0] in rules.BARE:
        yield rules.BARE[words[0]]
    if "left" in words and not both_sides:
        yield "the left side only; else remaining, leftover, rest"


def names_in(file: str, nodes: list[ast.AST], text: str) -> Iterator[Finding]:
    """Return what is wrong with a file's names."""
    both_sides = "right" in text
    for node in nodes:
        line = getattr(node, "lineno", 0)
        bound = _bound(node)
        for name in bound:
            if name in rules.VARIABLES:
                yield Finding(file, line, name, rules.VARIABLES[name])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound = [node.name]
            if not isinstance(node, ast.ClassDef) and _is_called(node):
                yield from _about_function(file, node)
        for name in bound:
            if (file, name) in rules.PUBLIC_IN:
                continue
            for instead in _about_name(name, both_sides):
                yield Finding(file, line, name, instead)


def _about_function(file: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Finding]:
    if rules.is_participle(node.name):
        yield Finding(file, node.lineno, node.name, "a verb, or a noun for what is returned")
    if node.name.startswith("test_"):
        sentence = node.name.removeprefix("test_").replace("_", " ")
        yield from _phrases(file, node.lineno, sentence)


# -- prose -----------------------------------------------------------------------------------------


def _phrases(file: str, line: int, text: str) -> Iterator[Finding]:
    if not rules.ANY_PHRASE.search(text):
        return
    for phrase in rules.PHRASES:
        for match in phrase.pattern.finditer(text):
            yield Finding(file, line, match[0], phrase.instead)


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Return the comments, those in lines after each other as one."""
    last, first, words = -1, 0, ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        line = token.start[0]
        if line != last + 1:
            yield first, words
            first, words = line, ""
        last, words = line, f"{words} {token.string.lstrip('# ')}"
    yield first, words


def prose_in(file: str, nodes: list[ast.AST], text: str) -> Iterator[Finding]:
    """Return what is wrong with a file's comments and docstrings."""
    for line, words in _comments(text):
        yield from _phrases(file, line, words)
    for node in nodes:
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not (docstring := ast.get_docstring(node)):
            continue
        line = node.body[0].lineno
        yield from _phrases(file, line, " ".join(docstring.split()))
        for phrase in rules.OPENERS:
            if phrase.pattern.match(docstring.partition("\n")[0]):
                yield Finding(file, line, docstring.partition("\n")[0], phrase.instead)


def findings_in(file: str, text: str) -> list[Finding]:
    """Return all that is wrong with a file's words, in the order of its lines."""
    nodes = list(ast.walk(parse(text)))
    found = [*names_in(file, nodes, text), *prose_in(file, nodes, text)]
    return sorted(found, key=lambda finding: (finding.line, finding.text))


@cache
def _findings() -> tuple[Finding, ...]:
    files = [file for file in package.known_files() if file.endswith(".py")]
    return tuple(
        finding
        for file in files
        if file not in ABOUT_WORDS
        for finding in findings_in(file, (places.ROOT / file).read_text("utf-8"))
    )


def _rooms() -> list[str]:
    return sorted({room_of(file) for file in package.known_files() if file.endswith(".py")})


@pytest.mark.parametrize("room", _rooms())
def test_no_room_gains_banned_words(room: str) -> None:
    found = [finding for finding in _findings() if room_of(finding.file) == room]
    allowed = MOST.get(room, 0)
    lines = "\n".join(map(str, found))
    assert len(found) <= allowed, f"{len(found)} in {room}, {allowed} allowed:\n{lines}"


def test_only_rooms_that_exist_are_counted() -> None:
    assert set(MOST) <= set(_rooms())


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("def told() -> None: ...", 1),
        ("def tell_apart() -> None: ...", 0),
        ("@property\ndef closed(self) -> bool: ...", 0),
        ("for one in pages: pass", 1),
        ("sizes = [len(thing) for thing in pages]", 1),
        ("def paint(what: str) -> None: ...", 1),
        ("for page in pages: pass", 0),
        ("local_colour = 1", 1),
        ("self.settled_at = 1", 1),
        ("parts = 1\nmesh_parts = 1", 1),
        ("left = 1", 1),
        ("left, right = 1, 2", 0),
        ("class IMAGE_TO_MESH_OT_settle: ...", 0),
        ('"""Read the file anew."""', 1),
        ('"""What a job needs."""', 1),
        ('"""Return what a job needs."""', 0),
        ("# The file comes\n# in later.", 1),
        ("def test_it_goes_on_with_the_job() -> None: ...", 1),
        ("text = 'the person'", 0),
    ],
)
def test_banned_words_are_noticed(code: str, count: int) -> None:
    assert len(findings_in("a.py", code)) == count


def main() -> None:
    """Print what is wrong, and how much of it in which room."""
    print("\n".join(map(str, _findings())))
    print(Counter(room_of(finding.file) for finding in _findings()))


if __name__ == "__main__":
    main()
