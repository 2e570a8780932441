# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that others put into a library: only plain files are read, without waiting."""

from __future__ import annotations

import contextlib
import errno
import json
import time
from pathlib import Path
from typing import Any

import pytest
from fakes.odd_files import a_sparse_file, odd, soon
from fakes.strangers import PRIVATE, ready_record

from image_to_mesh.jobs import InputPicture, Library
from image_to_mesh.jobs.disk.plain_files import (
    create_marker,
    is_plain,
    open_plain,
    read_plain,
    write_whole,
)
from image_to_mesh.jobs.disk.trash import move_to_trash
from image_to_mesh.jobs.library.file_names import RECORD
from image_to_mesh.jobs.library.import_log import last_import, log_import
from image_to_mesh.jobs.library.index import LibraryIndex
from image_to_mesh.jobs.library.index_file import FILE
from image_to_mesh.jobs.library.store import MAX_RECORD, library_folder
from image_to_mesh.jobs.library.versions import Version, remember, versions
from image_to_mesh.jobs.steps.mesh_header import read_mesh_file
from image_to_mesh.jobs.steps.upload_cache import FILE as UPLOADS
from image_to_mesh.jobs.steps.upload_cache import UploadCache
from image_to_mesh.providers import LibraryProblem, get_provider

# -- what is read ----------------------------------------------------------------------------------


@odd
def test_only_plain_files_are_read(tmp_path: Path, private: Path, odd: Any) -> None:
    odd(tmp_path / "file", private)
    assert isinstance(soon(lambda: read_plain(tmp_path / "file", 1000)), OSError)
    assert isinstance(soon(lambda: read_mesh_file(tmp_path / "file")), Exception)
    assert is_plain(tmp_path / "file") is (odd is a_sparse_file)


def test_a_linked_folder_is_not_entered(tmp_path: Path, private: Path) -> None:
    (tmp_path / "job").symlink_to(private.parent)
    for work in (
        lambda: read_plain(tmp_path / "job" / private.name, 1000),
        lambda: write_whole(tmp_path / "job" / "new.txt", b"new"),
        lambda: create_marker(tmp_path / "job" / "word"),
    ):
        with pytest.raises(OSError, match="it is a symbolic link"):
            work()
    assert not (tmp_path / "new.txt").exists()
    assert not (tmp_path / "word").exists()


