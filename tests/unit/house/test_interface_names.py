# SPDX-License-Identifier: GPL-3.0-or-later
"""Interface names that the pages mark with *italics* are written as Blender shows them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import package
import places
import pytest
import texts

PAGES = [places.ROOT / "README.md", places.ROOT / "CHANGELOG.md",
         *sorted((places.ROOT / "docs").glob("*.md"))]  # fmt: skip
# Entries of released versions keep the names of their time.
RELEASED = re.compile(r"^## \d.*", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
LINK = re.compile(r"\[([^\]*]*)\]\([^)]*\)|\]\([^)]*\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
BOLD = re.compile(r"\*\*([^*]+)\*\*")
NAME = re.compile(r"(?<!\*)\*(?!\*)([^*]+)\*")
TITLE = re.compile(r"[A-Z]\w*(?: (?:a|as|at|by|for|from|in|of|on|the|to|with|[A-Z][\w']*))+")

MODELS = {"Hunyuan3D 2.0", "Hunyuan3D 2.1"}
"""Models by whose names workflows are called as well."""
BLENDER = {
    "Add-ons": "a page of the preferences",
    "Adjust Last Operation": "a panel of the 3D Viewport, and an entry of the Edit menu",
    "Auto-Save Preferences": "a switch in the menu of the preferences",
    "Assign Shortcut": "an entry of every right-click menu",
    "Auto Run Python Scripts": "a switch in Preferences › Save & Load",
    "Edit": "a menu of the top bar",
    "Get Extensions": "a page of the preferences",
    "Image": "a menu of the Image Editor",
    "Install from Disk...": "an entry of the menu in Get Extensions",
    "Object": "a menu of the 3D Viewport",
    "Open": "the button of a field that shows an image",
    "Preferences": "a window, in the Edit menu",
    "System": "a page of the preferences",
}
"""Names of Blender's own interface, and where each is."""
PRODUCT = "Image to Mesh"
CLEANUP_HEADINGS = {"Mesh Tools", "Versions", "Which Meshes"}
"""Headings of docs/cleanup.md that name no button."""


@cache
def labels() -> frozenset[str]:
    """Return every text of the product's interface, the names of its presets among them."""
    presets = {
        Path(file).stem.replace("_", " ")
        for file in package.known_files()
        if file.startswith("presets/")
    }
    return frozenset({*texts.extract(), *presets, PRODUCT})


def read_prose(page: Path) -> str:
    """Return a page without code, images, titles of other pages, and released versions."""
    text = page.read_text("utf-8")
    if page.name == "CHANGELOG.md":
        text = RELEASED.sub("", text)
    for pattern in (CODE, IMAGE, LINK):
        text = pattern.sub("`", text)
    return text


def find_names(prose: str) -> list[str]:
    """Return the marked names, those of a path through menus one by one."""
    plain = re.sub(r"\s+", " ", BOLD.sub("", prose))
    return [name.strip() for path in NAME.findall(plain) for name in path.split("›")]


@cache
def openings() -> frozenset[str]:
    """Return the part of each longer text, such as a warning, before its colon or first value."""
    starts = (re.split(r"[:{]", label)[0].strip() for label in labels())
    return frozenset(start for start in starts if " " in start)


@cache
def templates() -> tuple[re.Pattern[str], ...]:
    """Return patterns of the texts with values: a name of the interface, or a number."""
    escaped = (re.escape(label) for label in labels() if "{}" in label)
    return tuple(re.compile(text.replace(r"\{\}", "(.+)")) for text in escaped)


def is_shown(name: str) -> bool:
    """Return whether the interface has this text, or one that begins with it."""
    if name in labels() or name in BLENDER or name in openings():
        return True
    filled = (pattern.fullmatch(name) for pattern in templates())
    return any(
        all(value in labels() or value.isdecimal() for value in match.groups())
        for match in filled
        if match
    )


def find_wrong(prose: str) -> list[str]:
    """Return the marked names that the interface does not have."""
    return [name for name in find_names(prose) if not is_shown(name)]


def find_unmarked(prose: str) -> list[str]:
    """Return names of several words in title case that stand in a page without a mark."""
    plain = re.sub(r"\s+", " ", NAME.sub("*", BOLD.sub("", HEADING.sub("", prose))))
    titles = (label for label in labels() - {PRODUCT} if TITLE.fullmatch(label))
    return sorted(title for title in titles if re.search(rf"\b{re.escape(title)}\b", plain))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_name_in_italics_is_in_the_interface(page: Path) -> None:
    wrong = find_wrong(read_prose(page))
    assert wrong == [], f"Blender shows no such names. {page.name} writes them in italics"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_names_of_the_interface_are_in_italics(page: Path) -> None:
    prose = read_prose(page)
    names = (labels() | BLENDER.keys()) - MODELS
    bold = [name for name in BOLD.findall(prose) if name in names]
    assert bold == [], "a name of the interface is in italics, not bold"
    assert find_unmarked(prose) == [], "a name of the interface is in italics"


def test_the_headings_of_the_cleanup_page_are_the_buttons() -> None:
    headings = HEADING.findall((places.ROOT / "docs/cleanup.md").read_text("utf-8"))
    assert set(headings) - CLEANUP_HEADINGS <= labels()
    assert len(headings) > len(CLEANUP_HEADINGS) + 4


def test_names_of_blender_are_listed_only_while_a_page_needs_them() -> None:
    named = {name for page in PAGES for name in find_names(read_prose(page))}
    assert sorted(BLENDER.keys() - named) == []
    assert sorted(BLENDER.keys() & labels() - {"Image", "System"}) == [], "these are our own too"


@pytest.mark.parametrize(
    ("prose", "wrong"),
    [
        ("Click *Generate*, then *Object › Image to\nMesh › Restore Replaced Model*.", []),
        ("Click *Make It*.", ["Make It"]),
        ("*Edit › Preferences › Extras*, **N**", ["Extras"]),
        ("*generate* in lower case", ["generate"]),
        ("*Small subject*, *2 separate subjects: mark one*", []),
        ("*The subject is*, *Attach Number...*", ["The subject is", "Attach Number..."]),
    ],
)
def test_a_wrong_interface_name_is_reported(prose: str, wrong: list[str]) -> None:
    assert find_wrong(prose) == wrong


def test_an_interface_name_without_italics_is_reported() -> None:
    assert find_unmarked("Click Quad Remesh, *Clean Mesh* and\nReduce\nFaces.\n## Print Check") == [
        "Quad Remesh",
        "Reduce Faces",
    ]
