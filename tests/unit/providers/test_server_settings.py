# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that a server describes become settings like all others, no matter what it says."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import pytest

from image_to_mesh.providers import (
    Choice,
    InvalidSettings,
    Option,
    Setting,
    Settings,
    changed_values,
    check_rules,
    settings_of,
    values_of,
)
from image_to_mesh.providers._shared.adapters import json_schema, parse_settings
from image_to_mesh.providers._shared.errors import BadReply
from image_to_mesh.providers._shared.server_settings import (
    as_kind,
    decode_setting,
    encode_setting,
    fit_number,
    problem_of,
    server_setting,
    settings_with,
    usable_rows,
)
from image_to_mesh.providers._shared.server_settings.declare import (
    MOST_CHOICES,
    MOST_SETTINGS,
)


class Declared(Settings):
    """A declaration with a rule of its own."""

    size: Annotated[int, Option("Size", "How large")] = 3

    def rules(self) -> Iterator[tuple[str, str]]:
        """A size of 13 is refused."""
        if self.size == 13:
            yield "size", "No."


def number(name: str = "steps", kind: Any = "int", **how: Any) -> Setting:
    """Return a number from 10 to 100 in steps of 5, or another one."""
    bounds = {"default": 30, "minimum": 10, "maximum": 100, "step": 5}
    return server_setting(name, kind, Option("Steps", "More are better."), **{**bounds, **how})


def menu(*values: Any, name: str = "size of it", **how: Any) -> Setting:
    """Return a choice."""
    choices = tuple(Choice(value, str(value)) for value in values)
    return server_setting(name, "enum", Option("Menu", "One of them", choices), **how)


ROWS = (
    number(),
    number("19:7.cfg", "float", default=7.5, minimum=0, maximum=None, step=None),
    menu(512, 1024, default=512),
    menu("a", "b", name="class", default="b"),
    server_setting("on", "bool", Option("On", ""), default=True),
    server_setting("text", "str", Option("Text", ""), default=""),
    server_setting("seed", "int", Option("Seed", ""), minimum=0, maximum=2**64 - 1, optional=True),
)
MODEL: Any = settings_with(Declared, ROWS)


def test_they_are_settings_like_the_declared_ones() -> None:
    settings: Any = MODEL()
    assert issubclass(MODEL, Declared)
    assert [setting.name for setting in settings_of(MODEL)] == [
        "size", "steps", "19:7.cfg", "size of it", "class", "on", "text", "seed",
    ]  # fmt: skip
    assert [setting.from_server for setting in settings_of(MODEL)] == [False, *[True] * 7]
    assert settings.steps == 30
    assert changed_values(settings) == {}
    changed: Any = replace(settings, **{"steps": 35, "size of it": 1024})
    assert changed_values(changed) == {"steps": 35, "size of it": 1024}
    assert changed != settings
    assert changed == MODEL(**values_of(changed))
    assert hash(changed) == hash(MODEL(**values_of(changed)))
    with pytest.raises(AttributeError):
        settings.steps = 5
    with pytest.raises(TypeError, match="unknown"):
        MODEL(other=1)


def test_equal_descriptions_give_the_same_class() -> None:
    assert settings_with(Declared, tuple(ROWS)) is MODEL
    assert settings_with(Declared, ()) is Declared
    assert settings_with(Declared, ROWS[:1]) is not MODEL


