# SPDX-License-Identifier: GPL-3.0-or-later
"""Full, read-only, foreign and removed disks: a clear message, and nothing is lost."""

from __future__ import annotations

import builtins
import errno
import io
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fakes.files import big_glb
from fakes.running import Orders, end_of, order_for, resume_all
from fakes.service import Service

from image_to_mesh.jobs import Library, Session, State
from image_to_mesh.providers import LibraryProblem, Provider

pytestmark = pytest.mark.once

WRITES = 40
"""More writes than a job makes, so that the job succeeds with the last count."""


class Disk:
    """A disk that is full after this many writes below a folder."""

    def __init__(self, folder: Path, allowed: int) -> None:
        self.folder = folder
        self.allowed = allowed
        self.full = False

    def refuses(self, path: object) -> bool:
        """Count a write and return whether it fails."""
        if type(path) is int:  # a file that was opened before
            path = Path(f"/proc/self/fd/{path}").readlink()
        if not isinstance(path, str | os.PathLike) or not str(path).startswith(str(self.folder)):
            return False
        self.allowed -= 1
        self.full = self.full or self.allowed < 0
        return self.full


def _full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Disk:
    """A disk with room for everything, until a test limits it."""
    limited = Disk(tmp_path, 10**9)
    real_open, real_mkdir = io.open, os.mkdir

    def open_limited(path: Any, mode: str = "r", *args: Any, **how: Any) -> Any:
        if set(mode) & set("wax+") and limited.refuses(path):
            with suppress(OSError):  # a full disk still makes an empty file
                real_open(path, mode, *args, **how).close()
            raise _full()
        return real_open(path, mode, *args, **how)

    def mkdir(path: Any, *args: Any, **how: Any) -> None:
        if limited.refuses(path):
            raise _full()
        real_mkdir(path, *args, **how)

    monkeypatch.setattr(io, "open", open_limited)
    monkeypatch.setattr(builtins, "open", open_limited)
    monkeypatch.setattr(os, "mkdir", mkdir)
    return limited


@pytest.mark.parametrize("allowed", range(WRITES))
def test_a_full_disk_at_any_write_loses_nothing(
    running: Session,
    tmp_path: Path,
    png: bytes,
    rehearsal: Provider[Any],
    service: Service,
    disk: Disk,
    allowed: int,
) -> None:
    service.takes = 0.0
    disk.allowed = allowed
    spec = order_for(tmp_path / "library", png, service, blender=None)
    view = end_of(running, running.start(spec))
    running.join(5.0)
    if view.failure is not None:
        assert view.failure.kind == "library", view.failure
        assert "No space left" in view.failure.message
    was_full, disk.full, disk.allowed = disk.full, False, 10**9
    assert was_full or view.state is State.READY
    assert len(service.submits) <= 1
    ready = resume_all(running, tmp_path / "library", spec) == [State.READY]
    message = view.failure.message if view.failure else ""
    assert ready or not service.submits or "task-1" in message
    assert len(service.submits) <= 1


def test_a_disk_that_fills_up_during_a_download_loses_nothing(
    orders: Orders,
    running: Session,
    tmp_path: Path,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service.takes, service.mesh = 0.0, big_glb(3_000_000)
    service.cut_at = 1_000_000
    spec = orders.spec(blender=None)
    usage = shutil.disk_usage(tmp_path)
    free = [usage.free, usage.free, 1000]  # before the order, then twice while it downloads
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: usage._replace(free=free.pop(0) if free else 1000)
    )
    view = end_of(running, running.start(spec))
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("library", State.DOWNLOADING)
    assert "only 0 MB of free space" in view.failure.message
    part = tmp_path / view.job / ".mesh.part.part"
    have = part.stat().st_size
    assert have > 0
    monkeypatch.undo()
    assert resume_all(running, tmp_path, spec) == [State.READY]
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == service.mesh


def test_a_read_only_library_is_reported_and_nothing_is_sent(
    orders: Orders, tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.mkdir

    def read_only(path: Any, *args: Any, **how: Any) -> None:
        if str(path).startswith(str(tmp_path)):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        real(path, *args, **how)

    monkeypatch.setattr(os, "mkdir", read_only)
    view = orders.end()
    assert view.failure is not None
    assert view.failure.kind == "library"
    assert "Read-only file system" in view.failure.message
    assert not service.submits, "an order was sent"


def test_a_read_only_library_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "mkdir", read_only)
    library = Library(tmp_path)
    assert library.all() == ([], [])
    assert not library.is_held("a")


