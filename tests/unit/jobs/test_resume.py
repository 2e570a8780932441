# SPDX-License-Identifier: GPL-3.0-or-later
"""Resuming jobs of an earlier process: paid results are fetched, nothing is ordered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.running import end_of, order_for, spec_for
from fakes.service import Service

from image_to_mesh.jobs import JobSpec, Library, Session, State
from image_to_mesh.providers import LibraryProblem, Provider


def abandon_job(running: Session, spec: JobSpec, **how: Any) -> str:
    """Run a job to its end and set its record back to the state that a crash would leave."""
    view = end_of(running, running.start(spec))
    running.join(5.0)
    library = Library(spec.library)
    record = replace(library.load(view.job), **{"failure": None, **how})
    if record.state is not State.PREPARING:
        (library.folder(view.job) / "mesh.glb").unlink()
    library.save(record)
    return view.job


@pytest.mark.parametrize("state", [State.RUNNING, State.DOWNLOADING, State.PREPARING])
def test_a_paid_job_is_finished_without_a_new_order(
    running: Session,
    tmp_path: Path,
    png: bytes,
    rehearsal: Provider[Any],
    service: Service,
    state: State,
) -> None:
    spec = order_for(tmp_path, png, service)
    job = abandon_job(running, spec, state=state, blend=None)
    again = replace(spec, pictures=(), record=Library(tmp_path).load(job))
    record = end_of(running, running.start(again)).record
    assert record is not None
    assert (record.id, record.state, record.blend) == (job, State.READY, "model.blend")
    assert (tmp_path / job / "mesh.glb").read_bytes() == service.mesh
    assert len(service.submits) == 1


def test_an_order_without_an_answer_is_uncertain_and_never_sent_again(
    running: Session,
    tmp_path: Path,
    png: bytes,
    rehearsal: Provider[Any],
    service: Service,
) -> None:
    spec = order_for(tmp_path, png, service)
    how = {"state": State.SUBMITTING, "ticket": None}
    job = abandon_job(running, spec, **how)
    again = replace(spec, pictures=(), record=Library(tmp_path).load(job))
    view = end_of(running, running.start(again))
    assert view.failure is not None
    assert view.failure.kind == "uncertain"
    assert Library(tmp_path).load(job).state is State.UNCERTAIN
    assert len(service.submits) == 1


@pytest.mark.parametrize("sent", [False, True])
def test_only_a_job_that_was_never_sent_is_ordered(
    running: Session,
    tmp_path: Path,
    png: bytes,
    rehearsal: Provider[Any],
    service: Service,
    sent: bool,
) -> None:
    spec = order_for(tmp_path, png, service)
    unsent = {} if sent else {"submitted": None, "request_hash": None}
    job = abandon_job(running, spec, state=State.QUEUED, ticket=None, **unsent)
    service.submits.clear()
    again = replace(spec, pictures=(), record=Library(tmp_path).load(job))
    view = end_of(running, running.start(again))
    assert view.state is (State.UNCERTAIN if sent else State.READY)
    assert len(service.submits) == (0 if sent else 1)


@pytest.mark.parametrize("state", [State.QUEUED, State.SUBMITTING, State.RUNNING])
def test_a_local_job_is_made_again(
    running: Session, tmp_path: Path, png: bytes, state: State
) -> None:
    spec = spec_for(tmp_path, png)
    job = abandon_job(running, spec, state=state)
    again = replace(spec, pictures=(), record=Library(tmp_path).load(job))
    assert end_of(running, running.start(again)).state is State.READY


def test_a_job_that_runs_here_is_not_resumed(
    running: Session, tmp_path: Path, png: bytes, rehearsal: Provider[Any], service: Service
) -> None:
    service.takes = 30
    spec = order_for(tmp_path, png, service)
    job = running.start(spec)
    while running.views()[0].state is not State.RUNNING:
        pass
    with pytest.raises(LibraryProblem, match="already running"):
        running.start(replace(spec, record=Library(tmp_path).load(job)))
