# SPDX-License-Identifier: GPL-3.0-or-later
"""Extract the texts that users read in Blender, and merge them into the languages' gettext files.

Writes `build/image_to_mesh.pot`, then updates each `i18n/*.po` with gettext's `msgmerge`. A literal
with a space in it counts as a text, so that none is forgotten; exceptions are listed in
`untranslated.txt`. A single word counts if it is used as a label. Texts of the command line, which
is in English only, are left out.
"""

from __future__ import annotations

import ast
import errno
import functools
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import package
import places
import system

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LANGUAGES = places.ROOT / "i18n"
TEMPLATE = places.BUILD / "image_to_mesh.pot"
UNTRANSLATED = places.ROOT / "tools" / "untranslated.txt"

ROOMS = (
    *("providers/", "jobs/", "worker/", "scene/", "app/", "operators/"),
    *("panels/", "preferences/", "state/"),
)
PRESETS = "presets/"
COMMAND_LINE = frozenset({"jobs/batch/plan.py", "jobs/batch/sources.py"})
STATES = "jobs/values.py"
SYSTEM_ERRORS = (errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOENT)
UNREAD = frozenset(
    {
        "FrozenInstanceError",
        "KeyError",
        "LookupError",
        "TypeError",
        "ValueError",
        "compile",
        "debug",
        "exception",
        "info",
        "warning",
    }
)
"""Functions whose arguments only a developer reads, in a log or a traceback."""
POSITIONS = {
    **dict.fromkeys(
        (
            "Option",
            "Progress",
            "_picture",
            "argument",
            "_text",
            "label",
            "of",
            "poll_message_set",
            "show_progress",
            "tr",
        ),
        0,
    ),
    **dict.fromkeys(("Choice", "report"), 1),
    **dict.fromkeys(("_draw_figure", "_draw_sentence", "_draw_sides", "draw_text"), 2),
}
"""Functions that take a label or a phase, and the index of that argument."""
KEYWORDS = frozenset({"confirm_text", "heading", "message", "phase", "text", "title"})
NAMES = frozenset(
    {"COUNTS", "FAULTS", "GROUPS", "NO_PICTURE", "NO_SUBJECT", "OFFLINE", "PHASES", "PLAIN",
     "STATES", "bl_description", "bl_label", "description", "label", "lookup_name", "phase", "text",
     "title", "unit"}
)  # fmt: skip
"""Names of variables and attributes that hold texts for users."""
LETTERS = re.compile(r"[A-Za-z]{2}")
DESCRIBED = re.compile(r'^  "(?:title|description)": (".*"),$', re.MULTILINE)
"""Matches the lines of a data file that have its title and description."""
CHECKS = ("--check-format", "--check-domain")
FIELD = re.compile(r"\{[^{}]*\}")
SAME = re.compile(r"[^A-Za-z]*|[A-Z0-9 ./+−-]{1,4}|[a-z_]+|[a-z]+[A-Z]\w*|.*_.*")
"""Matches texts that are the same in every language, and identifiers."""


def speaking_files() -> list[str]:
    """Return the files of the product whose texts a user in Blender reads."""
    return [
        file
        for file in package.known_files()
        if package.is_product(file)
        and file.endswith(".py")
        and file.startswith(ROOMS)
        and file not in COMMAND_LINE
    ]


def data_files() -> list[str]:
    """Return the files of data whose descriptions a user reads, such as shipped workflows."""
    known = (file for file in package.known_files() if package.is_product(file))
    return [file for file in known if file.startswith("providers/") and file.endswith(".json")]


@functools.cache
def tree_of(file: str) -> ast.Module:
    """Return the syntax tree of a file in the checkout."""
    return ast.parse((places.ROOT / file).read_text("utf-8"))


def extract() -> dict[str, list[str]]:
    """Return every text to translate, with its locations in the code as `file:line`.

    Names of bundled presets, and the system's sentences for some errors, are included with only the
    file in which they are used.
    """
    ignored = read_untranslated()
    found: dict[str, list[str]] = defaultdict(list)
    for file in speaking_files():
        tree = tree_of(file)
        for text, line in (*_sentences(tree), *_labels(tree)):
            if text not in ignored and f"{file}:{line}" not in found[text]:
                found[text].append(f"{file}:{line}")
    for file in data_files():
        content = (places.ROOT / file).read_text("utf-8")
        for match in DESCRIBED.finditer(content):
            at = content.count("\n", 0, match.start()) + 1
            found[json.loads(match[1])].append(f"{file}:{at}")
    for file in package.known_files():
        if file.startswith(PRESETS):
            # As in the menu: Blender translates the names of all presets there.
            found[file.rpartition("/")[2].removesuffix(".py").replace("_", " ")].append(file)
    # The system's sentences for these errors end up in messages as values.
    for number in SYSTEM_ERRORS:
        found[os.strerror(number)].append(STATES)
    return {text: at for text, at in sorted(found.items()) if at}


