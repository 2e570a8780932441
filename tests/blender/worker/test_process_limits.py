# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker runs at low priority, and ends itself if its work hangs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blender.addon_modules import addon_module
from fakes.broken import whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

STUCK = """
import ctypes, sys, time
sys.path.insert(0, {tests!r})
from unit.worker_package import load
limits = load("process_limits")
limits.GRACE_SECONDS = 0.5
with limits.time_limit(0.5):
    ctypes.PyDLL(None).sleep({seconds})  # as an importer that hangs: Python's lock is held
print("through", flush=True)
time.sleep(2)
print("alive", flush=True)
"""


@pytest.fixture
def worker(addon: ModuleType, root: Path) -> Iterator[ModuleType]:
    process = addon_module("jobs.process.worker_process").WorkerProcess
    running = process((sys.executable, str(root / "worker" / "main.py")))
    yield running
    running.kill()


def test_the_worker_runs_at_low_priority(worker: ModuleType, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("read from /proc")
    worker.version(lambda: None)
    here = Path(f"/proc/{worker._process.pid}")
    niceness = int((here / "stat").read_text().rpartition(")")[2].split()[16])
    assert niceness >= min(19, os.nice(0) + 10)
    limits = (here / "limits").read_text()
    assert "Max core file size        0" in limits
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert f"Max data size             {memory}" in limits


def run_stuck(tests: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    """Run work that holds the GIL for some seconds, under a limit of one second in all."""
    source = STUCK.format(tests=str(tests), seconds=seconds)
    command = [sys.executable, "-c", source]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


def test_a_worker_that_hangs_with_the_gil_held_ends(root: Path) -> None:
    done = run_stuck(root / "tests", 40)
    assert done.returncode == 1
    assert "through" not in done.stdout


def test_a_request_that_ends_in_time_keeps_the_worker(root: Path) -> None:
    done = run_stuck(root / "tests", 0)
    assert done.stdout.split() == ["through", "alive"]


def test_one_worker_process_prepares_several_meshes(worker: ModuleType, tmp_path: Path) -> None:
    """The process that prepared the first mesh prepares the second."""
    pids = set()
    for name in ("binary.glb", "binary.fbx"):
        mesh = tmp_path / name
        mesh.write_bytes(whole()[name])
        request = {"do": "prepare", "mesh": str(mesh), "name": "mesh", "render_preview": True,
                   "output": str(tmp_path / "model.blend"),
                   "preview": str(tmp_path / "preview.png")}  # fmt: skip
        assert worker.ask(request, lambda *_: None, lambda: None)["faces"] > 0
        pids.add(worker._process.pid)
    assert len(pids) == 1
