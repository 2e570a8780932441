# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's meshes look as Blender's own importers show them, or differ on purpose."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import places
import pytest
import samples
from blender.looks import MEANT, bring_in, differences, import_plainly, looks

from image_to_mesh.jobs.process.worker_process import WorkerProcess
from image_to_mesh.providers import BadMesh

if TYPE_CHECKING:
    from pathlib import Path

WORKER = places.ROOT / "worker" / "main.py"
LEAST = 150
OTHERS = {
    "faces without three places are dropped",
}
"""What differs on purpose beside materials."""
OUTSIDE = "Textures that the mesh file names were not found"
"""The note that says why a texture which Blender would find elsewhere is missing."""


@pytest.mark.timeout(1200)
def test_sample_files_look_like_blenders_own_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker = WorkerProcess((sys.executable, str(WORKER)))
    compared, reasons, wrong = 0, Counter[str](), []
    try:
        for package, mesh in samples.chosen():
            try:
                done = worker.ask(_request(mesh, tmp_path), lambda *_: None, lambda: None)
            except BadMesh:
                continue  # test_samples.py knows which, and why
            bring_in(str(tmp_path / "model.blend"))
            ours = looks()
            import_plainly(mesh)
            found, used = differences(looks(), ours)
            reasons.update(used)
            if found:
                wrong.append(f"{package}: {mesh.name}: {'; '.join(found)} {done['notes']}")
            compared += 1
    finally:
        worker.kill()
    with capsys.disabled():
        print(f"\n{compared} meshes compared with Blender's own import; meant: {dict(reasons)}")
    assert not wrong, "\n".join(wrong)
    assert compared >= LEAST
    assert set(reasons) <= OTHERS | set(MEANT)


def _request(mesh: Path, folder: Path) -> dict[str, Any]:
    output = str(folder / "model.blend")
    return {"do": "prepare", "mesh": str(mesh), "name": mesh.stem, "output": output}