def find_composed() -> dict[str, str]:
    """Return the f-strings that a user may read, with their locations in the code.

    They are mistakes: a text with values in it cannot be looked up in a translation.
    """
    ignored = read_untranslated()
    return {
        text: f"{file}:{node.lineno}"
        for file in speaking_files()
        for node in _read_literals(tree_of(file))
        if isinstance(node, ast.JoinedStr)
        for text in [text_of(node)]
        if _is_sentence(text) and text not in ignored
    }


def read_untranslated() -> set[str]:
    """Return the literals that look like texts for users but are not."""
    lines = UNTRANSLATED.read_text("utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("# ")}


def _sentences(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in _read_literals(tree):
        if isinstance(node, ast.Constant) and _is_sentence(text := text_of(node)):
            yield text, node.lineno


def _is_sentence(text: str) -> bool:
    is_text = " " in text.strip() and not text.startswith("#")
    return is_text and LETTERS.search(FIELD.sub("", text)) is not None


def _read_literals(tree: ast.Module) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Yield the literals that a user may read: no docstrings, indices, types, or texts of logs."""
    unread: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as text):
                unread.add(text)
            case ast.JoinedStr(values=values):
                unread.update(part for part in values if isinstance(part, ast.Constant))
            case ast.Subscript(slice=index):
                unread.add(index)
            case (
                ast.arg(annotation=ast.Constant() as quoted)
                | ast.FunctionDef(returns=ast.Constant() as quoted)
            ):
                unread.add(quoted)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in UNREAD:
                unread.update(part for given in node.args for part in ast.walk(given))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and node not in unread:
            yield node


def text_of(node: ast.AST) -> str:
    """Return a literal's text, with `{}` for each value of an f-string; "" for any other node."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(text_of(part) if isinstance(part, ast.Constant) else "{}"
                           for part in values)  # fmt: skip
    return ""


def _labels(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the texts that are used as labels, including single words, and their lines."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                shown = [value] if any(_name(target) in NAMES for target in targets) else []
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                shown = [value] if _name(target) in NAMES else []
            case ast.Call():
                shown = list(_shown_arguments(node))
            case _:
                continue
        for text in (text for part in shown for text in _strings(part)):
            if not SAME.fullmatch(text):
                yield text, node.lineno


def _name(node: ast.AST) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def _shown_arguments(call: ast.Call) -> Iterator[ast.expr]:
    name = _name(call.func)
    if (position := POSITIONS.get(name)) is not None:
        yield from call.args[position : position + 1]
    for keyword in call.keywords:
        if keyword.arg in KEYWORDS or (name.endswith("Property") and keyword.arg == "name"):
            yield keyword.value
        elif keyword.arg == "items" and isinstance(keyword.value, ast.Tuple):
            items = (item for item in keyword.value.elts if isinstance(item, ast.Tuple))
            yield from (text for item in items for text in item.elts[1:3])  # name, description


def _strings(node: ast.AST) -> Iterator[str]:
    """Yield the texts that an expression may evaluate to, or that it contains.

    In a dict these are the values, and in a tuple the last items of its rows.
    """
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from (*_strings(body), *_strings(other))
        case ast.BoolOp(values=values) | ast.Dict(values=values):
            for value in values:
                yield from _strings(value)
        case ast.Tuple(elts=rows):
            for row in rows:
                if isinstance(row, ast.Tuple):  # of a key and its title
                    yield from _strings(row.elts[-1])


def template_text() -> str:
    """Return the texts as a gettext template (`.pot`)."""
    head = [
        'msgid ""', 'msgstr ""', r'"Project-Id-Version: Image to Mesh\n"',
        r'"MIME-Version: 1.0\n"', r'"Content-Type: text/plain; charset=UTF-8\n"',
        r'"Content-Transfer-Encoding: 8bit\n"', r'"Language: \n"',
    ]  # fmt: skip
    entries = ["\n".join(head), *(_entry(text, at) for text, at in extract().items())]
    return "\n\n".join(entries) + "\n"


def _entry(text: str, at: Iterable[str]) -> str:
    files = " ".join(sorted({place.partition(":")[0] for place in at}))
    flag = ["#, python-brace-format"] if FIELD.search(text) else []
    return "\n".join([f"#: {files}", *flag, f"msgid {_quote(text)}", 'msgstr ""'])


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def main() -> int:
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_text(template_text(), "utf-8")
    if not system.find_gettext():
        print("This needs GNU gettext (on Debian: apt-get install gettext)", file=sys.stderr)
        return 1
    for catalog in sorted(LANGUAGES.glob("*.po")):
        file, form = str(catalog), ("--no-wrap", "--sort-output")
        merge = ["msgmerge", "--quiet", "--update", "--backup=none", *form, file, str(TEMPLATE)]
        clean = ["msgattrib", "--no-obsolete", *form, f"--output-file={file}", file]
        check = ["msgfmt", *CHECKS, "--statistics", "--output-file=/dev/null", file]
        for command in (merge, clean, check):
            subprocess.run(command, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
