# SPDX-License-Identifier: GPL-3.0-or-later
"""An older pydantic of another add-on, loaded first: the error names that add-on."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import places
import pytest
from blender.addon_modules import addon_module

OLD = "/home/me/.config/blender/5.0/scripts/addons/other_tool/libs"


@pytest.fixture
def old_pydantic(addon: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Load another add-on's pydantic 1, before ours has built anything."""
    module = ModuleType("pydantic")
    module.__file__ = f"{OLD}/pydantic/__init__.py"
    module.__dict__["VERSION"] = "1.10.2"
    monkeypatch.setitem(sys.modules, "pydantic", module)
    adapters = addon_module("providers._shared.adapters")
    monkeypatch.setattr(adapters, "_ADAPTERS", {})


def test_generate_names_the_add_on_whose_module_conflicts(
    old_pydantic: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(tmp_path / "library"))
    bpy.context.scene.image_to_mesh.image = bpy.data.images.load(str(places.SAMPLE))
    with pytest.raises(RuntimeError) as caught:
        bpy.ops.image_to_mesh.generate()
    message = str(caught.value)
    assert "The add-on “other_tool” loaded an incompatible pydantic" in message
    assert "Update or disable “other_tool”, then restart Blender." in message
    assert "unexpected" not in message
    assert not list(tmp_path.glob("library/2*"))


def test_the_result_list_survives_a_conflicting_module(
    old_pydantic: None, addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index: Any = addon_module("jobs.library.index")
    results = index.library_index(tmp_path)
    (tmp_path / "20260101-000000-cup-0000").mkdir()
    (tmp_path / "20260101-000000-cup-0000" / "job.json").write_text(
        '{"id": "20260101-000000-cup-0000", "state": "failed", "provider": "local", "name": "cup",'
        ' "created": "2026-01-01T00:00:00+00:00", "schema": 2}'
    )
    results._refresh_quietly()
    assert (results.entries, results.problems) == ((), ())
    monkeypatch.undo()
    results._refresh_quietly()
    assert [entry.name for entry in results.entries] == ["cup"]
