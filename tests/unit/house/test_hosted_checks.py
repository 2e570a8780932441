# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosted CI and the hooks before a commit run the same checks as `make check`."""

from __future__ import annotations

import re

import bpy_names
import check
import environments
import places
import pytest
import system

import tests

WORKFLOW = (places.ROOT / ".github/workflows/tests.yml").read_text("utf-8")
HOOKS = (places.ROOT / ".pre-commit-config.yaml").read_text("utf-8")


def test_hooks_before_a_commit_have_the_versions_of_the_checks() -> None:
    lines = (environments.REQUIREMENTS / "check.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    hooks = dict(re.findall(r"repo: \S+/(\S+)\s+rev: v(\S+)", HOOKS))
    assert hooks == {"ruff-pre-commit": pinned["ruff"], "codespell": pinned["codespell"]}


def test_hosted_tests_run_in_every_supported_blender() -> None:
    listed = re.search(r"release: \[(.*)\]", WORKFLOW)
    assert listed
    assert re.findall(r'"([^"]+)"', listed[1]) == list(environments.BPY)
    pythons = dict(re.findall(r'release: "(\S+)"\s+python: "(\S+)"', WORKFLOW))
    other = {name: python for name, (python, _) in environments.BPY.items() if python != "3.11"}
    assert pythons == other


def test_hosted_tests_name_tiers_that_exist() -> None:
    tiers = {tier.name for tier in tests.tiers()}
    matrix = re.search(r"python: \[(.*)\]", WORKFLOW)
    assert matrix
    named = {f"unit-{version}" for version in re.findall(r'"([^"]+)"', matrix[1])}
    named |= {f"blender-{release}" for release in environments.BPY}
    named |= set(re.findall(r"tools/tests\.py (\S+)$", WORKFLOW, re.MULTILINE)) - {'"$TIER"'}
    assert named <= tiers
    assert "gui-trixie" in named


def test_hosted_linux_has_the_libraries_of_bpy() -> None:
    assert [name for name in system.LIBRARIES if not re.search(rf"\b{name}\b", WORKFLOW)] == []


def test_workflows_are_checked() -> None:
    checks = [item for item in check.checks() if isinstance(item, check.Check)]
    linted = [item.arguments for item in checks if item.name.startswith("workflow")]
    assert len(linted) == 2
    for name in ("tests.yml", "release.yml"):
        assert all(any(text.endswith(name) for text in arguments) for arguments in linted)


@pytest.mark.parametrize(
    ("message", "reported"),
    [
        ('"Context" has no attribute "windw_manager"; maybe "window_manager"?', True),
        ('"Object" has no attribute "matrx_world"', True),
        ('Module has no attribute "obj_impord"; maybe "obj_import"?', True),
        ('"Scene" has no attribute "image_to_msh"', True),
        ('"Scene" has no attribute "image_to_mesh"', False),
        ('"type[WindowManager]" has no attribute "image_to_mesh"', False),
        ('"Attribute" has no attribute "data"', False),
    ],
)
def test_unknown_names_are_reported_unless_the_stubs_are_too_coarse(
    message: str, reported: bool
) -> None:
    assert bpy_names.is_misspelled(f"a/b.py:7: error: {message}  [attr-defined]") is reported


def test_only_unknown_names_are_reported() -> None:
    line = 'a.py:7: error: Incompatible types in assignment (expression has type "int")'
    assert not bpy_names.is_misspelled(f"{line}  [assignment]")
    assert not bpy_names.is_misspelled("Found 70 errors in 33 files (checked 131 source files)")
