# SPDX-License-Identifier: GPL-3.0-or-later
"""A library that version 0.1.0 wrote, one job in each state: listed, resumed, paid for once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import places
import pytest
from fakes import WORKER
from fakes.service import Service

from image_to_mesh.cli import entry
from image_to_mesh.jobs import Library, State, session
from image_to_mesh.jobs.disk import signatures
from image_to_mesh.providers import Provider

STATES = ("queued", "submitting", "running", "downloading", "preparing", "ready", "failed",
          "cancelled", "uncertain")  # fmt: skip


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The library in the user's default folder, as an update of the add-on finds it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("IMAGE_TO_MESH_LIBRARY")
    monkeypatch.setattr(entry, "find_blender", lambda _: WORKER)
    session.cache_clear()
    signatures._secret.cache_clear()
    root = tmp_path / "data" / "image_to_mesh"
    shutil.copytree(places.ROOT / "tests" / "data" / "0.1.0" / "library", root)
    for folder in (root, *root.iterdir()):
        folder.chmod(0o700)
    return Library(root)


def job_in(library: Library, state: str) -> str:
    """Return the id of the job in a state."""
    (job,) = [job for job in library.jobs() if library.load(job).state == state]
    return job


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """Run a command with `--json`; return its exit code and the object that it printed."""
    code = entry.main([*words, "--json"])
    lines = capsys.readouterr().out.splitlines()
    return code, json.loads(lines[-1]) if lines else None


def test_all_jobs_of_version_0_1_0_are_listed(
    library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = run(capsys, "jobs")
    assert code == 0
    assert {job["state"] for job in printed["jobs"]} == set(STATES)
    assert {job["provider"] for job in printed["jobs"]} == {"rehearsal", "local"}


def test_every_record_of_version_0_1_0_keeps_its_contents(library: Library) -> None:
    for job in library.jobs():
        written = json.loads((library.folder(job) / "job.json").read_text("utf-8"))
        record = library.load(job)
        place = record.plan.as_json()
        assert not place.pop("free", False), "0.1.0 knew fixed locations only"
        held = {"id": record.id, "state": record.state.value, "settings": dict(record.settings),
                "created": record.created, "request_hash": record.request_hash,
                "ticket": record.ticket, "place": place}  # fmt: skip
        assert held == {name: written[name] for name in held}, job
        files = [picture.file or "" for picture in record.pictures]
        assert all((library.folder(job) / file).is_file() for file in files), job


@pytest.mark.parametrize("state", ["running", "downloading", "preparing"])
def test_a_paid_job_is_resumed_without_another_order(
    library: Library,
    rehearsal: Provider[Any],
    service: Service,
    capsys: pytest.CaptureFixture[str],
    state: str,
) -> None:
    job = job_in(library, state)
    code, printed = run(capsys, "resume", job)
    assert (code, printed["state"]) == (0, "ready"), printed
    assert not service.submits, "the order was paid for by 0.1.0"
    assert (library.folder(job) / "mesh.glb").is_file()
    assert library.load(job).state is State.READY


def test_a_queued_job_is_ordered_once(
    library: Library,
    rehearsal: Provider[Any],
    service: Service,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, printed = run(capsys, "resume", job_in(library, "queued"))
    assert (code, printed["state"]) == (0, "ready"), printed
    assert len(service.submits) == 1
    assert service.submits[0]["face_limit"] == 3000


def test_an_order_without_an_answer_is_not_sent_again(
    library: Library,
    rehearsal: Provider[Any],
    service: Service,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, printed = run(capsys, "resume", job_in(library, "submitting"))
    assert (code, printed["state"]) == (6, "uncertain"), printed
    assert not service.submits, "an order was sent"


@pytest.mark.parametrize("state", ["ready", "failed", "cancelled", "uncertain"])
def test_an_ended_job_of_version_0_1_0_stays_unchanged(
    library: Library,
    rehearsal: Provider[Any],
    service: Service,
    capsys: pytest.CaptureFixture[str],
    state: str,
) -> None:
    job = job_in(library, state)
    run(capsys, "resume")
    assert library.load(job).state == state
