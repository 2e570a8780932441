# SPDX-License-Identifier: GPL-3.0-or-later
"""Operator properties that hold for one call only."""

from __future__ import annotations

from typing import Any

from bpy.props import BoolProperty, StringProperty


def argument(name: str, description: str, *, hidden: bool = False) -> Any:
    """Declare a text for one call; `hidden` from the Adjust Last Operation panel."""
    options = {"HIDDEN", "SKIP_SAVE"} if hidden else {"SKIP_SAVE"}
    return StringProperty(name=name, description=description, options=options)


def again_switch() -> Any:
    """Declare the switch that orders again although the same order exists."""
    return BoolProperty(
        name="Again",
        description="Submit the job even if the same one is running or was just submitted",
        options={"SKIP_SAVE"},
    )