def test_a_file_that_grows_while_it_is_read_is_too_big(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    with open_plain(path) as file:
        assert file.read() == b"x" * 10
    with pytest.raises(OSError, match="MB") as caught:
        read_plain(path, 9)
    assert caught.value.errno == errno.EFBIG
    assert read_plain(path, 10) == b"x" * 10


@odd
def test_a_record_is_read_from_a_plain_file_only(library: Library, private: Path, odd: Any) -> None:
    (library.root / "odd").mkdir()
    odd(library.root / "odd" / RECORD, private)
    found = soon(library.all)
    assert [match.id for match in found[0]] == ["cup"]
    assert len(found[1]) == 1
    assert [item.id for item in soon(lambda: list(library.open_jobs()))] == []
    listed = LibraryIndex(library.root)
    assert soon(listed.refresh) is True
    assert [entry.job for entry in listed.entries] == ["cup"]


def test_a_record_over_the_limit_is_not_read(library: Library) -> None:
    path = library.folder("cup") / RECORD
    path.write_bytes(path.read_bytes().ljust(MAX_RECORD + 1))
    with pytest.raises(LibraryProblem, match="cannot be read"):
        library.load("cup")


def test_linked_job_folders_are_ignored(library: Library, tmp_path: Path) -> None:
    other = Library(tmp_path / "other")
    other.create(ready_record("pot"), {})
    (library.root / "pot").symlink_to(other.root / "pot")
    listed = LibraryIndex(library.root)
    listed.refresh()
    assert library.jobs() == [entry.job for entry in listed.entries] == ["cup"]
    for work in (library.delete, library.load, lambda job: move_to_trash(library, job)):
        with pytest.raises(LibraryProblem):
            work("pot")
    with pytest.raises(LibraryProblem):
        library.save(ready_record("pot", name="changed"))
    assert other.load("pot").name == "pot"


@odd
def test_the_index_is_read_from_a_plain_file_only(
    library: Library, private: Path, odd: Any
) -> None:
    odd(library.root / FILE, private)
    listed = LibraryIndex(library.root)
    soon(listed.open)
    assert not listed.entries, "the job is listed"
    soon(listed.refresh)
    assert [entry.job for entry in listed.entries] == ["cup"]
    assert private.read_bytes() == PRIVATE


FIELDS: dict[str, list[Any]] = {
    "job": [7, None, []], "state": ["nowhere", 3, None], "provider": [None, {}],
    "name": [None, 7, ["a"]], "created": [7, None], "credits": ["3", [], True],
    "seconds": ["3", None, {}], "faces": ["3", 1.5, []], "format": [1, []], "thumbnail": [1, {}],
    "failure": [None, 2], "taken": [1, "no"], "order": [None, 5], "imported": [True, 7],
    "size": ["big", 1.5, None, True],
}  # fmt: skip


WRONG = [(field, value) for field, values in FIELDS.items() for value in values]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_an_index_with_wrong_types_is_rebuilt(library: Library, field: str, value: Any) -> None:
    LibraryIndex(library.root).refresh()
    kept = json.loads((library.root / FILE).read_text())
    kept["jobs"][field] = [value]
    (library.root / FILE).write_text(json.dumps(kept))
    listed = LibraryIndex(library.root)
    listed.open()
    assert not listed.entries, "the job is listed"
    listed.refresh()
    assert listed.find(text="cup")[0].size > 0


@pytest.mark.parametrize("field", ["size", "seconds", "credits", "faces"])
@pytest.mark.parametrize("value", ["1" + "0" * 400, "NaN", "-Infinity", "1e999"])
def test_an_index_with_invalid_numbers_is_rebuilt(library: Library, field: str, value: str) -> None:
    """The panel divides by such numbers, and JSON output cannot hold them."""
    LibraryIndex(library.root).refresh()
    kept = json.loads((library.root / FILE).read_text())
    kept["jobs"][field] = ["here"]
    (library.root / FILE).write_text(json.dumps(kept).replace('"here"', value))
    listed = LibraryIndex(library.root)
    listed.open()
    assert not listed.entries, "the job is listed"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-1e999"])
def test_a_record_with_invalid_numbers_is_refused(library: Library, number: str) -> None:
    path = library.root / "cup" / RECORD
    kept = json.loads(path.read_text())
    kept["credits"] = kept["seconds"] = "here"
    path.write_text(json.dumps(kept).replace('"here"', number))
    assert (library.load("cup").credits, library.load("cup").seconds) == (None, 0.0)


@pytest.mark.parametrize("stamps", [[["a"], [1], [1]], [[1.5], [1], [1]], [[True], [1], [1]], 7])
def test_an_index_with_wrong_time_stamps_is_rebuilt(library: Library, stamps: Any) -> None:
    LibraryIndex(library.root).refresh()
    kept = json.loads((library.root / FILE).read_text())
    (library.root / FILE).write_text(json.dumps({**kept, "stamps": stamps}))
    listed = LibraryIndex(library.root)
    listed.open()
    assert not listed.entries, "the job is listed"


@odd
@pytest.mark.parametrize("name", ["versions.json", "imported.json"])
def test_small_files_of_a_job_are_read_as_plain_files_only(
    library: Library, private: Path, odd: Any, name: str
) -> None:
    folder = library.folder("cup")
    (folder / "model.blend").write_bytes(b"model")
    odd(folder / name, private)
    assert soon(lambda: versions(folder)) == [Version("model.blend")]
    assert soon(lambda: last_import(folder)) is None
    with contextlib.suppress(OSError):
        soon(lambda: remember(folder, Version("model.blend", "card")))
    soon(lambda: log_import(folder))
    assert private.read_bytes() == PRIVATE


@pytest.mark.parametrize(
    "listed",
    [
        [{"file": ["model.blend"]}],
        [{"file": "model.blend", "notes": 7, "card": "x", "asked": [], "made_by": 3}],
        [{"file": "model.blend", "notes": [7, {}], "more": 1}],
        [{"file": "../../evil.blend"}],
        ["model.blend"],
        {"file": "model.blend"},
        7,
    ],
)
def test_a_version_list_with_wrong_types_loses_only_its_remarks(
    tmp_path: Path, listed: Any
) -> None:
    (tmp_path / "model.blend").write_bytes(b"model")
    (tmp_path / "versions.json").write_text(json.dumps(listed))
    assert versions(tmp_path) == [Version("model.blend")]


@odd
def test_a_version_is_read_from_a_plain_file_only(tmp_path: Path, private: Path, odd: Any) -> None:
    odd(tmp_path / "model-v2.blend", private)
    assert [version.file for version in versions(tmp_path)] == (
        ["model-v2.blend"] if odd is a_sparse_file else []
    )


@odd
def test_the_upload_cache_is_read_from_a_plain_file_only(
    library: Library, private: Path, odd: Any
) -> None:
    odd(library.root / UPLOADS, private)
    uploads = UploadCache(library.root, get_provider("tripo"), "", {})
    picture = InputPicture("front", "cup", "front.png", sha256="ab" * 32)
    assert soon(lambda: uploads.valid_tokens((picture,))) == {}
    soon(lambda: uploads.remember((picture,), {"front": "token"}))
    assert private.read_bytes() == PRIVATE


@pytest.mark.parametrize("change", [{"token": "another"}, {"token": None}, {"until": 9e9}, {}])
def test_an_upload_token_written_by_others_is_not_used(
    library: Library, change: dict[str, Any]
) -> None:
    """With another picture's token the service would make, and charge for, another mesh."""
    uploads = UploadCache(library.root, get_provider("tripo"), "", {})
    picture = InputPicture("front", "cup", "front.png", sha256="ab" * 32)
    uploads.remember((picture,), {"front": "token"})
    assert uploads.valid_tokens((picture,)) == {"front": "token"}
    path = library.root / UPLOADS
    ((name, entry),) = json.loads(path.read_text()).items()
    path.write_text(json.dumps({name: {**entry, **change} if change else {"until": 9e9}}))
    assert uploads.valid_tokens((picture,)) == {}


def test_a_folder_in_place_of_a_lock_is_reported(library: Library) -> None:
    (library.root / ".cup.lock").mkdir()
    with pytest.raises(OSError, match=r"\.cup\.lock is a folder"):
        library.lock("cup").take()


def test_a_record_from_before_the_update_counts_as_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    job = Library(library_folder("", {"XDG_DATA_HOME": str(tmp_path / "data")}))
    job.root.mkdir(mode=0o700, parents=True)
    (job.root / "cup").mkdir(mode=0o700)
    values = {"id": "cup", "state": "running", "provider": "tripo", "name": "cup"}
    text = json.dumps({**values, "created": "2026-01-01T00:00:00+00:00"})
    (job.root / "cup" / RECORD).write_text(text)
    time.sleep(0.05)  # the time stamps of some file systems are coarse
    assert not (tmp_path / "settings").exists()
    assert job.load("cup").own