def test_texts_of_the_command_line_get_the_types_of_the_server() -> None:
    given = {"size": "4", "steps": "35", "19:7.cfg": "2", "size of it": "1024", "class": "a",
             "on": "false", "text": "a cup", "seed": "12345678901234567890"}  # fmt: skip
    values = values_of(parse_settings(MODEL, given))
    assert values == {"size": 4, "steps": 35, "19:7.cfg": 2.0, "size of it": 1024, "class": "a",
                      "on": False, "text": "a cup", "seed": 12345678901234567890}  # fmt: skip
    assert [type(value) for value in values.values()] == [
        int, int, float, int, str, bool, str, int,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("steps", "101", "from 10 to 100 in steps of 5"),
        ("steps", "9", "from 10 to 100"),
        ("steps", "many", "a whole number"),
        ("steps", "33", "in steps of 5"),
        ("19:7.cfg", "-1", "0 or more"),
        ("size of it", "768", "512, 1024"),
        ("class", "c", "one of a, b"),
        ("on", "perhaps", "true or false"),
        ("seed", "-1", "a whole number"),
        ("size", "x", "a whole number"),
    ],
)
def test_what_the_server_would_refuse_is_refused_before(
    name: str, value: str, expected: str
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        parse_settings(MODEL, {name: value})
    assert expected in f"{caught.value.message} {caught.value.hint}"


def test_an_unknown_setting_gets_a_suggestion() -> None:
    with pytest.raises(InvalidSettings, match="“step”") as caught:
        parse_settings(MODEL, {"step": "3"})
    assert "steps" in caught.value.hint


def test_the_rules_of_the_declaration_still_hold() -> None:
    with pytest.raises(InvalidSettings, match="No"):
        parse_settings(MODEL, {"size": "13"})


def test_the_schema_has_the_settings_of_the_server() -> None:
    properties = json_schema(MODEL)["properties"]
    steps = properties["steps"]
    assert (steps["minimum"], steps["maximum"], steps["default"]) == (10, 100, 30)
    assert (steps["title"], steps["description"]) == ("Steps", "More are better")
    assert properties["size of it"]["enum"] == [512, 1024]
    assert json_schema(MODEL)["additionalProperties"] is False


def test_a_setting_without_a_default_has_to_be_set() -> None:
    model = settings_with(Declared, (server_setting("views", "int", Option("Views", "")),))
    with pytest.raises(InvalidSettings, match="requires a value for Views"):
        parse_settings(model, {})
    assert values_of(parse_settings(model, {"views": "4"}))["views"] == 4


def test_a_value_that_is_no_longer_accepted_is_reported() -> None:
    kept: Any = MODEL(**{"size of it": 768, "steps": 200})
    found = dict(kept.rules())
    assert set(found) == {"size of it", "steps"}
    assert "768" in found["size of it"]
    assert "512, 1024" in found["size of it"]
    with pytest.raises(InvalidSettings, match="200"):
        check_rules(kept)


def test_a_setting_that_is_gone_is_reported() -> None:
    model: Any = settings_with(Declared, ROWS, frozenset({"text"}))
    (problem,) = model(text="a cup").rules()
    assert problem == ("text", "The server no longer has Text. Reset it.")


@pytest.mark.parametrize(
    ("setting", "value", "is_accepted"),
    [
        (number(), 10, True), (number(), 100, True), (number(), 10.0, False),
        (number(), True, False), (number(), "30", False), (number(), 12, False),
        (number(minimum=None), 5, True), (number(minimum=None), 6, False),
        (number("x", "float", step=0.1, minimum=0.0), 0.3, True),
        (number("x", "float", step=0.1, minimum=0.0, maximum=1e9), 123456.7, True),
        (number("x", "float", step=0.1, minimum=0.0), 0.35, False),
        (menu(1, 0), True, False), (menu(True, "x"), 1, False), (menu(1, 2), 2, True),
        (menu(), "x", False),
    ],
)  # fmt: skip
def test_bounds_choices_steps_and_types(setting: Setting, value: Any, is_accepted: bool) -> None:
    assert (problem_of(setting, value) == "") is is_accepted


@pytest.mark.parametrize(
    ("setting", "entered", "value"),
    [
        (number(), 33, 35), (number(), 1, 10), (number(), 999, 100), (number(), 32, 30),
        (number(maximum=98), 98, 95), (number(minimum=None, maximum=None), 12, 10),
        (number(step=None), 33, 33),
        (number("x", "float", minimum=0.0, maximum=1.0, step=0.1), 0.31, 0.3),
        (number("x", "float", minimum=0.0, maximum=1.0, step=None), 1.5, 1.0),
    ],
)  # fmt: skip
def test_an_entered_number_is_fitted(setting: Setting, entered: float, value: float) -> None:
    fitted = fit_number(setting, entered)
    assert fitted == value
    assert type(fitted) is (int if setting.kind == "int" else float)
    assert problem_of(setting, fitted) == ""


@pytest.mark.parametrize("row", [*ROWS, menu(True, 1.5, "x", default=1.5)])
def test_a_setting_survives_its_json(row: Setting) -> None:
    assert decode_setting(json.loads(json.dumps(encode_setting(row)))) == row


@pytest.mark.parametrize("name", ["", " a", "_a", "__class__", "a=b", "a,b", "a\nb", "a" * 101, 7])
def test_a_name_that_cannot_be_used_is_refused(name: Any) -> None:
    with pytest.raises(BadReply):
        number(name)


@pytest.mark.parametrize("kind", ["file", "image", "", None])
def test_a_kind_that_cannot_be_used_is_refused(kind: Any) -> None:
    with pytest.raises(BadReply):
        number("steps", kind)


def test_names_of_methods_and_of_declared_settings_are_unusable() -> None:
    rows = (number("rules"), number("size"), number("steps"), number("steps"), number("items"))
    usable, unusable = usable_rows(Declared, rows)
    assert [row.name for row in usable] == ["steps", "items"]
    assert unusable == ("rules", "size", "steps")


def test_the_numbers_of_settings_and_choices_are_limited() -> None:
    usable, unusable = usable_rows(Declared, [number(f"n{count}") for count in range(1000)])
    assert len(usable) == MOST_SETTINGS
    assert len(unusable) == 1000 - MOST_SETTINGS
    assert len(menu(*range(10_000)).choices) == MOST_CHOICES
    files = [f"{number:0>400}.safetensors" for number in range(1000)]
    usable, unusable = usable_rows(Declared, [menu(*files, name=name) for name in "abc"])
    assert [row.name for row in usable] == ["a"]
    assert unusable == ("b", "c")


def test_texts_of_a_server_are_cleaned_and_ids_are_not_changed() -> None:
    choices = (Choice("a\u200bb", "hidden"), Choice("ok", "\x1b[31mred\x1b[0m"))
    row = server_setting("x", "enum", Option("T\u202etle\n", "d" * 9999, choices))
    assert row.title == "Ttle"
    assert len(row.description) == 500
    assert row.choices == (Choice("ok", "red"),)


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("int", 5.0, 5), ("int", 5.5, 5.5), ("float", 5, 5.0), ("int", True, True),
        ("str", "x\ny", "x\ny"), ("str", "\ud83d", "\ufffd"), ("int", [1], None),
        ("float", float("nan"), None), ("str", "x" * 10_001, None), ("bool", None, None),
    ],
)  # fmt: skip
def test_a_value_changes_its_type_only_where_nothing_is_lost(
    kind: Any, value: object, kept: object
) -> None:
    found = as_kind(kind, value)
    assert (found, type(found)) == (kept, type(kept))


