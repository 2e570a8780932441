# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the values of a server's settings: bounds, choices, and steps."""

from __future__ import annotations

from math import floor, isfinite
from typing import cast

from ..adapters import describe_values
from ..messages import Message
from ..settings import Setting, is_same
from ..untrusted_text import clean

TINY = 1e-6
"""Fraction of a step by which a value may differ from it, as sums of decimal fractions do."""


def problem_of(setting: Setting, value: object) -> str:
    """Return why the server would refuse a value; an empty string if it would not."""
    if value is None or (value == "" and setting.kind == "str" and setting.default is None):
        if setting.optional:
            return ""
        return Message("The server requires a value for {setting}.", setting=setting.title)
    if _is_accepted(setting, value):
        return ""
    return Message(
        "{setting} cannot be “{value}” at this server. Expected {values}.",
        setting=setting.title,
        value=clean(str(value), 80),
        values=describe_values(setting),
    )


def gone_text(setting: Setting) -> str:
    """Return the sentence for a changed setting that the server no longer has."""
    return Message("The server no longer has {setting}. Reset it.", setting=setting.title)


def fit_number(setting: Setting, value: float) -> float:
    """Return the value nearest to a number that bounds and step of a setting allow."""
    low, high = setting.minimum, setting.maximum
    start = low or 0
    if setting.step and isfinite((value - start) / setting.step):
        count = round((value - start) / setting.step)
        if high is not None:
            count = min(count, floor((high - start) / setting.step + TINY))
        if low is not None:
            count = max(count, 0)
        exact = start + count * setting.step
        # Without the binary remainder of 3 * 0.1.
        value = round(exact) if setting.kind == "int" else float(f"{exact:.12g}")
    value = value if low is None else max(value, low)
    value = value if high is None else min(value, high)
    return int(value) if setting.kind == "int" else float(value)


def _is_accepted(setting: Setting, value: object) -> bool:
    if setting.kind == "enum":
        return any(is_same(choice.value, value) for choice in setting.choices)
    if setting.kind == "bool" or isinstance(value, bool):
        return setting.kind == "bool" and isinstance(value, bool)
    if setting.kind == "str":
        return isinstance(value, str)
    if not isinstance(value, int if setting.kind == "int" else int | float):
        return False
    number = cast(float, value)
    low, high = setting.minimum, setting.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        return False
    return _is_on_step(setting, number)


def _is_on_step(setting: Setting, number: float) -> bool:
    if not setting.step:
        return True
    count = (number - (setting.minimum or 0)) / setting.step
    if not isfinite(count):  # a step that is too fine for the number
        return True
    return abs(count - round(count)) <= TINY * max(1.0, abs(count))
