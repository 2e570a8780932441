# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken mesh files through the whole of the background Blender: an error each, and no harm."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING

import bpy
import pytest
from blender.watching import Watch
from fakes.broken import broken, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

FULL, SAMPLE = 500, 130
COUNT = FULL if bpy.app.version[:2] == (5, 0) else SAMPLE
LONGEST = 60.0
RENDERED = 5
"""Every fifth one's preview is rendered, which takes most of its time."""


class Near:
    """The artist's side: one background Blender after the other, started again when one dies."""

    def __init__(self, addon: ModuleType, root: Path) -> None:
        jobs = f"{addon.__name__}.jobs"
        worker = root / "worker" / "main.py"
        process = import_module(f"{jobs}.process.worker_process").WorkerProcess
        self.process = process((sys.executable, str(worker)))
        self.error = import_module(f"{addon.__name__}.providers").ImageToMeshError
        self.read = import_module(f"{jobs}.steps.mesh_header").read_mesh_file
        self.ticks = 0.0

    def prepare(self, mesh: Path, *, preview: bool = True) -> str:
        """Go a mesh file's way from its download on; say how it ended."""
        request = {"do": "prepare", "mesh": str(mesh), "name": "mesh", "render_preview": True,
                   "output": str(mesh.parent / "model.blend"),
                   "preview": str(mesh.parent / "preview.png") if preview else None}  # fmt: skip
        try:
            self.read(mesh)
            self.process.ask(request, lambda _phase, _fraction: None, self._tick)
        except self.error as error:
            return f"{error.kind}: {error.message}"
        return "done"

    def _tick(self) -> None:
        self.ticks = time.monotonic()


@pytest.fixture
def near(addon: ModuleType, root: Path) -> Iterator[Near]:
    one = Near(addon, root)
    yield one
    one.process.kill()


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", sorted(whole()))
def test_intact_files_are_imported(name: str, near: Near, job: Path) -> None:
    (job / name).write_bytes(whole()[name])
    assert near.prepare(job / name) == "done"
    assert sorted(path.name for path in job.iterdir()) == sorted(
        [name, "model.blend", "preview.png"]
    )
    assert (job / name).read_bytes() == whole()[name]


@pytest.mark.timeout(300)
def test_broken_files_do_no_harm(near: Near, job: Path, tmp_path: Path) -> None:
    canary = tmp_path / "secret.png"
    canary.write_bytes(whole()["binary.glb"])
    ends: dict[str, int] = {}
    with Watch(canary) as watch:
        for number, item in enumerate(broken(11, COUNT, canary)):
            preview = number % RENDERED == 0
            mesh = job / f"mesh.{item.suffix}"
            mesh.write_bytes(item.data)
            started = time.monotonic()
            end = near.prepare(mesh, preview=preview)
            assert end.endswith(".") or not end.startswith("bad_mesh"), end
            kind = "died" if "unexpectedly" in end else end.partition(":")[0]
            ends[kind] = ends.get(kind, 0) + 1
            assert time.monotonic() - started < LONGEST, item.name
            assert not watch.opened(), f"{item.name} opened a file outside of its folder"
            assert sorted(tmp_path.iterdir()) == [job, canary], item.name
            made = {"model.blend", "preview.png"} if preview else {"model.blend"}
            expected = {mesh.name, *made} if end == "done" else {mesh.name}
            assert {path.name for path in job.iterdir()} == expected, item.name
            for path in job.iterdir():
                path.unlink()
    print(f"bpy {bpy.app.version_string}: {COUNT} broken files: {ends}")
    assert set(ends) <= {"done", "bad_mesh", "failed", "died"}
    assert ends.get("died", 0) + ends.get("failed", 0) <= COUNT // 50


def test_the_file_access_monitor_notices_reads(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with Watch(tmp_path / "file") as watch:
        assert watch.opened() == 0
        (tmp_path / "file").read_text()
        assert watch.opened() == 1
