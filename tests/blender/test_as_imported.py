# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a format can say of a mesh, the prepared model shows it as Blender's importer does."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.looks import bring_in, differences, import_plainly, looks
from blender.own_meshes import MESHES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

CHOICES: dict[str, dict[str, Any]] = {
    "as always": {},
    "normals kept": {"normals": "keep"},
    "transforms kept": {"apply_transforms": False, "normals": "keep"},
    "hierarchy kept": {"tidy": False, "normals": "keep"},
    "nothing mended": {"tidy": False, "weld": False, "metals": False, "outward": False,
                       "normals": "keep", "apply_transforms": False},
}  # fmt: skip


@pytest.fixture
def background(addon: ModuleType) -> Callable[[str], ModuleType]:
    return lambda name: import_module(f"{addon.__name__}.scene.background.{name}")


@pytest.fixture
def prepared(background: Any, tmp_path: Path) -> Callable[..., list[bpy.types.Object]]:
    """Prepare a mesh file and leave the model alone in the scene."""

    def run(mesh: Path, **mending: Any) -> list[bpy.types.Object]:
        output = str(tmp_path / "model.blend")
        request = {"mesh": str(mesh), "name": "photo", "output": output, "mending": mending}
        background("prepare").prepare(request, lambda *_: None)
        return bring_in(output)

    return run


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("name", MESHES)
def test_it_looks_as_imported(name: str, choice: str, prepared: Any, tmp_path: Path) -> None:
    mesh = MESHES[name](tmp_path)
    import_plainly(mesh)
    plain = looks()
    prepared(mesh, **CHOICES[choice])
    ours = looks()
    found, _ = differences(plain, ours)
    assert not found
    if choice != "as always":  # What comes without normals is smoothed.
        np.testing.assert_allclose(ours.normals, plain.normals, atol=0.01 * plain.area)
