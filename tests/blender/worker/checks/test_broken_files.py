# SPDX-License-Identifier: GPL-3.0-or-later
"""Broken mesh files through the whole worker: each ends with an error and does no harm."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import bpy
import pytest
from blender.addon_modules import addon_module
from blender.file_access import FileAccess
from fakes.broken import broken, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

FULL, SAMPLE = 500, 130
COUNT = FULL if bpy.app.version[:2] == (5, 0) else SAMPLE
LONGEST = 60.0
RENDERED = 5
"""The preview of every fifth file is rendered: it takes most of a file's time."""


class ArtistSide:
    """Does what the artist's Blender does with a downloaded mesh; replaces a worker that dies."""

    def __init__(self, addon: ModuleType, root: Path) -> None:
        worker = root / "worker" / "main.py"
        process = addon_module("jobs.process.worker_process").WorkerProcess
        self.process = process((sys.executable, str(worker)))
        self.error = addon_module("providers").ImageToMeshError
        self.read = addon_module("jobs.steps.mesh_header").read_mesh_file
        self.ticks = 0.0

    def prepare(self, mesh: Path, *, preview: bool = True) -> str:
        """Take a mesh file from its download to the model; return how that ended."""
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
def artist_side(addon: ModuleType, root: Path) -> Iterator[ArtistSide]:
    side = ArtistSide(addon, root)
    yield side
    side.process.kill()


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", sorted(whole()))
def test_intact_files_are_imported(name: str, artist_side: ArtistSide, job: Path) -> None:
    (job / name).write_bytes(whole()[name])
    assert artist_side.prepare(job / name) == "done"
    assert sorted(path.name for path in job.iterdir()) == sorted(
        [name, "model.blend", "preview.png"]
    )
    assert (job / name).read_bytes() == whole()[name]


@pytest.mark.timeout(300)
def test_broken_files_do_no_harm(artist_side: ArtistSide, job: Path, tmp_path: Path) -> None:
    canary = tmp_path / "secret.png"
    canary.write_bytes(whole()["binary.glb"])
    outcomes: dict[str, int] = {}
    with FileAccess(canary) as access:
        for number, item in enumerate(broken(11, COUNT, canary)):
            preview = number % RENDERED == 0
            mesh = job / f"mesh.{item.suffix}"
            mesh.write_bytes(item.data)
            started = time.monotonic()
            outcome = artist_side.prepare(mesh, preview=preview)
            assert outcome.endswith(".") or not outcome.startswith("bad_mesh"), outcome
            kind = "died" if "unexpectedly" in outcome else outcome.partition(":")[0]
            outcomes[kind] = outcomes.get(kind, 0) + 1
            assert time.monotonic() - started < LONGEST, item.name
            assert not access.count_opens(), f"{item.name} opened a file outside of its folder"
            assert sorted(tmp_path.iterdir()) == [job, canary], item.name
            made = {"model.blend", "preview.png"} if preview else {"model.blend"}
            expected = {mesh.name, *made} if outcome == "done" else {mesh.name}
            assert {path.name for path in job.iterdir()} == expected, item.name
            for path in job.iterdir():
                path.unlink()
    print(f"bpy {bpy.app.version_string}: {COUNT} broken files: {outcomes}")
    assert set(outcomes) <= {"done", "bad_mesh", "failed", "died"}
    assert outcomes.get("died", 0) + outcomes.get("failed", 0) <= COUNT // 50


def test_the_file_access_monitor_notices_reads(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with FileAccess(tmp_path / "file") as access:
        assert access.count_opens() == 0
        (tmp_path / "file").read_text()
        assert access.count_opens() == 1
