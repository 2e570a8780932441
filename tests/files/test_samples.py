# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh files of public packages: each is imported, or refused with a sentence."""

from __future__ import annotations

import json
import re
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import bpy
import places
import pytest

import samples
from image_to_mesh.jobs.process.worker_process import WorkerProcess
from image_to_mesh.jobs.steps.mesh_header import read_mesh_file
from image_to_mesh.providers import BadMesh
from image_to_mesh.scene.link_to_scene import append_model

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
WORKER = places.ROOT / "worker" / "main.py"
LEAST, SOURCES = 60, 5
LONGEST = 60.0
REFUSED = {
    "assimp-testmodels": r"\.$",  # made to be odd or broken: any refusal in a sentence will do
    "cesiumjs": r"is glTF (of version )?0\.[89]",
    "genesis-world": r"has no faces",
    "materialxgltf": r"the file “BoomBoxWithAxes\.bin” is missing",
    "tinyobjloader": r"has no faces|is not a (glTF|GLB), FBX",
}
"""The expected refusals by package; all other files are imported."""


class Stalls:
    """Times how long each file blocks Blender: while it is appended, and its header is read.

    Keeps wall time and this thread's CPU time: the difference went to other programs.
    """

    def __init__(self) -> None:
        self._seconds: list[tuple[float, float, str, Path]] = []

    def of(self, kind: str, mesh: Path, work: Callable[[], T]) -> T:
        """Time the work and return its result."""
        started, worked = time.perf_counter(), time.thread_time()
        try:
            return work()
        finally:
            took = time.perf_counter() - started, time.thread_time() - worked
            self._seconds.append((*took, kind, mesh))

    def longest(self, kind: str) -> str:
        """Return a line about the three longest of a kind."""
        found = sorted((second for second in self._seconds if second[2] == kind), reverse=True)
        descriptions = [
            f"{seconds * 1e3:.1f} ms ({worked * 1e3:.1f} of work) {mesh.name}"
            for seconds, worked, _, mesh in found[:3]
        ]
        return f"{kind}: longest of {len(found)}: {', '.join(descriptions)}"


def as_delivered(mesh: Path, folder: Path) -> Path:
    """Return the file as a service would send it: a glTF of several files becomes a ZIP."""
    if mesh.suffix.lower() != ".gltf":
        return mesh
    head = json.loads(mesh.read_bytes())
    # Before version 2.0, glTF has objects instead of these lists.
    entries = [entry for name in ("buffers", "images") for entry in _entries(head.get(name))]
    beside = {
        entry["uri"] for entry in entries if not entry.get("uri", "data:").startswith("data:")
    }
    if not beside:
        return mesh
    archive = folder / f"{mesh.stem}.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for name in (mesh.name, *sorted(beside)):
            if (mesh.parent / name).is_file():
                zipped.write(mesh.parent / name, name)
    return archive


def _entries(found: Any) -> list[dict[str, Any]]:
    return list(found.values() if isinstance(found, dict) else found or ())


def import_into_scene(worker: WorkerProcess, mesh: Path, folder: Path, stalls: Stalls) -> str:
    """Take a mesh from its download into the scene; return the message if it is refused."""
    request: dict[str, Any] = {
        "do": "prepare",
        "mesh": str(as_delivered(mesh, folder)),
        "name": mesh.stem,
        "output": str(folder / "model.blend"),
        "preview": str(folder / "preview.png"),
        "render_preview": True,
    }
    try:
        header = stalls.of("heads", mesh, lambda: read_mesh_file(Path(request["mesh"])))
        assert header.suffix == Path(request["mesh"]).suffix.lower().removeprefix(".")
        done = worker.ask(request, lambda *_: None, lambda: None)
    except BadMesh as refusal:
        return refusal.message
    assert done["faces"] > 0
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    names = stalls.of("appends", mesh, lambda: append(request["output"], mesh.stem))
    assert len(names) == len(done["objects"])
    return ""


def append(model: str, name: str) -> list[str]:
    """Do everything that the artist's Blender does with a model: append and place it."""
    return append_model(bpy.context, model, name=name, properties={"image_to_mesh_job": "sample"})


@pytest.mark.timeout(1800)
def test_every_sample_file_is_imported_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A crash or a hang raises an error other than BadMesh, which fails the test."""
    found = list(samples.wanted_files())
    assert len(found) >= LEAST
    assert len({package for package, _ in found}) >= SOURCES
    worker, stalls = WorkerProcess((sys.executable, str(WORKER))), Stalls()
    refused: list[tuple[str, str]] = []
    slowest = 0.0
    try:
        for package, mesh in found:
            started = time.monotonic()
            if why := import_into_scene(worker, mesh, tmp_path, stalls):
                assert why.endswith("."), why
                assert re.search(REFUSED.get(package, "^$"), why), f"{mesh}: {why}"
                refused.append((package, f"{mesh.name}: {why}"))
            slowest = max(slowest, time.monotonic() - started)
            assert slowest < LONGEST, mesh
    finally:
        worker.kill()
    assert {package for package, _ in refused} == set(REFUSED)
    formats = Counter(mesh.suffix.lower().removeprefix(".") for _, mesh in found)
    packages = len({package for package, _ in found})
    imported = f"{len(found) - len(refused)} imported, the slowest in {slowest:.1f} s"
    print(*(f"{package}: {kind}" for package, kind in refused), sep="\n")
    with capsys.disabled():
        print(f"\n{len(found)} files of {packages} packages, {dict(formats)}: {imported}")
        print(stalls.longest("appends"), stalls.longest("heads"), sep="\n")
