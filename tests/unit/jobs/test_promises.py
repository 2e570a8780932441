# SPDX-License-Identifier: GPL-3.0-or-later
"""Promises without a visible effect: syncs before a power cut, and the life of caches.

A record is synced to the disk; a token is used by its own account until it expires; an order is
recorded before it is sent.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import broken
from fakes.png import chunk, png_of
from fakes.running import Orders
from unit.worker_package import load

from image_to_mesh.cli import entry
from image_to_mesh.jobs import InputPicture, Library, Record, State, told_pause
from image_to_mesh.jobs.disk import free_space, trust, viewable_images
from image_to_mesh.jobs.library import live_record
from image_to_mesh.jobs.steps.inputs import READABLE
from image_to_mesh.jobs.steps.submit import Submission
from image_to_mesh.jobs.steps.upload_cache import MARGIN, UploadCache
from image_to_mesh.providers import LibraryProblem, Provider, Secret
from image_to_mesh.providers._shared.adapters import to_json

LIFE = 3600.0
RECORD = Record("a-job", State.QUEUED, "local", "cup", "2026-11-21T10:00:00+00:00")


class Journal:
    """The syncs and renames of files and folders, in order."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.lines: list[tuple[str, int]] = []
        self._fsync, self._rename, self._replace = os.fsync, os.rename, os.replace
        patch.setattr(os, "fsync", self.fsync)
        patch.setattr(os, "rename", lambda *names, **how: self.move(self._rename, *names, **how))
        patch.setattr(os, "replace", lambda *names, **how: self.move(self._replace, *names, **how))

    def fsync(self, handle: int) -> None:
        """Record the inode that is synced."""
        seen = os.fstat(handle)
        self.lines.append(("folder" if stat.S_ISDIR(seen.st_mode) else "file", seen.st_ino))
        self._fsync(handle)

    def move(self, real: Callable[..., None], source: Any, target: Any, **how: Any) -> None:
        """Record the inode that is renamed."""
        self.lines.append(("rename", os.stat(source, dir_fd=how.get("src_dir_fd")).st_ino))
        real(source, target, **how)


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Journal:
    """The journal of all syncs and renames from now on."""
    return Journal(monkeypatch)


def test_a_record_is_synced_before_it_replaces_the_old_one(
    tmp_path: Path, journal: Journal
) -> None:
    library = Library(tmp_path)
    library.create(RECORD, {"cup.png": b"pixels"})
    before = (tmp_path / "a-job" / "job.json").stat().st_ino
    journal.lines.clear()
    library.save(replace(RECORD, state=State.RUNNING))
    new = (tmp_path / "a-job" / "job.json").stat().st_ino
    folder = (tmp_path / "a-job").stat().st_ino
    assert new != before, "the old record was overwritten"
    assert journal.lines == [("file", new), ("rename", new), ("folder", folder)]


def test_a_new_job_is_synced_with_its_images(tmp_path: Path, journal: Journal) -> None:
    Library(tmp_path).create(RECORD, {"cup.png": b"pixels"})
    folder = tmp_path / "a-job"
    placed = journal.lines.index(("rename", folder.stat().st_ino))
    for name in ("cup.png", "job.json"):
        number = (folder / name).stat().st_ino
        assert ("file", number) in journal.lines[:placed]
    assert journal.lines[placed + 1 :] == [("folder", tmp_path.stat().st_ino)]


# -- tokens of uploads -----------------------------------------------------------------------------


def _picture(data: bytes) -> InputPicture:
    digest = hashlib.sha256(data).hexdigest()
    return InputPicture(view="front", name="cup", file="cup.png", sha256=digest)


