# SPDX-License-Identifier: GPL-3.0-or-later
"""The import plan of a job: written for every version, and read even if others wrote it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from image_to_mesh.jobs.import_plan import ImportPlan, Placement

WRITTEN_BY_0_1_0: dict[str, Any] = {
    "file": "0123456789abcdef",
    "scene": "Scene",
    "location": [1.0, 2.0, 3.0],
    "turn": 1.5,
    "size": 1.8,
    "measure": "longest",
    "spacing": None,
    "linked": False,
    "unpack": True,
    "scale": None,
    "in_parts": True,
    "mending": {"colors": "baked", "weld": False},
}


def test_a_record_of_0_1_0_is_read_and_written_alike() -> None:
    plan = ImportPlan.from_json(WRITTEN_BY_0_1_0)
    placement = Placement((1.0, 2.0, 3.0), 1.5, 1.8, "longest", None, unpack=True)
    cleanup = {"colors": "baked", "weld": False}
    assert plan == ImportPlan("0123456789abcdef", "Scene", placement, cleanup, in_chunks=True)
    written = plan.as_json()
    assert written.pop("free") is False, "0.1.0 knew fixed locations only"
    assert written == WRITTEN_BY_0_1_0
    assert list(written) == list(WRITTEN_BY_0_1_0)


def test_a_job_without_a_scene_writes_an_empty_object() -> None:
    assert ImportPlan().as_json() == {}
    assert ImportPlan.from_json({}) == ImportPlan()


@pytest.mark.parametrize("data", [None, 3, "text", [], [["file", "x"]]])
def test_json_that_is_not_an_object_is_not_a_plan(data: object) -> None:
    assert ImportPlan.from_json(data) == ImportPlan()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("file", 3),
        ("scene", ["Scene"]),
        ("location", [1.0, 2.0]),
        ("location", [1.0, "2", 3.0]),
        ("location", [1.0, math.nan, 3.0]),
        ("location", {"x": 1.0}),
        ("turn", "90"),
        ("turn", math.inf),
        ("turn", 10**400),
        ("size", True),
        ("measure", "width"),
        ("measure", ["height"]),
        ("spacing", "wide"),
        ("linked", 1),
        ("unpack", "yes"),
        ("scale", [2.0]),
        ("in_parts", "no"),
        ("mending", [1]),
    ],
)
def test_a_value_of_a_wrong_type_is_read_as_the_default(key: str, value: object) -> None:
    without = {name: kept for name, kept in WRITTEN_BY_0_1_0.items() if name != key}
    expected = ImportPlan.from_json(without)
    assert ImportPlan.from_json({**WRITTEN_BY_0_1_0, key: value, "of later": 1}) == expected
