# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes from public packages match Blender's own import, except for intended differences."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import places
import pytest
from blender.appearance import (
    INTENDED,
    append_all,
    differences,
    import_with_blender,
    measure_scene,
)

import samples
from image_to_mesh.jobs.process.worker_process import WorkerProcess
from image_to_mesh.providers import BadMesh

if TYPE_CHECKING:
    from pathlib import Path

WORKER = places.ROOT / "worker" / "main.py"
LEAST = 150
OTHERS = {
    "faces without three places are dropped",
}
"""Intended differences other than in materials."""
OUTSIDE = "Textures not found"
"""The note about a texture outside of the mesh's folder, which Blender itself would read."""


@pytest.mark.timeout(1200)
def test_sample_files_match_blenders_own_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = WorkerProcess((sys.executable, str(WORKER)))
    compared, reasons, wrong = 0, Counter[str](), []
    try:
        for package, mesh in samples.wanted_files():
            try:
                done = worker.ask(_request(mesh, tmp_path), lambda *_: None, lambda: None)
            except BadMesh:
                continue  # test_samples.py lists these, with the reasons
            append_all(str(tmp_path / "model.blend"))
            ours = measure_scene()
            import_with_blender(mesh)
            unexpected, used = differences(measure_scene(), ours)
            reasons.update(used)
            if unexpected:
                wrong.append(f"{package}: {mesh.name}: {'; '.join(unexpected)} {done['notes']}")
            compared += 1
    finally:
        worker.kill()
    with capsys.disabled():
        print(f"\n{compared} meshes compared with Blender's import; intended: {dict(reasons)}")
    assert not wrong, "\n".join(wrong)
    assert compared >= LEAST
    assert set(reasons) <= OTHERS | set(INTENDED)


def _request(mesh: Path, folder: Path) -> dict[str, Any]:
    output = str(folder / "model.blend")
    return {"do": "prepare", "mesh": str(mesh), "name": mesh.stem, "output": output}
