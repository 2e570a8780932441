# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a server's settings as plain JSON, and reads them back, even if they were damaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast, get_args

from ..errors import BadReply
from ..settings import Choice, Group, Option, Setting, Unit
from .declare import MOST_CHOICES, server_setting

_USUAL: Mapping[str, Any] = {
    "description": "",
    "default": None,
    "minimum": None,
    "maximum": None,
    "step": None,
    "optional": False,
    "unit": "none",
    "basic": False,
    "group": "quality",
    "choices": [],
}
"""What is written of a setting, unless it has these values."""


def encode_setting(setting: Setting) -> dict[str, Any]:
    """Return a server's setting as plain JSON, without what has its usual value."""
    data = {name: getattr(setting, name) for name in _USUAL}
    data["choices"] = [list(choice) for choice in setting.choices]
    changed = {name: value for name, value in data.items() if value != _USUAL[name]}
    return {"name": setting.name, "type": setting.kind, "title": setting.title, **changed}


def decode_setting(data: object) -> Setting | None:
    """Return the setting that `encode_setting` wrote; None for anything else."""
    if not isinstance(data, Mapping):
        return None
    given = cast(Mapping[str, Any], data)
    texts = {name: str(given.get(name, "")) for name in ("title", "description")}
    unit: Any = given.get("unit")
    group: Any = given.get("group")
    option = Option(
        texts["title"],
        texts["description"],
        tuple(islice(_decode_choices(given.get("choices")), MOST_CHOICES)),
        unit=unit if unit in get_args(Unit) else "none",
        basic=given.get("basic") is True,
        group=group if group in get_args(Group) else "quality",
    )
    try:
        return server_setting(
            given.get("name", ""),
            given.get("type", "str"),
            option,
            default=given.get("default"),
            minimum=given.get("minimum"),
            maximum=given.get("maximum"),
            step=given.get("step"),
            optional=given.get("optional") is True,
        )
    except BadReply:
        return None


def _decode_choices(choices: object) -> Iterator[Choice]:
    for item in choices if isinstance(choices, list) else ():
        if isinstance(item, list) and len(item) == 3:
            yield Choice(item[0], *(text if isinstance(text, str) else "" for text in item[1:]))
