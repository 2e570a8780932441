# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of pictures become names of data-blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from types import ModuleType


@pytest.mark.parametrize(
    ("name", "clear"),
    [
        ("dahlia", "dahlia"),
        (" .dahlia. ", "dahlia"),
        ("red  dahlia", "red  dahlia"),
        ("dah\tlia\n", "dahlia"),
        ("\x1b[31mdahlia\x1b[0m\x9b", "[31mdahlia[0m"),
        ("\x00\u2028\ud800dahlia", "dahlia"),
        ("Blüte 👩‍🌾", "Blüte 👩‍🌾"),
        ("ü" * 40, "ü" * 20),
        ("\t\n", ""),
    ],
)
def test_control_characters_stay_out_of_names(name: str, clear: str, addon: ModuleType) -> None:
    names = addon_module("worker.names")
    assert names.short_name(name) == clear
