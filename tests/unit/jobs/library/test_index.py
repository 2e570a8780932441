# SPDX-License-Identifier: GPL-3.0-or-later
"""The index of the library: quick, rebuilt from the records, and never an obstacle to the jobs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from image_to_mesh.jobs import Failure, InputPicture, Library, Record, State
from image_to_mesh.jobs.library.import_log import log_import
from image_to_mesh.jobs.library.index import LibraryIndex, entries_to_trash, library_index
from image_to_mesh.jobs.library.index_file import FILE
from image_to_mesh.providers import LibraryProblem

LONG_AGO = 1_700_000_000


def record(job: str, **changes: Any) -> Record:
    """A job that is ready."""
    values: dict[str, Any] = {
        "id": job,
        "state": State.READY,
        "provider": "tripo",
        "name": job,
        "created": f"2026-01-01T00:00:{len(job):02}+00:00",
        "ticket": {"task": "one"},
        "mesh": "mesh.glb",
        "pictures": (InputPicture("front", job, "front.png", sha256=job),),
    }
    return Record(**{**values, **changes})


def put(root: Path, job: str, size: int = 100, **changes: Any) -> Path:
    """Put a job into the library, with a mesh file of that size; return its folder."""
    made = record(job, **changes)
    Library(root).create(made, {"front.png": b"picture", "mesh.glb": b"m" * size})
    settle(root / job)
    return root / job


def settle(folder: Path) -> None:
    """Date a folder's last change far enough back for the index to trust it."""
    for path in (*folder.iterdir(), folder):
        os.utime(path, (LONG_AGO, LONG_AGO))


def job_names(found: LibraryIndex) -> list[str]:
    """Return the jobs' ids in their order."""
    return [entry.job for entry in found.entries]


def test_jobs_are_listed_newest_first_with_their_details(tmp_path: Path) -> None:
    put(tmp_path, "a", credits=3.0, seconds=4.0, faces=7, format="glb")
    put(tmp_path, "bb", preview="preview.png", state=State.FAILED, ticket=None,
        failure=Failure("failed", "No luck."))  # fmt: skip
    found = LibraryIndex(tmp_path)
    assert job_names(found) == []
    assert found.refresh()
    newest, oldest = found.entries
    assert (newest.job, newest.state, newest.thumbnail) == ("bb", State.FAILED, "preview.png")
    assert (newest.failure, newest.taken) == ("No luck.", False)
    assert (oldest.credits, oldest.seconds, oldest.faces, oldest.format) == (3.0, 4.0, 7, "glb")
    assert (oldest.thumbnail, oldest.taken, oldest.imported) == ("front.png", True, None)
    assert oldest.size > 107
    assert found.size == newest.size + oldest.size


def test_the_index_opens_without_reading_any_job(tmp_path: Path) -> None:
    put(tmp_path, "a")
    LibraryIndex(tmp_path).refresh()
    (tmp_path / "a" / "job.json").unlink()
    found = LibraryIndex(tmp_path)
    found.open()
    assert job_names(found) == ["a"]
    assert found.refresh()
    assert job_names(found) == []
    assert not found.refresh()


def test_only_changed_records_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for job in ("a", "bb", "ccc"):
        put(tmp_path, job)
    LibraryIndex(tmp_path).refresh()
    read: list[str] = []
    load = Library.load

    def load_and_note(own: Library, job: str) -> Record:
        read.append(job)
        return load(own, job)

    monkeypatch.setattr(Library, "load", load_and_note)
    Library(tmp_path).save(replace(record("bb"), name="another"))
    (tmp_path / "ccc" / "model.blend").write_bytes(b"b" * 5000)
    found = LibraryIndex(tmp_path)
    assert found.refresh()
    assert sorted(read) == ["bb", "ccc"]
    assert found.entries[1].name == "another"
    assert found.entries[0].size > 5000


