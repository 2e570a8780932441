# SPDX-License-Identifier: GPL-3.0-or-later
"""Every job ends for the waiting user, whichever part breaks; paid results stay reachable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from fakes.running import Orders, end_of, spec_for
from fakes.service import KEY, Service

from image_to_mesh.jobs import Library, Record, Session, State
from image_to_mesh.providers import BadKey, LibraryProblem, Provider, keys_for


class Full:
    """A disk on which the library can save this many records, then no more."""

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self._real = Library.save

    def save(self, library: Library, record: Record) -> None:
        """Save, or raise LibraryProblem if the disk is full."""
        self.allowed -= 1
        if self.allowed < 0:
            raise LibraryProblem("The disk is full.", "Make room.")
        self._real(library, record)


@pytest.mark.parametrize("writes", range(9))
def test_a_full_disk_ends_the_job_at_every_write(
    orders: Orders, service: Service, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    disk = Full(writes)
    monkeypatch.setattr(Library, "save", lambda library, record: disk.save(library, record))
    view = orders.end()
    assert disk.allowed < 0 or view.state is State.READY
    if view.failure is not None:
        assert view.failure.kind == "library"
        assert view.record is not None
        paid = bool(service.submits)
        assert paid == (view.record.ticket is not None)
        assert not paid or view.record.state not in (State.FAILED, State.SUBMITTING)
    assert len(service.submits) <= 1


def test_a_ticket_that_cannot_be_written_is_reported(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Library.save

    def save(library: Library, record: Record) -> None:
        if record.ticket is not None:
            raise LibraryProblem("The disk is full.")
        real(library, record)

    monkeypatch.setattr(Library, "save", save)
    view = orders.end()
    assert view.failure is not None
    assert "task-1" in view.failure.message


def test_a_local_job_ends_on_a_full_disk(
    running: Session, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Full(1)
    monkeypatch.setattr(Library, "save", lambda library, record: disk.save(library, record))
    view = end_of(running, running.start(spec_for(tmp_path, png)))
    assert view.failure is not None
    assert view.failure.kind == "library"


@pytest.mark.parametrize(
    "blender",
    [("/nonexistent/blender",), (sys.executable, "-c", "pass")],
    ids=["not there", "ends at once"],
)
def test_a_paid_mesh_is_ready_even_if_the_worker_fails(
    orders: Orders, running: Session, blender: tuple[str, ...]
) -> None:
    job = orders.start(blender=blender)
    record = end_of(running, job).record
    assert record is not None
    assert (record.state, record.mesh, record.blend) == (State.READY, "mesh.glb", None)
    assert "Not prepared for Blender yet" in record.notes[-1]


@pytest.mark.parametrize("key", ["tsk_SECRET\nTWO", "tsk_SECRET TWO", "tsk–SECRET", "tsk\x00S"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(
    rehearsal: Provider[Any], key: str
) -> None:
    with pytest.raises(BadKey) as caught:
        keys_for(rehearsal, {"rehearsal_api_key": key}, {})
    assert "SECRET" not in f"{caught.value}{caught.value.__cause__}"


def test_an_unexpected_error_shows_no_key(
    orders: Orders,
    running: Session,
    tmp_path: Path,
    rehearsal: Provider[Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError(f"Invalid header value b'Bearer {KEY}'")

    monkeypatch.setattr(type(rehearsal), "upload", broken)
    view = orders.end()
    assert view.failure is not None
    assert view.failure.kind == "unexpected"
    running.join(2.0)
    written = (tmp_path / view.job / "job.json").read_text()
    assert KEY not in view.failure.message + caplog.text + written
