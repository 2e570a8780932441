# SPDX-License-Identifier: GPL-3.0-or-later
"""The library on disk: records whole or absent, readable by people, unaffected by a damaged one."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from image_to_mesh.jobs import Failure, InputPicture, Library, Record, State
from image_to_mesh.jobs.disk.signatures import MARK, mark_of
from image_to_mesh.jobs.import_plan import ImportPlan, Placement
from image_to_mesh.jobs.library.file_names import RECORD
from image_to_mesh.jobs.library.store import library_folder, new_job_id
from image_to_mesh.providers import LibraryProblem, PictureInfo, RemoteFile


def full_record(job: str = "20260101-000000-cup-0001") -> Record:
    """Return a record in which every field is set."""
    info = PictureInfo("png", 4, 3)
    picture = InputPicture("front", "cup", "front.png", sha256="ab" * 32, info=info)
    return Record(
        id=job,
        state=State.READY,
        provider="local",
        name="cup",
        created="2026-01-01T00:00:00+00:00",
        pictures=(picture,),
        settings={"shape": "inflate", "thickness": 0.9},
        plan=ImportPlan(placement=Placement((1.0, 2.0, 3.0))),
        uploaded={"front": "file_1"},
        submitted="2026-01-01T00:00:01+00:00",
        request_hash="cd" * 32,
        ticket={"task": "t"},
        files=(RemoteFile("https://example.com/a.glb"),),
        mesh="mesh.glb",
        format="glb",
        blend="model.blend",
        preview="preview.png",
        faces=12,
        credits=30.0,
        seconds=1.5,
        facts={"seed": 4},
        notes=("A note.",),
        failure=Failure("failed", "No.", "Try.", "https://example.com"),
        dismissed=True,
    )


def test_a_saved_record_is_loaded_unchanged(tmp_path: Path) -> None:
    library = Library(tmp_path / "deep" / "library")
    record = full_record()
    library.create(record, {"front.png": b"picture"})
    assert library.load(record.id) == record
    assert (library.folder(record.id) / "front.png").read_bytes() == b"picture"
    written = json.loads((library.folder(record.id) / RECORD).read_text())
    assert written["schema"] == 2
    assert written["state"] == "ready"
    library.save(replace(record, state=State.FAILED))
    assert library.load(record.id).state is State.FAILED


def test_a_broken_record_is_reported_and_the_others_are_listed(tmp_path: Path) -> None:
    library = Library(tmp_path)
    for number in range(5):
        library.create(full_record(f"20260101-00000{number}-cup-0001"), {})
    (tmp_path / "20260101-000000-cup-0001" / RECORD).write_text("{")
    (tmp_path / "20260101-000001-cup-0001" / RECORD).write_text('{"id": 3}')
    newer = tmp_path / "20260101-000002-cup-0001" / RECORD
    newer.write_text(json.dumps({**json.loads(newer.read_text()), "schema": 99}))
    other = tmp_path / "20260101-000003-cup-0001" / RECORD
    other.write_text(other.read_text().replace("20260101-000003", "20260101-000004"))
    records, problems = library.all()
    assert [record.id for record in records] == ["20260101-000004-cup-0001"]
    assert len(problems) == 4
    assert "newer version" in "\n".join(problems)
    assert newer.exists()


def test_unknown_fields_of_a_record_are_ignored(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.create(full_record(), {})
    path = library.folder(full_record().id) / RECORD
    data = {**json.loads(path.read_text()), "later": 1}
    path.write_text(json.dumps({**data, MARK: mark_of(data)}))
    assert library.load(full_record().id) == full_record()


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b"])
def test_a_name_never_leads_out_of_the_library(tmp_path: Path, name: str) -> None:
    with pytest.raises(LibraryProblem):
        Library(tmp_path / "library").folder(name)


def test_delete_removes_only_the_job(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.create(full_record(), {})
    (tmp_path / "other").mkdir()
    with pytest.raises(LibraryProblem, match="no job"):
        library.delete("other")
    library.delete(full_record().id)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_library_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryProblem, match="cannot be used"):
        Library(tmp_path / "file").create(full_record(), {})


def test_a_failed_creation_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(LibraryProblem, match="No space left"):
        Library(tmp_path).create(full_record(), {"front.png": b"picture"})
    assert list(tmp_path.iterdir()) == []


def test_the_library_folder_comes_from_preference_then_variable_then_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    variable = {"IMAGE_TO_MESH_LIBRARY": str(tmp_path / "env")}
    assert library_folder(str(tmp_path / "mine"), variable) == tmp_path / "mine"
    assert library_folder("", variable) == tmp_path / "env"
    monkeypatch.setattr(sys, "platform", "linux")
    assert library_folder("", {"XDG_DATA_HOME": "/data"}) == Path("/data/image_to_mesh")
    monkeypatch.setattr(sys, "platform", "win32")
    assert library_folder("", {"LOCALAPPDATA": "/local"}) == Path("/local/image_to_mesh")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert library_folder("", {}) == Path.home() / "Library/Application Support/image_to_mesh"


def test_job_ids_sort_by_time_and_name_the_image() -> None:
    assert new_job_id("Kaffee & Tasse (1)").split("-", 2)[2].startswith("kaffee-tasse-1-")
    assert "-picture-" in new_job_id("日本")
    assert len({new_job_id("a") for _ in range(100)}) > 90
