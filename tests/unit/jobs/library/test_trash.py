# SPDX-License-Identifier: GPL-3.0-or-later
"""Deleted jobs can be restored from the system's trash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from image_to_mesh.jobs import Library, Record, State
from image_to_mesh.jobs.disk.trash import move_to_trash
from image_to_mesh.providers import LibraryProblem


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library with one job."""
    made = Library(tmp_path / "library")
    record = Record("cup", State.READY, "local", "cup", "2026-01-01T00:00:00+00:00")
    made.create(record, {"front.png": b"picture"})
    return made


class Bin(ModuleType):
    """Stands in for the system's trash."""

    refuses = False

    def send2trash(self, path: Path) -> None:
        """Move a folder out of the library."""
        if self.refuses:
            raise OSError("read-only")
        path.rename(path.parent.parent / "thrown")


@pytest.fixture
def thrown(monkeypatch: pytest.MonkeyPatch) -> Bin:
    """Put the stand-in in the system's place."""
    made = Bin("send2trash")
    monkeypatch.setitem(sys.modules, "send2trash", made)
    return made


def test_deleting_moves_the_whole_folder_to_the_trash(
    library: Library, thrown: Bin, tmp_path: Path
) -> None:
    assert move_to_trash(library, "cup")
    assert (tmp_path / "thrown" / "front.png").read_bytes() == b"picture"
    with pytest.raises(LibraryProblem, match="no job"):
        move_to_trash(library, "cup")


def test_a_failing_trash_leaves_the_job_in_place(library: Library, thrown: Bin) -> None:
    thrown.refuses = True
    assert not move_to_trash(library, "cup")
    assert library.load("cup").name == "cup"


def test_a_job_in_use_is_not_deleted(library: Library, thrown: Bin) -> None:
    lock = library.lock("cup")
    assert lock.take()
    with pytest.raises(LibraryProblem, match="still running"):
        move_to_trash(library, "cup")
    lock.release()
    assert move_to_trash(library, "cup")


def test_deleting_touches_no_other_folder(library: Library, thrown: Bin, tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text("{}")
    for name in ("..", ".", "", "../..", "/"):
        with pytest.raises(LibraryProblem):
            move_to_trash(library, name)


@pytest.mark.parametrize(("kind", "is_safe"), [(3, True), (4, False), (2, False)])
def test_on_windows_only_fixed_drives_have_a_trash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: int, is_safe: bool
) -> None:
    class Windows(ModuleType):
        windll: Any = None

    fake, kernel = Windows("ctypes"), ModuleType("kernel32")
    kernel.GetDriveTypeW = lambda drive: kind  # type: ignore[attr-defined]
    fake.windll = ModuleType("windll")
    fake.windll.kernel32 = kernel
    monkeypatch.setitem(sys.modules, "ctypes", fake)
    module = sys.modules["image_to_mesh.jobs.disk.trash"]
    assert module._has_trash(tmp_path, "win32") is is_safe


@pytest.mark.once
@pytest.mark.skipif(sys.platform != "linux", reason="the bins of others are not in a test's hands")
def test_the_real_trash_holds_the_deleted_job(library: Library, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from image_to_mesh.jobs import Library\n"
        "from image_to_mesh.jobs.disk.trash import move_to_trash\n"
        "print(move_to_trash(Library(Path(sys.argv[1])), 'cup'))"
    )
    home = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    said = subprocess.check_output(
        [sys.executable, "-c", code, str(library.root)], text=True, env=home
    )
    assert said.strip() == "True"
    (kept,) = (tmp_path / "data" / "Trash" / "files").iterdir()
    assert (kept / "front.png").read_bytes() == b"picture"
