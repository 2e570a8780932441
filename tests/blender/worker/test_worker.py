# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker process, driven over its pipes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from blender.picture_files import read_picture, write_picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

TOKEN = "f00d"
PREFIX = f"@image_to_mesh {TOKEN} ".encode()
ANSWERS = ("done", "refused", "crashed")


class Worker:
    """A minimal client of the worker process."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, root / "worker" / "main.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"token": TOKEN}).encode() + b"\n")
        self.process.stdin.flush()
        self.phases: list[str] = []
        self.fractions: list[float] = []
        self.beats = 0

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(PREFIX + b'{"beat"'):
                self.beats += 1
            elif line.startswith(PREFIX):
                return json.loads(line.removeprefix(PREFIX))
        raise AssertionError(f"the worker ended with {self.process.wait()}")

    def ask(self, **request: Any) -> dict[str, Any]:
        """Send a request; collect its progress and return its final answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        self.phases, self.fractions = [], []
        while True:
            answer = self.read()
            assert answer["id"] == request["id"]
            if any(name in answer for name in ANSWERS):
                return answer
            self.phases.append(answer["phase"])
            self.fractions.append(answer["progress"])

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(timeout=10)


@pytest.fixture
def worker(root: Path) -> Iterator[Worker]:
    running = Worker(root)
    yield running
    running.process.kill()
    running.process.wait()
    for pipe in (running.process.stdin, running.process.stdout):
        assert pipe is not None
        pipe.close()


@pytest.fixture
def photo(tmp_path: Path) -> str:
    """A red disc on a transparent background."""
    y, x = np.mgrid[-1:1:256j, -1:1:256j]
    pixels = np.zeros((256, 256, 4), np.uint8)
    pixels[np.hypot(x, y) < 0.8] = (200, 30, 20, 255)
    return str(write_picture(tmp_path / "disc.png", pixels))


@pytest.fixture
def make(addon: ModuleType, photo: str, tmp_path: Path) -> dict[str, Any]:
    """A request for a small mesh of the disc."""
    from bl_ext.user_default.image_to_mesh.providers.local import LocalSettings

    return {
        "do": "make",
        "recipe": "local",
        "picture": photo,
        "orientation": 1,
        "name": "disc",
        "settings": asdict(LocalSettings(face_count=2000)),
        "output": str(tmp_path / "out" / "mesh.glb"),
    }


@pytest.fixture
def prepare(tmp_path: Path) -> dict[str, Any]:
    """A request that prepares what `make` wrote."""
    folder = tmp_path / "out"
    folder.mkdir()
    return {
        "do": "prepare",
        "mesh": str(folder / "mesh.glb"),
        "name": "disc",
        "output": str(folder / "model.blend"),
        "preview": str(folder / "preview.png"),
        "render_preview": True,
    }


def test_a_picture_becomes_a_mesh_file_and_a_model(
    worker: Worker, make: dict[str, Any], prepare: dict[str, Any], tmp_path: Path
) -> None:
    ready = worker.read()["ready"]
    assert ready["pid"] == worker.process.pid
    assert len(ready["blender"]) == 3

    answer = worker.ask(id=1, **make)["done"]
    assert worker.fractions == sorted(worker.fractions)
    assert worker.beats
    assert len(worker.phases) >= 4
    prepared = worker.ask(id=2, **prepare)["done"]

    assert answer["faces"] == prepared["faces"] == pytest.approx(2000, rel=0.5)
    assert prepared["objects"] == [prepared["root"]] == ["disc"]
    assert prepared["height"] == pytest.approx(1.0, abs=1e-4)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "mesh.glb",
        "model.blend",
        "preview.png",
    ]
    assert worker.end() == 0


def test_the_preview_shows_the_picture_on_a_gray_backdrop(
    worker: Worker, make: dict[str, Any], prepare: dict[str, Any]
) -> None:
    worker.read()
    worker.ask(id=1, **make)
    worker.ask(id=2, **prepare)
    preview = read_picture(Path(prepare["preview"]))
    assert preview.shape == (256, 256, 4)
    # Neither a black nor a white model, nor a theme's color, is that gray.
    assert (preview[..., 3] == 255).all()
    assert 100 < preview[-1, 0, 0] < preview[0, 0, 0] < 180
    red, green, blue, alpha = preview[128, 128]
    assert alpha == 255
    assert red > 2 * max(int(green), int(blue))
    colored = preview[..., :3].max(axis=2) - preview[..., :3].min(axis=2) > 20
    assert 0.3 < colored.mean() < 0.9


def test_the_worker_stays_usable_after_a_refusal_and_a_crash(
    worker: Worker, make: dict[str, Any], tmp_path: Path
) -> None:
    worker.read()
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    refused = worker.ask(id=1, **{**make, "picture": str(broken)})["refused"]
    assert refused["kind"] == "bad_image"
    assert refused["message"].endswith(".")
    assert refused["hint"]

    crashed = worker.ask(id=2, **{**make, "settings": {}})["crashed"]
    assert crashed["message"].startswith("KeyError")
    assert "Traceback" in crashed["log"]

    (tmp_path / "out").mkdir()
    assert "done" in worker.ask(id=3, **make)


def test_a_refusal_by_the_recipe_has_a_snake_case_kind(
    worker: Worker, make: dict[str, Any], tmp_path: Path
) -> None:
    worker.read()
    blank = write_picture(tmp_path / "blank.png", np.zeros((64, 64, 4), np.uint8))
    assert worker.ask(id=1, **{**make, "picture": str(blank)})["refused"]["kind"] == "bad_image"


def test_quit_ends_the_worker_at_once(worker: Worker) -> None:
    worker.read()
    assert worker.process.stdin is not None
    worker.process.stdin.write(b'{"do": "quit"}\n')
    worker.process.stdin.flush()
    assert worker.process.wait(timeout=5) == 0


@pytest.mark.parametrize("delay", [0.0, 0.7, 3.0])
def test_closing_the_input_ends_the_worker_during_work(
    worker: Worker, make: dict[str, Any], delay: float, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    worker.read()
    assert worker.process.stdin is not None
    big = {**make["settings"], "face_count": 1_000_000}
    worker.process.stdin.write(json.dumps({**make, "id": 1, "settings": big}).encode() + b"\n")
    worker.process.stdin.flush()
    time.sleep(delay)
    assert worker.process.poll() is None
    worker.process.stdin.close()
    assert worker.process.wait(timeout=1) == 0


def test_unknown_work_is_refused(worker: Worker) -> None:
    worker.read()
    assert worker.ask(id=7, do="dance")["refused"]["kind"] == "failed"
