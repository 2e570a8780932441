# SPDX-License-Identifier: GPL-3.0-or-later
"""Operator properties that hold for one call only."""

from __future__ import annotations

from typing import Any

from bpy.props import BoolProperty, StringProperty


def argument(name: str, description: str, *, hidden: bool = False) -> Any:
    """Declare a text property whose value is not kept for the next call.

    `hidden` leaves it out of the Adjust Last Operation panel.
    """
    # Without SKIP_SAVE, Blender fills in the value of the previous call, such as another job's id.
    options = {"HIDDEN", "SKIP_SAVE"} if hidden else {"SKIP_SAVE"}
    return StringProperty(name=name, description=description, options=options)


def again_switch() -> Any:
    """Declare the property that allows an order to be repeated."""
    return BoolProperty(
        name="Again",
        description="Order again even if the same order exists",
        options={"SKIP_SAVE"},
    )
