# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs of an app's functions as settings, with the app's own texts."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

from .._shared.errors import BadReply
from .._shared.server_settings import server_setting
from .._shared.settings import Group, Option, Setting
from .app import Parameter
from .plans import Plan, Profile


def settings_of_plan(plan: Plan) -> Iterator[Setting]:
    """Yield a setting for each input of a plan that is up to the user."""
    inputs = list(plan.inputs())
    titles = Counter(parameter.title for parameter in inputs)
    for parameter in inputs:
        # Apps give the sliders of two stages one label, below two headings.
        is_clear = parameter.title and titles[parameter.title] == 1
        title = parameter.title if is_clear else parameter.name.replace("_", " ").title()
        with contextlib.suppress(BadReply):
            yield _setting(parameter, title, plan.profile)


def _setting(parameter: Parameter, title: str, profile: Profile) -> Setting:
    group = profile.groups.get(parameter.name, "quality")
    option = Option(
        title,
        parameter.description,
        parameter.choices if parameter.kind == "enum" else (),
        basic=parameter.name in profile.basic,
        group=cast(Group, group),
    )
    default = start_value(parameter)
    return server_setting(
        parameter.name,
        parameter.kind or "str",
        option,
        default=default,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        step=parameter.step if parameter.component == "slider" else None,
        optional=default is None,
    )


def start_value(parameter: Parameter) -> Any:
    """Return what an input is sent as unless the user changes it; None leaves it empty."""
    if parameter.default is None and parameter.kind == "str":
        return ""
    if parameter.default is None and parameter.kind == "bool":
        return False
    return parameter.default
