# SPDX-License-Identifier: GPL-3.0-or-later
"""The page about graphics cards: its figures are the authors', and its advice follows from them."""

from __future__ import annotations

import re

import places
import pytest

from image_to_mesh.providers import get_provider

PAGE = (places.ROOT / "docs" / "your-own-graphics-card.md").read_text("utf-8")
# Gigabytes, from the README of each repository, read on 2026-11-30: VAST-AI-Research/TripoSR,
# Stability-AI/stable-fast-3d, Tencent-Hunyuan/Hunyuan3D-2 and Hunyuan3D-2.1, microsoft/TRELLIS and
# microsoft/TRELLIS.2.
SHAPE = {"TripoSR": 6, "Hunyuan3D 2.0": 6, "Hunyuan3D 2.0 mini": 6, "Hunyuan3D 2.1": 10}
TEXTURED = {
    "Stable Fast 3D": 6,
    "Hunyuan3D 2.0": 16,
    "Hunyuan3D 2.0 mini": 16,
    "Hunyuan3D 2.1": 29,
    "TRELLIS": 16,
    "TRELLIS.2": 24,
}


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its head."""
    lines = [line for line in section(heading).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def section(heading: str) -> str:
    """Return the text below a heading."""
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def memory(cell: str) -> int | None:
    """Return the gigabytes that a cell begins with."""
    found = re.match(r"(\d+) GB", cell)
    return int(found[1]) if found else None


def test_the_memory_is_what_the_authors_state() -> None:
    stated = {
        name.replace("2.0 mini", "Hunyuan3D 2.0 mini") if name.startswith("2.0") else name: cells
        for first, *cells in rows("Graphics Memory")
        for name in first.split(" and ")
    }
    assert set(stated) == SHAPE.keys() | TEXTURED.keys()
    for name, (shape, textured, _) in stated.items():
        assert memory(shape) == SHAPE.get(name), name
        assert memory(textured) == TEXTURED.get(name), name


@pytest.mark.parametrize(("heading", "card"), [("An 8 GB Card", 8), ("A 24 GB Card", 24)])
def test_what_is_recommended_for_a_card_fits_on_it(heading: str, card: int) -> None:
    named = [name for name in re.findall(r"\*\*(.+?)\*\*", section(heading)) if name != "Texture"]
    assert len(named) >= 3
    for name in named:
        least = min(SHAPE.get(name, 99), TEXTURED.get(name, 99))
        assert least <= card, name
    assert section(heading).count("outside of") >= len([x for x in named if "Hunyuan" in x]) - 1


def test_the_limit_of_the_license_is_the_one_that_the_panel_shows() -> None:
    countries = ("the EU", "the UK", "South Korea")
    assert all(country in get_provider("hunyuan3d").notice for country in countries)
    for first, _, _, license_ in rows("Graphics Memory"):
        is_limited = all(country in license_ for country in countries)
        assert is_limited is ("Hunyuan" in first)


def test_the_page_links_to_the_pages_that_exist() -> None:
    for name in ("comfyui", "gradio"):
        page = f"service-{name}.md"
        exists = (places.ROOT / "docs" / page).is_file()
        assert (f"({page})" in PAGE) is exists, f"link {page}" if exists else f"{page} is missing"
