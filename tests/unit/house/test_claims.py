# SPDX-License-Identifier: GPL-3.0-or-later
"""Every figure that the README and the manual state is listed, with what holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import bench
import places
import pytest

INVENTORY = places.ROOT / "docs" / "dev" / "claims.md"
PAGES = [places.ROOT / "README.md", places.ROOT / "CHANGELOG.md",
         *sorted((places.ROOT / "docs").glob("*.md"))]  # fmt: skip
_SPELLED = (
    "one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|"
    "sixty|hundred|half an?|an? (?:half|third|quarter|fifth|tenth) of an?"
)
_UNIT = (
    r"ms|milliseconds?|s|seconds?|minutes?|hours?|days?|weeks?|[kKMG]i?B|kilobytes?|megabytes?|"
    r"gigabytes?|megapixels?|pixels?|faces|triangles|vertices|points|nodes|objects|materials|"
    r"meters?|percent|%|degrees?"
)
_DIGITS = r"\d(?:[\d,.]*\d)?"
_MANY = r"(?:\s(?:hundred|thousand|million|billion))?"
FIGURE = re.compile(
    rf"(?<![\w.,])(?:{_DIGITS}(?:\s*[×x]\s*{_DIGITS})?{_MANY}[\s-]?|(?:{_SPELLED}){_MANY}[\s-])"
    rf"(?:{_UNIT})(?![\w%])"
)


@dataclass(frozen=True)
class Row:
    """One line of the inventory."""

    figure: str
    page: str
    held_by: str


def inventory() -> list[Row]:
    """Read the table."""
    lines = [line for line in INVENTORY.read_text("utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    return [Row(*row[:3]) for row in cells]


def figures(text: str) -> list[str]:
    """Return the figures with a unit that a text states, blanks and line ends made plain."""
    return FIGURE.findall(re.sub(r"\s+", " ", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_figure_is_listed(page: Path) -> None:
    listed = " | ".join(row.figure for row in inventory() if row.page.endswith(page.name))
    missing = [figure for figure in figures(page.read_text("utf-8")) if figure not in listed]
    assert missing == [], f"{INVENTORY.name} says nothing of them"


def test_every_listed_figure_is_stated_in_the_manual() -> None:
    for row in inventory():
        text = (places.ROOT / row.page).read_text("utf-8")
        assert row.figure in re.sub(r"\s+", " ", text), row


def test_the_tests_that_hold_a_figure_exist() -> None:
    benchmarks = bench.benchmarks()
    for row in inventory():
        holding = re.findall(r"`([^`]+)`", row.held_by)
        assert holding, row
        for name in holding:
            if name.startswith("bench "):
                assert name.removeprefix("bench ") in benchmarks, row
                continue
            file, _, test = name.partition("::")
            assert f"def {test}(" in (places.ROOT / file).read_text("utf-8"), row


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("in about three seconds, or 1,200 ms", ["three seconds", "1,200 ms"]),
        ("of 1024 × 1024 pixels and 50 MB", ["1024 × 1024 pixels", "50 MB"]),
        (
            "five million faces take a fifth\nof a second",
            ["five million faces", "a fifth of a second"],
        ),
        ("one meter tall, 4-second waits, 95%", ["one meter", "4-second", "95%"]),
        ("Blender 4.2 runs all in 5.2; one thing at a time; version 3 says", []),
    ],
)
def test_figures_are_recognized_in_text(text: str, found: list[str]) -> None:
    assert figures(text) == found
