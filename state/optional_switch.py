# SPDX-License-Identifier: GPL-3.0-or-later
"""A menu for an optional switch: automatic, on, or off, in place of two checkboxes.

The menu stores nothing: files, scripts, and presets keep the two properties behind it.
"""

from __future__ import annotations

from typing import Any

from bpy.props import EnumProperty

from ..providers import Choice

AUTOMATIC, ON, OFF = range(3)
_ON, _OFF = Choice(True, "On", "Always"), Choice(False, "Off", "Never")


def choice_name(name: str) -> str:
    """Return the name of the menu's property for a setting."""
    return f"choice_of_{name}"


def choice_property(
    switch: str, value: str, choices: tuple[Choice, ...] = (), **common: Any
) -> Any:
    """Return an enum property that reads and writes two others, named by `switch` and `value`.

    The first holds whether the setting is sent, the second its value. `choices` are titles for True
    and False instead of “On” and “Off”. `common` are further arguments of the enum property.
    """
    known = {choice.value: choice for choice in choices}
    on, off = known.get(True, _ON), known.get(False, _OFF)

    def read(group: Any) -> int:
        if not getattr(group, switch):
            return AUTOMATIC
        return ON if getattr(group, value) else OFF

    def write(group: Any, number: int) -> None:
        setattr(group, switch, number != AUTOMATIC)
        if number != AUTOMATIC:
            setattr(group, value, number == ON)

    return EnumProperty(
        **common,
        items=(
            ("AUTOMATIC", "Automatic", "The service decides", AUTOMATIC),
            ("ON", on.title, on.description, ON),
            ("OFF", off.title, off.description, OFF),
        ),
        get=read,
        set=write,
    )
