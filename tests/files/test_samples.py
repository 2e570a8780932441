# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh files out of other people's packages: each comes in, or is refused with a sentence."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import places
import pytest
import samples

from image_to_mesh.jobs.meshfile import read_mesh_file
from image_to_mesh.jobs.worker_process import WorkerProcess
from image_to_mesh.providers import BadMesh

WORKER = places.ROOT / "scene" / "background" / "worker.py"
LEAST, SOURCES = 60, 5
LONGEST = 60.0
REFUSED = frozenset[str]()
"""Names of files that are refused, as they should be: none of those that are listed."""


def brought_in(worker: WorkerProcess, mesh: Path, folder: Path) -> str:
    """Go a mesh's way from its download to its .blend; say what came of it."""
    request = {
        "do": "prepare",
        "mesh": str(mesh),
        "name": mesh.stem,
        "output": str(folder / "model.blend"),
        "preview": str(folder / "preview.png"),
        "render_preview": True,
    }
    try:
        told = read_mesh_file(mesh)
        assert told.suffix == mesh.suffix.lower().removeprefix(".")
        done = worker.ask(request, lambda *_: None, lambda: None)
    except BadMesh as refusal:
        return refusal.message
    assert done["faces"] > 0
    assert (folder / "model.blend").stat().st_size > 10_000
    return ""


@pytest.mark.timeout(900)
def test_every_sample_comes_in_or_is_refused(tmp_path: Path) -> None:
    """A crash or a hang is another error than BadMesh, and ends the test with it."""
    found = list(samples.chosen())
    assert len(found) >= LEAST
    assert len({package for package, _ in found}) >= SOURCES
    worker = WorkerProcess((sys.executable, str(WORKER)))
    refused, slowest = {}, 0.0
    try:
        for package, mesh in found:
            started = time.monotonic()
            if why := brought_in(worker, mesh, tmp_path):
                assert why.endswith(".")
                refused[f"{package}: {mesh.name}"] = why
            slowest = max(slowest, time.monotonic() - started)
            assert slowest < LONGEST, mesh
    finally:
        worker.kill()
    formats = Counter(mesh.suffix.lower().removeprefix(".") for _, mesh in found)
    packages = len({package for package, _ in found})
    came = f"{len(found) - len(refused)} came in, the slowest in {slowest:.1f} s"
    print(f"{len(found)} files of {packages} packages, {dict(formats)}: {came}")
    assert set(refused) == REFUSED, refused
