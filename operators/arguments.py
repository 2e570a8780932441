# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that name what an operator acts on, such as a job."""

from __future__ import annotations

from typing import Any

from bpy.props import BoolProperty, StringProperty


def argument(name: str, description: str, *, hidden: bool = False) -> Any:
    """Declare a text that holds for one call; `hidden` from the panel of the last operator."""
    options = {"HIDDEN", "SKIP_SAVE"} if hidden else {"SKIP_SAVE"}
    return StringProperty(name=name, description=description, options=options)


def insisting() -> Any:
    """Declare the switch that orders once more what is ordered already."""
    return BoolProperty(
        name="Again",
        description="Order again even if the same order exists",
        options={"SKIP_SAVE"},
    )
