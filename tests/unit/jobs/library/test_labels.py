# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and stars of results, later deletion, and damaged results in the index."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from image_to_mesh.jobs import Label, Library, Record, State, read_label, write_label
from image_to_mesh.jobs.library.file_names import LABEL
from image_to_mesh.jobs.library.index import LibraryIndex
from image_to_mesh.jobs.library.versions import Version, remember
from image_to_mesh.providers import LibraryProblem


def put(root: Path, job: str = "cup", **changes: Any) -> Path:
    """Put a finished job into the library; return its folder."""
    values: dict[str, Any] = {
        "id": job, "state": State.READY, "provider": "tripo", "name": "cup.png",
        "created": "2026-01-01T00:00:00+00:00", "mesh": "mesh.glb",
    }  # fmt: skip
    Library(root).create(Record(**{**values, **changes}), {"mesh.glb": b"glTF"})
    return root / job


def wait_for(check: Any) -> None:
    """Wait for a thread."""
    end = time.monotonic() + 10
    while not check():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_result_gets_a_name_and_a_star(tmp_path: Path) -> None:
    folder = put(tmp_path)
    before = (folder / "job.json").read_bytes()
    index = LibraryIndex(tmp_path)
    index.refresh()
    (entry,) = index.results
    assert (entry.title, entry.name, entry.starred) == ("cup.png", "cup.png", False)
    write_label(folder, Label("  Red\u202e Cup\n", starred=True))
    index.reread("cup")
    (entry,) = index.results
    assert (entry.title, entry.name, entry.starred) == ("Red Cup", "cup.png", True)
    assert (folder / "job.json").read_bytes() == before
    assert index.find(text="red") == index.find(text="cup.png") == (entry,)
    index.refresh()
    again = LibraryIndex(tmp_path)
    again.open()
    assert again.results == index.results
    write_label(folder, Label())
    index.reread("cup")
    assert index.results[0].title == "cup.png"


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b'{"name": 3, "starred": "yes"}', b"[" * 100_000, b'{"name": "x"' * 90_000],
)
def test_a_damaged_label_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LABEL).write_bytes(content)
    assert read_label(tmp_path) == Label()


def test_a_name_that_others_wrote_is_cleaned(tmp_path: Path) -> None:
    (tmp_path / LABEL).write_text(json.dumps({"name": "a\x1b[31m\u202eb" + "x" * 500}))
    name = read_label(tmp_path).name
    assert name.isprintable()
    assert len(name) <= 100


def test_a_label_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LibraryProblem, match="could not be saved"):
        write_label(tmp_path / "none", Label("x"))


def test_a_missing_mesh_and_versions_are_in_the_entry(tmp_path: Path) -> None:
    folder = put(tmp_path)
    (folder / "model-v2.blend").write_bytes(b"BLENDER")
    (folder / "model-v3.blend").write_bytes(b"BLENDER")
    remember(folder, Version("model-v2.blend", made_by="decimate\nmodel-v9.blend"))
    index = LibraryIndex(tmp_path)
    index.refresh()
    assert [entry.missing for entry in index.results] == [False]
    assert index.results[0].versions == "model-v2.blend decimate\nmodel-v3.blend"
    (folder / "mesh.glb").unlink()
    index.reread("cup")
    assert [entry.missing for entry in index.results] == [True]
    (folder / "model.blend").write_bytes(b"BLENDER")
    index.reread("cup")
    assert [entry.missing for entry in index.results] == [False]


def test_a_library_that_vanishes_is_a_failure_and_keeps_its_list(tmp_path: Path) -> None:
    put(tmp_path / "drive")
    index = LibraryIndex(tmp_path / "drive")
    index.refresh()
    (tmp_path / "drive").rename(tmp_path / "unplugged")
    with pytest.raises(LibraryProblem, match="was not found"):
        index.refresh()
    index.refresh_soon()
    wait_for(lambda: index.failure)
    assert len(index.results) == 1
    (tmp_path / "unplugged").rename(tmp_path / "drive")
    index.refresh_soon()
    wait_for(lambda: index.failure is None)


class _Trash(ModuleType):
    """Stands in for the system's trash."""

    refuses = False

    def send2trash(self, path: Path) -> None:
        """Delete a folder, or refuse to."""
        if self.refuses:
            raise OSError("no trash here")
        shutil.rmtree(path)


def test_jobs_are_deleted_on_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trash = _Trash("send2trash")
    monkeypatch.setitem(sys.modules, "send2trash", trash)
    folder, index = put(tmp_path), LibraryIndex(tmp_path)
    index.refresh()
    trash.refuses = True
    index.delete_soon(["cup", "none"])
    wait_for(lambda: index.not_deleted == {"cup", "none"})
    assert folder.is_dir()
    trash.refuses = False
    index.delete_soon(["cup"])
    wait_for(lambda: not index.results)
    assert index.not_deleted == {"none"}
    assert not folder.exists()
