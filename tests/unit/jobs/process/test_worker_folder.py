# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker's temporary folder is removed with it, and soon after a crash."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import places
import pytest
from fakes import WORKER

from image_to_mesh.jobs.process import pool, temporary_folder
from image_to_mesh.jobs.process.temporary_folder import (
    ABANDONED,
    LOCK,
    PREFIX,
    SWEPT,
    WorkerFolder,
    sweep,
)
from image_to_mesh.jobs.process.worker_process import WorkerProcess
from image_to_mesh.providers import BadImage, Cancelled, Failed, NoBlender
from image_to_mesh.worker.atomic_files import atomic_path


def unheard(_phase: str, _fraction: float | None) -> None:
    """Ignore progress."""


def go_on() -> None:
    """Never cancel."""


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for temporary files that is the test's own."""
    place = tmp_path / "temp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    running = WorkerProcess(WORKER)
    yield running
    running.kill()


def request_in(folder: Path) -> dict[str, Any]:
    return {"do": "make", "output": str(folder / "mesh.glb")}


def leftovers(temp: Path) -> list[str]:
    return [path.name for path in temp.iterdir()]


def test_a_worker_has_a_temporary_folder_that_goes_with_it(
    temp: Path, worker: WorkerProcess
) -> None:
    worker.version(go_on)
    (folder,) = temp.iterdir()
    assert folder.name.startswith(PREFIX)
    assert os.name != "posix" or folder.stat().st_mode & 0o777 == 0o700
    (folder / "unpacked").mkdir()
    (folder / "unpacked" / "skin.png").write_bytes(bytes(1000))
    worker.kill()
    assert leftovers(temp) == []


@pytest.mark.parametrize(
    ("fault", "error"), [("die", Failed), ("segfault", Failed), ("hang", Cancelled)]
)
def test_no_temporary_folder_remains_however_the_worker_ends(
    fault: str,
    error: type[Exception],
    temp: Path,
    worker: WorkerProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cancel() -> None:
        if worker._asked and fault == "hang":
            raise Cancelled

    monkeypatch.setenv("FAKE_WORKER", fault)
    output = tmp_path / "mesh.glb"
    with atomic_path(str(output)) as temporary:  # the worker's own name
        sides = [Path(temporary), Path(f"{temporary}@")]
        Path(temporary).touch()
    output.unlink()
    own = tmp_path / ".mesh.old.glb"
    own.touch()
    for side in sides:
        side.write_bytes(b"half")
    with pytest.raises(error):
        worker.ask({"do": "make", "output": str(output)}, unheard, cancel)
    assert leftovers(temp) == []
    assert not [side for side in sides if side.exists()], "a killed worker's files stay"
    assert own.exists(), "a file of another name is not the worker's"


def test_the_temporary_folder_survives_a_refusal_and_the_next_request(
    temp: Path, worker: WorkerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", "refuse")
    with pytest.raises(BadImage):
        worker.ask(request_in(tmp_path), unheard, go_on)
    assert len(leftovers(temp)) == 1


def test_a_worker_that_cannot_start_leaves_no_temporary_folder(temp: Path, tmp_path: Path) -> None:
    with pytest.raises(NoBlender):
        WorkerProcess((str(tmp_path / "nothing"),)).start()
    assert leftovers(temp) == []


def test_no_space_for_a_temporary_folder_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(NoBlender, match="cannot be started in the background"):
        WorkerProcess(WORKER).start()


def old(path: Path) -> Path:
    """Date a folder two days back."""
    then = time.time() - 2 * ABANDONED
    os.utime(path, (then, then))
    return path


def test_old_temporary_folders_are_removed_and_nothing_else(temp: Path, tmp_path: Path) -> None:
    used = WorkerFolder()
    dead = temp / f"{PREFIX}dead"
    (dead / "unpacked").mkdir(parents=True)
    (dead / "unpacked" / "skin.png").write_bytes(bytes(1000))
    (dead / LOCK).write_bytes(b"")
    (temp / f"{PREFIX}new").mkdir()
    for prefix in SWEPT:
        (temp / f"{prefix}old").mkdir()
        old(temp / f"{prefix}old")
    (temp / f"{PREFIX}file").write_text("a file")
    other = tmp_path / "private"
    other.mkdir()
    (other / "work.blend").write_text("work")
    (other / LOCK).write_text("")
    (temp / f"{PREFIX}link").symlink_to(other)
    others = ["someone-else", "image_to_mesh-home-of-something-else"]
    for name in others:
        (temp / name).mkdir()
        old(temp / name)
    assert sweep() == 1 + len(SWEPT)
    stay = {used.path.name, f"{PREFIX}new", f"{PREFIX}file", f"{PREFIX}link", *others}
    assert set(leftovers(temp)) == stay
    assert (other / "work.blend").read_text() == "work"
    used.remove()
    assert not used.path.exists()


@pytest.mark.skipif(os.name != "posix", reason="owners are POSIX's")
def test_temporary_folders_of_other_users_stay(temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = temp / f"{PREFIX}dead"
    folder.mkdir()
    (folder / LOCK).write_bytes(b"")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert sweep() == 0
    assert folder.is_dir()


PARENT = """
import sys, tempfile, time
tempfile.tempdir = {temp!r}
from image_to_mesh.jobs.process.pool import blenders
with blenders().lend({command!r}, lambda: None) as worker:
    worker.version(lambda: None)
    print(worker._process.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.once
def test_the_next_start_removes_the_folder_of_a_killed_worker(temp: Path) -> None:
    source = PARENT.format(temp=str(temp), command=WORKER)
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=places.BUILD) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        assert sweep() == 0
        (folder,) = temp.iterdir()
        parent.kill()
    assert folder.is_dir()
    pool.blenders.cache_clear()
    kept = pool.blenders()
    end = time.monotonic() + 20.0
    while folder.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    kept.close()


def test_a_file_system_without_locks_can_hold_temporary_folders(
    temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporary_folder, "_acquire_lock", lambda _folder: None)
    folder = WorkerFolder()
    assert sweep() == 0
    folder.remove()
    assert leftovers(temp) == []