def test_a_change_within_the_same_moment_is_not_missed(tmp_path: Path) -> None:
    library, found = Library(tmp_path), LibraryIndex(tmp_path)
    library.create(record("a"), {})
    moment = time.time_ns() + 3600 * 10**9  # as a clock that is coarse, or goes wrong, has it
    for name in ("x", "y", "z", "x"):
        library.save(replace(record("a"), name=name))
        for path in (tmp_path / "a" / "job.json", tmp_path / "a"):
            os.utime(path, ns=(moment, moment))
        found.refresh()
        assert found.entries[0].name == name


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b'{"version": 3}',
        b'{"version": 99, "jobs": {}, "stamps": [], "problems": {}}',
        b'{"version": 3, "jobs": {}, "stamps": [[], [], []], "problems": {}}',
        b'{"version": 3, "jobs": {"state": ["nowhere"]}, "stamps": [[]], "problems": {}}',
        b'{"version": 3, "jobs": [], "stamps": 3, "problems": []}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_damaged_index_file_is_rebuilt(tmp_path: Path, damage: bytes) -> None:
    put(tmp_path, "a")
    (tmp_path / FILE).write_bytes(damage)
    found = LibraryIndex(tmp_path)
    found.open()
    found.refresh()
    assert job_names(found) == ["a"]
    again = LibraryIndex(tmp_path)
    again.open()
    assert job_names(again) == ["a"]


def test_broken_records_are_reported_and_hide_no_others(tmp_path: Path) -> None:
    put(tmp_path, "a")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "job.json").write_text("{")
    (tmp_path / "no-job").mkdir()
    found = LibraryIndex(tmp_path)
    found.refresh()
    assert job_names(found) == ["a"]
    assert len(found.problems) == 1
    assert "broken" in found.problems[0]
    again = LibraryIndex(tmp_path)
    again.open()
    assert again.problems == found.problems
    settle(tmp_path / "broken")
    assert again.refresh()
    assert not again.refresh()


def test_a_missing_library_has_no_jobs_and_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    found = LibraryIndex(tmp_path / "none")
    found.refresh()
    assert found.entries == ()
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryProblem, match="not a folder"):
        LibraryIndex(tmp_path / "file").refresh()


def test_a_moved_library_keeps_its_index(tmp_path: Path) -> None:
    put(tmp_path / "here", "a")
    LibraryIndex(tmp_path / "here").refresh()
    (tmp_path / "here").rename(tmp_path / "there")
    found = LibraryIndex(tmp_path / "there")
    found.open()
    assert job_names(found) == ["a"]
    assert not found.refresh()
    assert str(tmp_path) not in (tmp_path / "there" / FILE).read_text()


def test_jobs_are_found_by_state_provider_and_search_words(tmp_path: Path) -> None:
    put(tmp_path, "cup", name="Blue Cup")
    put(tmp_path, "cup2", name="blue cup", provider="scenario")
    put(tmp_path, "pot", name="Pot", state=State.FAILED, failure=Failure("failed", "Too dark."))
    found = LibraryIndex(tmp_path)
    found.refresh()

    def jobs(**changes: str) -> list[str]:
        return sorted(item.job for item in found.find(**changes))

    assert jobs() == ["cup", "cup2", "pot"]
    assert jobs(text="cup BLUE") == ["cup", "cup2"]
    assert jobs(text="cup", provider="scenario") == ["cup2"]
    assert jobs(state="failed") == ["pot"]
    assert jobs(text="dark") == ["pot"]
    assert jobs(text="Scenario") == ["cup2"]
    assert jobs(text="nothing") == []
    assert jobs(text="multi") == []
    assert found.find(text="cup") is found.find(text="cup")
    put(tmp_path, "cup33", name="cup")
    found.refresh()
    assert jobs(text="cup") == ["cup", "cup2", "cup33"]


def test_every_word_of_a_search_is_found_in_label_name_or_settings(tmp_path: Path) -> None:
    put(tmp_path, "local", name="Vase", provider="local", settings={"thickness": 0.31})
    put(tmp_path, "tripo", name="Cup", provider="tripo", settings={"face_limit": 4321})
    put(tmp_path, "gone", name="Lamp", provider="a-service-of-later", settings={"style": "clay"})
    index = LibraryIndex(tmp_path)
    index.refresh()

    def matches(text: str) -> set[str]:
        in_gallery = index.find(state=State.READY, text=text)
        assert in_gallery == index.find(text=text)  # the command line's question
        return {entry.job for entry in in_gallery}

    assert matches("built-in") == {"local"}
    assert matches("BUILT-IN vase") == {"local"}
    assert matches("TRIPO cup") == {"tripo"}
    assert matches("face_limit 4321") == {"tripo"}
    assert matches("thickness 0.31 vase") == {"local"}
    assert matches("clay") == {"gone"}
    assert matches("built-in clay") == set()