@pytest.fixture
def uploads(
    tmp_path: Path, rehearsal: Provider[Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., UploadCache]:
    """Make the remembered uploads of an account at the fake service."""
    monkeypatch.setattr(type(rehearsal), "token_life", LIFE)

    def make(key: str = "key-of-one-account", url: str = "https://example.com/v1") -> UploadCache:
        return UploadCache(tmp_path, rehearsal, url, {"rehearsal_api_key": Secret(key)})

    return make


def test_a_token_belongs_to_its_account_service_and_picture(
    uploads: Callable[..., UploadCache],
) -> None:
    picture = (_picture(b"cup"),)
    uploads().remember(picture, {"front": "token"})
    assert uploads().valid_tokens(picture) == {"front": "token"}
    assert uploads(key="key-of-another-account").valid_tokens(picture) == {}
    assert uploads(url="https://example.com/v2").valid_tokens(picture) == {}
    assert uploads().valid_tokens((_picture(b"vase"),)) == {}
    assert uploads(key="key-of-another-account").valid_tokens(picture) == {}


def test_an_expired_upload_token_is_not_used(
    uploads: Callable[..., UploadCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, now = (_picture(b"cup"),), time.time()
    uploads().remember(picture, {"front": "token"})
    monkeypatch.setattr(time, "time", lambda: now + LIFE - MARGIN - 60.0)
    assert uploads().valid_tokens(picture) == {"front": "token"}
    monkeypatch.setattr(time, "time", lambda: now + LIFE - MARGIN + 60.0)
    assert uploads().valid_tokens(picture) == {}


# -- the order -------------------------------------------------------------------------------------


def test_an_order_is_recorded_on_disk_before_it_is_sent(
    orders: Orders, rehearsal: Provider[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Record] = []
    submit = type(rehearsal).submit

    def note_call(self: Any, *given: Any) -> Any:
        seen.extend(Library(orders.library).all()[0])
        return submit(self, *given)

    monkeypatch.setattr(type(rehearsal), "submit", note_call)
    orders.end()
    (record,) = seen
    assert record.state is State.SUBMITTING
    assert record.submitted, "the record has no time of its order"
    assert record.request_hash == live_record.request_hash(record)
    assert record.uploaded, "the record has no uploads"


REFUSAL = b"HTTP/1.1 429\r\ncontent-type: application/json\r\n\r\n{}"


@pytest.mark.parametrize("earlier", ["in this process", "in one that was killed"])
def test_an_earlier_refusal_is_not_taken_for_the_answer_to_an_order(
    orders: Orders, earlier: str
) -> None:
    service = orders.service
    service.submit_takes = 60.0
    if earlier == "in this process":
        service.submit_errors = [429]
        job = orders.start()
    else:
        service.submit_errors = [402]
        job = orders.end().job
        record = Library(orders.library).load(job)
        (orders.library / job / "answer.http").write_bytes(REFUSAL)
        waiting = replace(record, state=State.QUEUED, failure=None, submitted=None)
        Library(orders.library).save(waiting)
        orders.start(record=Library(orders.library).load(job))
    until = time.monotonic() + 20.0
    while not service.submits:
        assert time.monotonic() < until
        time.sleep(0.01)
    # Were this process killed now, the next one would read what is kept.
    assert list((orders.library / job).glob("answer*")) == []
    assert Library(orders.library).load(job).state is State.SUBMITTING
    orders.session.close()


def test_a_search_for_a_lost_order_does_not_make_it_unsent(
    orders: Orders, rehearsal: Provider[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service is busy when it is asked for its list; the record still says that it was sent."""
    orders.service.swallow_submit = True
    job = orders.end().job
    lost = replace(Library(orders.library).load(job), state=State.SUBMITTING, failure=None)
    Library(orders.library).save(lost)
    seen: list[Record] = []

    def find(self: Any, request: Any, uploaded: Any, since: Any, http: Any) -> tuple[()]:
        http.wait(0.01)  # as between two attempts
        seen.append(Library(orders.library).load(job))
        http.get("/balance")
        return ()

    real = Submission.put_off

    def put_off(self: Submission, seconds: float, check: Any) -> None:
        sleeping = lambda *_: seen.append(Library(orders.library).load(job))  # noqa: E731
        monkeypatch.setattr(told_pause, "sleep", sleeping)
        real(self, seconds, check)

    monkeypatch.setattr(Submission, "put_off", put_off)
    monkeypatch.setattr(type(rehearsal), "find_order", find)
    orders.service.errors = [503]
    assert orders.end(record=Library(orders.library).load(job)).state is State.UNCERTAIN
    assert len(seen) == 3
    assert {(item.state, item.submitted) for item in seen} == {(State.SUBMITTING, lost.submitted)}
    assert len(orders.service.submits) == 1


# -- strangers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.fbx", broken.CUBE_FBX.read_bytes()[:-3000]),
        ("many.ply", broken.whole()["binary.ply"].replace(b"vertex 4", b"vertex 4000000000")),
    ],
)
def test_a_damaged_file_is_refused_before_an_importer_sees_it(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(load("refusal").Refusal):
        load("checks.mesh_file").check_mesh_file(
            str(tmp_path / name), readable=frozenset(), blender="9.9"
        )


def test_a_foreign_job_with_an_address_is_not_resumed_even_if_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that this user did not write: without a mark, in a folder that is trusted."""
    told = {"task": "https://elsewhere.example/tasks/1"}
    record = replace(RECORD, state=State.RUNNING, provider="tripo", ticket=told)
    folder = tmp_path / "shared" / RECORD.id
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(json.dumps(to_json(record)), "utf-8")
    monkeypatch.setattr(trust, "is_trusted", lambda _root: True)
    live = live_record.LiveRecord(Library(folder.parent), record, lambda _: None, home=False)
    with pytest.raises(LibraryProblem, match="contains a URL"):
        live.reload()


def test_a_foreign_image_that_would_fill_the_memory_is_not_opened(tmp_path: Path) -> None:
    head = struct.pack(">IIBBBBB", 60_000, 64, 8, 2, 0, 0, 0)
    picture = tmp_path / "wide.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b""))
    assert viewable_images._read_checked(picture, READABLE) is None
    picture.write_bytes(png_of(64, 64))
    assert viewable_images._read_checked(picture, READABLE)


# -- what killed processes leave -------------------------------------------------------------------


def test_disk_test_files_of_a_killed_process_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path)
    library.create(RECORD, {"cup.png": b"pixels"})
    with monkeypatch.context() as killed:
        killed.setattr(Path, "unlink", lambda *_, **__: None)
        free_space.check_room(tmp_path / "a-job", 0)
    assert len(list((tmp_path / "a-job").glob(".*"))) == 1
    library.sweep_job("a-job")
    assert list((tmp_path / "a-job").glob(".*")) == []


def test_ctrl_c_before_a_command_starts_causes_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def memory_pressure(_host: object) -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "_secrets", memory_pressure)
    assert entry.main(["jobs"]) == 130
