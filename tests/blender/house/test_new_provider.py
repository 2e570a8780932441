# SPDX-License-Identifier: GPL-3.0-or-later
"""A new provider is in every panel, in the preferences and at the start, with no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.checkout import add_provider, copy_checkout, run_in

if TYPE_CHECKING:
    from pathlib import Path

NAME = "stone_mason"
OF_EACH = [f"tests/blender/panels/test_{name}.py" for name in ("disabled_reasons", "german_layout")]
"""Tests with a case for each provider."""
OF_ALL = [
    "tests/blender/app/test_account.py::test_services_that_share_a_key_share_its_test",
    "tests/blender/app/test_startup.py::test_only_allowed_modules_are_loaded_at_startup",
    "tests/blender/app/test_startup.py::test_registering_is_light",
    "tests/blender/house/test_docs.py::test_every_service_has_a_page",
    "tests/blender/house/test_docs.py::test_every_page_is_reached_from_the_index",
    "tests/blender/operators/test_presets.py::test_shipped_presets_are_valid_and_differ",
    "tests/blender/panels/test_panels.py::test_a_service_has_slots_for_the_views_it_takes",
    "tests/blender/panels/test_panels.py::test_every_broken_rule_is_shown_at_its_row",
    "tests/blender/panels/test_preferences_page.py",
    "tests/blender/state/test_manual.py",
    "tests/blender/state/test_properties.py",
]
"""Tests that ask every provider."""


@pytest.mark.once
@pytest.mark.timeout(300)
def test_a_new_provider_needs_no_other_file_of_code(tmp_path: Path) -> None:
    root = copy_checkout(tmp_path / "checkout")
    add_provider(root, NAME)
    printed = run_in(root, "-m", "pytest", *OF_EACH, "-k", NAME, "-v")
    assert f"test_every_disabled_button_has_a_visible_reason[{NAME}] PASSED" in printed
    printed = run_in(root, "-m", "pytest", *OF_ALL, "-v")
    assert f"test_every_broken_rule_is_shown_at_its_row[{NAME}] PASSED" in printed