def test_usual_seconds_are_the_median_of_the_newest_finished_jobs(tmp_path: Path) -> None:
    for number, seconds in enumerate((900.0, *range(1, 11)), 1):
        put(tmp_path, "j" * number, seconds=float(seconds))
    put(tmp_path, "failed", seconds=700.0, state=State.FAILED)
    index = LibraryIndex(tmp_path)
    assert index.usual_seconds("tripo") is None
    index.refresh()
    newest = [entry.seconds for entry in index.results[:10]]
    assert 900.0 not in newest
    assert index.usual_seconds("tripo") == 5.5
    assert index.usual_seconds("scenario") is None


def test_the_last_price_is_that_of_the_same_settings(tmp_path: Path) -> None:
    put(tmp_path, "a", settings={"quad": True}, credits=30.0)
    put(tmp_path, "bb", settings={"quad": True}, credits=35.0)
    put(tmp_path, "ccc", settings={"quad": False}, credits=0.0)
    put(tmp_path, "dddd", settings={"quad": True}, credits=99.0, state=State.FAILED)
    LibraryIndex(tmp_path).refresh()
    index = LibraryIndex(tmp_path)
    index.open()
    assert index.last_price("tripo", {"quad": True}) == 35.0
    assert index.last_price("tripo", {"quad": False}) is None
    assert index.last_price("tripo_v2", {"quad": True}) is None


def test_a_refresh_without_changes_replaces_no_list(tmp_path: Path) -> None:
    put(tmp_path, "a")
    index = LibraryIndex(tmp_path)
    index.refresh()
    before = index.entries
    assert not index.refresh()
    assert index.entries is before


def test_cleanup_removes_the_oldest_and_never_results_that_were_not_imported(
    tmp_path: Path,
) -> None:
    for number, job in enumerate(("o", "ol", "old", "newer")):
        folder = put(tmp_path, job, size=10_000)
        if number != 1:
            log_import(folder)
    put(tmp_path, "running", size=10_000, state=State.RUNNING)
    found = LibraryIndex(tmp_path)
    found.refresh()
    assert {item.job for item in found.entries if item.imported} == {"o", "old", "newer"}
    size_of_first = found.entries[0].size

    def trashed_jobs(limit: int) -> list[str]:
        return [entry.job for entry in entries_to_trash(found.entries, limit)]

    assert trashed_jobs(10**9) == []
    assert trashed_jobs(found.size - 1) == ["o"]
    assert trashed_jobs(found.size - size_of_first - 1000) == ["o", "old"]
    assert trashed_jobs(0) == ["o", "old", "newer"]


def test_imports_are_counted_and_survive_a_damaged_file(tmp_path: Path) -> None:
    log_import(tmp_path)
    log_import(tmp_path)
    assert json.loads((tmp_path / "imported.json").read_text())["times"] == 2
    (tmp_path / "imported.json").write_text("[")
    log_import(tmp_path)
    assert json.loads((tmp_path / "imported.json").read_text())["times"] == 1
    log_import(tmp_path / "gone")


def test_each_library_has_one_index(tmp_path: Path) -> None:
    assert library_index(tmp_path) is library_index(tmp_path)
    put(tmp_path, "a")
    found = library_index(tmp_path)
    found.refresh_soon()
    until = time.monotonic() + 20
    while not found.entries and time.monotonic() < until:
        time.sleep(0.01)
    assert job_names(found) == ["a"]


@pytest.mark.once
def test_opening_the_index_imports_no_heavy_module(tmp_path: Path) -> None:
    put(tmp_path, "a")
    LibraryIndex(tmp_path).refresh()
    code = (
        "import sys; from pathlib import Path\n"
        "from image_to_mesh.jobs.library.index import LibraryIndex\n"
        "found = LibraryIndex(Path(sys.argv[1])); found.open()\n"
        "print(len(found.entries), sorted({'pydantic', 'requests'} & set(sys.modules)))"
    )
    said = subprocess.check_output([sys.executable, "-c", code, str(tmp_path)], text=True)
    assert said.strip() == "1 []"
