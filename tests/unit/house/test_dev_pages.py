# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages for engineers: names in them exist, and their figures are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import places
import pytest
from fakes.parsing import parse

from image_to_mesh.jobs.process import channel, pool, worker_process

DEV = places.ROOT / "docs" / "dev"
PAGES = [*sorted(DEV.glob("*.md")), places.ROOT / "CONTRIBUTING.md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#([\w-]+))?\)")
NAMED = re.compile(r"`([\w.-]+/[\w./-]*)`")
MADE_LATER = re.compile(r"meshforge|^build/|/job/")
"""Names that the reader makes or a tool writes."""
PROTOCOL = DEV / "worker-protocol.md"


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        if "://" in target:
            continue
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors_of(page.parent / target), f"{page.name}: {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_path_that_is_named_is_there(page: Path) -> None:
    paths = [path for path in NAMED.findall(page.read_text("utf-8")) if not MADE_LATER.search(path)]
    missing = [path for path in paths if not (places.ROOT / path).exists()]
    assert not missing, f"{page.name} names {', '.join(missing)}"


def test_every_page_is_reached_from_contributing() -> None:
    found, new = set(), {places.ROOT / "CONTRIBUTING.md"}
    while new:
        found |= new
        new = {
            (page.parent / target).resolve()
            for page in new
            for target, _ in LINK.findall(page.read_text("utf-8"))
            if target.endswith(".md") and "://" not in target
        } - found
    assert set(DEV.glob("*.md")) - found == set()


def handlers() -> set[str]:
    """Return the names of the worker's tasks.

    Its module needs Blender, so it is read, not imported.
    """
    tree = parse((places.ROOT / "worker" / "protocol.py").read_text("utf-8"))
    return {
        ast.literal_eval(key)
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "HANDLERS"
        for key in getattr(node.value, "keys", ())
    }


def test_the_protocol_page_lists_every_request() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PROTOCOL.read_text("utf-8"), re.MULTILINE)
    assert set(rows) == {"do", *handlers()}  # "do" is the head of the table


def test_the_protocol_page_states_the_limits_of_the_code() -> None:
    page = " ".join(PROTOCOL.read_text("utf-8").split())
    for row in (
        f"| start | {worker_process.READY_LIMIT:.0f} s |",
        f"| one request | {worker_process.WORK_LIMIT:.0f} s;",
        f"| silence while it works | {worker_process.SILENCE_LIMIT:.0f} s |",
        f"| memory | {worker_process.MEMORY_SHARE:.0%}",
        f"keeps the last {channel.LINES} lines",
        f"Idle ones end after {pool.IDLE_LIMIT:.0f} s",
        f"more than {pool.HEAVY / 1e9:g} GB",
        f"older than {'.'.join(map(str, worker_process.OLDEST))}",
    ):
        assert row in page, row