EXTREME: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, float("inf"), float("nan"), 10**400, "", "x", "\ud83d", [], {}, [[]],
    {"a": 1}, "int", "enum", "x" * 20_000,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(200))
def test_no_description_breaks_anything(seed: int) -> None:
    random_ = random.Random(seed)
    names = ("name", "type", "title", "description", "default", "minimum", "maximum", "step",
             "optional", "unit", "basic", "group", "choices")  # fmt: skip
    rows = []
    for count in range(5):
        data = {name: random_.choice(EXTREME) for name in names if random_.random() < 0.7}
        data |= {"name": f"n{count}", "type": random_.choice(["int", "float", "bool", "enum"])}
        data["choices"] = [[random_.choice(EXTREME), "t", "d"] for _ in range(3)]
        rows.append(decode_setting(data))
    usable, _ = usable_rows(Declared, [row for row in rows if row is not None])
    settings = settings_with(Declared, usable)()
    for _name, sentence in settings.rules():
        assert sentence
    for setting in usable:
        assert decode_setting(json.loads(json.dumps(encode_setting(setting)))) == setting


@pytest.mark.parametrize(
    ("low", "high", "bounds"),
    [
        (0.5, 9.5, (1, 9)),
        (1e308, 5, (None, 5)),
        (1e18, 1e19, (10**18, 10**19)),
        (float("inf"), None, (None, None)),
    ],
)
def test_the_bounds_of_a_whole_number_are_whole(low: Any, high: Any, bounds: Any) -> None:
    row = number(minimum=low, maximum=high, step=None, default=None, optional=True)
    assert (row.minimum, row.maximum) == bounds
    assert all(type(bound) in (int, type(None)) for bound in (row.minimum, row.maximum))
    parse_settings(settings_with(Declared, (row,)), {})
    assert decode_setting(json.loads(json.dumps(encode_setting(row)))) == row
