# SPDX-License-Identifier: GPL-3.0-or-later
"""Hints in Blender name its buttons; hints of the command line name its options."""

from __future__ import annotations

import ast
import re

import package
import places
import pytest

from image_to_mesh.cli.hints import HINTS, hint_here

OPTION = re.compile(r"“--|\"jobs\"|“(?:jobs|resume|cancel|settle|batch|generate|providers)”")
IN_BLENDER = ("jobs/", "app/", "operators/", "panels/", "providers/", "scene/", "state/", "worker/")
BATCH = "jobs/batch/"
"""Only the command line runs batches."""


@pytest.mark.parametrize("hint", HINTS)
def test_each_hint_has_words_for_the_command_line(hint: str) -> None:
    assert OPTION.search(hint) is None
    assert OPTION.search(hint_here(hint))
    assert "click" not in hint_here(hint)


def test_other_hints_stay_as_they_are() -> None:
    assert hint_here("Use a smaller image.") == "Use a smaller image."


def test_nothing_that_blender_shows_names_an_option_of_the_command_line() -> None:
    found = [
        f"{file}:{node.lineno} {node.value}"
        for file in package.known_files()
        if file.startswith(IN_BLENDER) and file.endswith(".py") and not file.startswith(BATCH)
        for node in ast.walk(ast.parse((places.ROOT / file).read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if OPTION.search(node.value)
    ]
    assert found == []
