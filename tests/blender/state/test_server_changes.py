# SPDX-License-Identifier: GPL-3.0-or-later
"""Values survive what a server changes: they are kept, marked, and named, never replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import pytest
from blender.recording import draw
from blender.state.test_server_settings import (
    WIDE,
    chosen,
    get_settings,
    items,
    provider,
    reason,
    settings_now,
    value,
    workshop,
)
from fakes.workshop import STEPS, Workshop

__all__ = ["chosen", "provider", "workshop"]  # fixtures


@pytest.fixture
def changed(chosen: Any, workshop: Workshop) -> Callable[[dict[str, Any]], None]:
    """Return a function that changes a setting at the server, or removes it, and asks again."""
    get_settings()

    def change(row: dict[str, Any] | None, name: str = "") -> None:
        name = row["name"] if row else name
        kept = [other for other in workshop.rows["fast"] if other["name"] != name]
        workshop.rows["fast"] = [*([row] if row else []), *kept]
        get_settings()

    return change


def test_a_range_that_moved_keeps_the_value_and_says_so(changed: Any) -> None:
    items()["steps"].whole = 90
    changed({**STEPS, "maximum": 40})
    assert (value("steps"), items()["steps"].whole) == (90, 90)
    said = "Steps cannot be “90” at this server. Expected a whole number from 10 to 40"
    assert said in reason()
    assert said in draw(unfolded=True, width=2000).text()
    items()["steps"].whole = 90
    assert (value("steps"), reason()) == (40, "")


def test_a_choice_that_is_gone_is_kept_and_marked(changed: Any) -> None:
    items()["resolution"].choice = "1024"
    changed({"name": "resolution", "type": "enum", "title": "Resolution", "default": 512,
             "choices": [512, 768]})  # fmt: skip
    assert value("resolution") == 1024
    assert items()["resolution"].choice == "1024"
    assert "Resolution cannot be “1024” at this server. Expected one of 512, 768" in reason()
    (row,) = [
        row for row in draw(unfolded=True, width=WIDE).all("prop")
        if row.get("text") == "Resolution"
    ]  # fmt: skip
    assert row["alert"]
    with pytest.raises(RuntimeError, match="1024"):
        bpy.ops.image_to_mesh.generate()
    items()["resolution"].choice = "768"
    assert (value("resolution"), reason()) == (768, "")


def test_a_changed_setting_that_is_gone_is_kept_until_it_is_reset(changed: Any) -> None:
    items()["finish"].choice = "gloss"
    changed(None, "finish")
    changed(None, "prompt")
    assert "prompt" not in items()
    assert value("finish") == "gloss"
    assert "The server no longer has Finish. Reset it" in reason()
    assert bpy.ops.image_to_mesh.reset_settings(setting="finish") == {"FINISHED"}
    assert "finish" not in items()
    assert reason() == ""
    assert not hasattr(settings_now(), "finish")


def test_a_setting_that_comes_back_has_its_value(changed: Any) -> None:
    items()["steps"].whole = 90
    changed(None, "steps")
    assert reason()
    changed(dict(STEPS))
    assert (value("steps"), reason()) == (90, "")


def test_a_new_default_counts_unless_the_user_chose(changed: Any) -> None:
    items()["finish"].choice = "gloss"
    changed({**STEPS, "default": 45})
    changed({"name": "finish", "type": "enum", "default": "raw",
             "choices": ["raw", "matt", "gloss"]})  # fmt: skip
    assert (value("steps"), value("finish")) == (45, "gloss")


def test_a_value_keeps_its_meaning_when_its_type_changes(changed: Any) -> None:
    items()["steps"].whole = 90
    changed({**STEPS, "type": "float"})
    assert (value("steps"), type(value("steps"))) == (90.0, float)
    changed({"name": "steps", "type": "enum", "default": "few", "choices": ["few", "many"]})
    assert "Steps cannot be “90.0”" in reason().replace("steps", "Steps")
    assert items()["steps"].choice == "90.0"


def test_a_number_beyond_32_bits_is_edited_as_text(changed: Any) -> None:
    changed({"name": "noise", "type": "int", "default": 156680208700286, "minimum": 0,
             "maximum": 2**64 - 1})  # fmt: skip
    assert value("noise") == 156680208700286
    shown = [
        row for row in draw(unfolded=True, width=WIDE).all("prop") if row.get("text") == "noise"
    ]
    assert [row["property"] for row in shown] == ["text"]
    items()["noise"].text = "18446744073709551615"
    assert (value("noise"), reason()) == (2**64 - 1, "")
    items()["noise"].text = "a lot"
    assert "noise cannot be “a lot”" in reason()
    items()["noise"].text = "7"
    assert (value("noise"), reason()) == (7, "")


def test_a_required_setting_without_a_value_is_named(changed: Any) -> None:
    changed({"name": "views", "type": "int", "title": "Views", "minimum": 1, "maximum": 4})
    assert "The server requires a value for Views" in reason()
    items()["views"].whole = 3
    assert (value("views"), reason()) == (3, "")
    changed({"name": "file", "type": "enum", "title": "File", "choices": ["a", "b"]})
    assert items()["file"].choice == "no_value"
    assert "The server requires a value for File" in reason()
    items()["file"].choice = "b"
    assert (value("file"), reason()) == ("b", "")