def test_a_library_on_another_file_system_works(
    running: Session, png: bytes, rehearsal: Provider[Any], service: Service, tmp_path: Path
) -> None:
    with tempfile.TemporaryDirectory(dir=_other_file_system(tmp_path)) as other:
        root = Path(other)
        view = end_of(running, running.start(order_for(root, png, service)))
        running.join(5.0)
        assert view.state is State.READY
        assert (root / view.job / "mesh.glb").read_bytes() == service.mesh
        assert [path.name for path in root.iterdir() if path.name[0] != "."] == [view.job]


def _other_file_system(here: Path) -> Path:
    memory = Path("/dev/shm")
    usable = memory.is_dir() and os.access(memory, os.W_OK)
    return memory if usable and memory.stat().st_dev != here.stat().st_dev else here


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A file system without locks, such as some that are mounted over a network."""
    import fcntl

    asked: list[int] = []

    def refuse(_fd: int, _how: int) -> None:
        asked.append(1)
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    yield asked
    assert asked, "nothing was asked"


def test_a_file_system_without_locks_works(
    orders: Orders, tmp_path: Path, no_locks: list[int]
) -> None:
    first, second = Library(tmp_path).lock("a"), Library(tmp_path).lock("a")
    assert first.take()
    assert not second.take()
    assert Library(tmp_path).is_held("a")
    first.release()
    assert second.take()
    second.release()
    assert orders.end().state is State.READY


@pytest.mark.parametrize("state", [State.RUNNING, State.DOWNLOADING])
def test_a_job_deleted_while_it_runs_ends_with_an_error(
    orders: Orders,
    running: Session,
    tmp_path: Path,
    rehearsal: Provider[Any],
    monkeypatch: pytest.MonkeyPatch,
    state: State,
) -> None:
    taken_away: list[str] = []
    real = type(rehearsal).poll

    def poll(self: Any, ticket: Any, http: Any) -> Any:
        answer = real(self, ticket, http)
        wanted = type(answer).__name__ == ("Progress" if state is State.RUNNING else "Result")
        if wanted and not taken_away:
            (folder,) = (path for path in tmp_path.iterdir() if not path.name.startswith("."))
            shutil.rmtree(folder)
            taken_away.append(folder.name)
        return answer

    monkeypatch.setattr(type(rehearsal), "poll", poll)
    view = orders.end()
    running.join(5.0)
    assert taken_away, "nothing was taken away"
    assert view.failure is not None
    assert view.failure.kind == "library"
    assert "no longer exists" in view.failure.message
    assert not Library(tmp_path).jobs()


def test_a_running_job_is_not_deleted_by_another_process(tmp_path: Path, png: bytes) -> None:
    from image_to_mesh.jobs import Record

    library = Library(tmp_path)
    library.create(Record("a", State.RUNNING, "tripo", "a", "2026"), {})
    lock = library.lock("a")
    assert lock.take()
    with pytest.raises(LibraryProblem, match="still running"):
        library.delete("a")
    lock.release()
    library.delete("a")
    assert not library.jobs()


def test_locks_are_taken_and_released_concurrently(tmp_path: Path) -> None:
    library, failed = Library(tmp_path), []

    def work(job: str) -> None:
        for _ in range(100):
            lock = library.lock(job)
            try:
                if not lock.take():
                    failed.append(job)
            except OSError as error:
                failed.append(str(error))
            lock.release()

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert not list(tmp_path.iterdir())


def test_old_half_written_job_folders_are_removed(tmp_path: Path) -> None:
    for name in (".new-old", ".new-young", "job"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "front.png").write_bytes(b"")
    (tmp_path / "job" / "model-parts").mkdir()
    os.utime(tmp_path / "job" / "model-parts", (1, 1))
    os.utime(tmp_path / ".new-old", (1, 1))
    Library(tmp_path).sweep()
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["front.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new-young", "job"]


def test_locks_of_jobs_that_were_never_created_are_removed(tmp_path: Path) -> None:
    library = Library(tmp_path)
    held = library.lock("batch")
    assert held.take()
    (tmp_path / "job").mkdir()
    for name in ("gone", "job", "young"):
        (tmp_path / f".{name}.lock").touch()
    for name in ("gone", "job", "batch"):
        os.utime(tmp_path / f".{name}.lock", (1, 1))
    library.sweep()
    held.release()
    allowed = sorted(path.name for path in tmp_path.iterdir())
    assert allowed == [".job.lock", ".young.lock", "job"]
