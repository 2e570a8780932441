# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole jobs with AI/ML API's models: one order under every fault, and the key stays at home."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER
from fakes.aiml import KEY, NO_KEY, REQUEST, Aiml, Fault, classic
from fakes.aiml_cases import BILLING, GATEWAY, end_of, job_for, source, wait_until

from image_to_mesh.jobs import Collected, JobView, Library, PictureSource, Record, Session, State
from image_to_mesh.providers import Provider, RemoteFile, Result, Ticket, get_provider

IDS = ("aiml_triposr", "aiml_magic")
QUICK = {"Retry-After": "0"}
TRIPOSR: Provider[Any] = get_provider("aiml_triposr")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make no pauses between attempts."""
    monkeypatch.setattr("image_to_mesh.providers._shared.http.client.delay", lambda *_: 0.0)


@pytest.fixture(autouse=True)
def nothing_leaks(aiml: Aiml, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """After every test, search the log, the disk and the download host's requests for the key."""
    caplog.set_level(logging.DEBUG)
    yield
    assert KEY not in caplog.text
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    for download in aiml.downloads:
        assert KEY not in repr(download)
        assert "authorization" not in download.headers
    sent = [request.path + request.body.decode() for request in aiml.requests]
    assert [text for text in sent if KEY in text] == [], "the key left in a path or body"


def run(running: Session, aiml: Aiml, library: Path, png: bytes, **how: Any) -> JobView:
    """Run a job to its end."""
    provider = how.pop("provider", TRIPOSR)
    return end_of(running, running.start(job_for(provider, aiml, library, source(png), **how)))


def record_of(view: JobView) -> Record:
    """Return the record of a job that has one."""
    assert view.record is not None
    return view.record


@pytest.mark.parametrize("provider", IDS)
@pytest.mark.parametrize("shape", ["model_mesh", "data_url", "data_b64", "data_address"])
def test_a_job_is_generated_and_prepared(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes, shape: str, provider: str
) -> None:
    aiml.shape = shape
    view = run(running, aiml, tmp_path, png, provider=get_provider(provider))
    record = record_of(view)
    folder = tmp_path / view.job
    assert (record.state, record.blend) == (State.READY, "model.blend")
    assert (record.format, record.credits) == ("glb", 182000)
    assert record.facts["request_id"] == REQUEST
    assert (folder / "mesh.glb").read_bytes() == aiml.mesh
    assert (folder / "job.json").stat().st_size < 8000
    assert not [path.name for path in folder.iterdir() if "part" in path.name]
    assert (aiml.posts(), len(aiml.orders)) == (1, 1)
    assert len(aiml.downloads) == (0 if shape in ("data_b64", "data_address") else 1)


def test_views_of_a_job_arrive(running: Session, aiml: Aiml, tmp_path: Path, png: bytes) -> None:
    provider = get_provider("aiml_magic")
    sources = [source(png, view) for view in provider.views]
    sources[2] = PictureSource("back", "back", lambda: b"", "https://example.com/back.png")
    job = running.start(job_for(provider, aiml, tmp_path, *sources))
    assert end_of(running, job).state is State.READY
    assert aiml.orders[0]["back_image_url"] == "https://example.com/back.png"
    assert set(aiml.orders[0]) == {"model"} | {f"{view}_image_url" for view in provider.views}


@pytest.mark.parametrize("takes", [0.0, 0.7])
def test_result_is_noticed_at_once(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes, takes: float
) -> None:
    aiml.takes = takes
    begun = time.monotonic()
    job = running.start(job_for(TRIPOSR, aiml, tmp_path, source(png)))
    wait_until(lambda: bool(aiml.downloads))
    assert time.monotonic() - begun < takes + 1.5
    assert end_of(running, job).state is State.READY
    assert len(aiml.requests) == 1


FAULTS: list[Any] = [
    pytest.param([Fault(0)], "uncertain", State.UNCERTAIN, 1, id="silence"),
    pytest.param([Fault(0, taken=True)], "uncertain", State.UNCERTAIN, 1, id="silence after"),
    pytest.param([Fault(502, GATEWAY, taken=True)], "uncertain", State.UNCERTAIN, 1, id="page"),
    pytest.param([Fault(200, {}, taken=True)], "uncertain", State.UNCERTAIN, 1, id="no mesh"),
    pytest.param([Fault(200, "{", taken=True)], "uncertain", State.UNCERTAIN, 1, id="half"),
    pytest.param(
        [Fault(307, "", {"Location": "https://example.com/"})],
        "uncertain", State.UNCERTAIN, 1, id="redirect",
    ),
    pytest.param([Fault(504, classic(504, "slow"))], "failed", State.FAILED, 1, id="504"),
    pytest.param([Fault(500, classic(500, "oops"))], "failed", State.FAILED, 1, id="500"),
    pytest.param([Fault(503, "later", QUICK)] * 5, "uncertain", State.UNCERTAIN, 1, id="503"),
    pytest.param([Fault(429, "slow", QUICK)] * 5, "rate_limited", State.QUEUED, 5, id="429"),
    pytest.param([Fault(429, "slow", QUICK)] * 2, "", State.READY, 3, id="429 twice"),
    pytest.param([Fault(401, classic(401, NO_KEY))], "bad_key", State.FAILED, 1, id="401"),
    pytest.param(
        [Fault(401, classic(401, "{key} is unknown"))], "bad_key", State.FAILED, 1, id="quoted"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("faults", "kind", "state", "posts"), FAULTS)
def test_one_order_under_every_fault_of_the_order(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes,
    faults: list[Fault], kind: str, state: State, posts: int,
) -> None:  # fmt: skip
    aiml.faults["generate"] = list(faults)
    view = run(running, aiml, tmp_path, png)
    assert (view.failure.kind if view.failure else "") == kind
    assert Library(tmp_path).load(view.job).state is state
    assert aiml.posts() == posts
    assert len(aiml.orders) <= 1


@pytest.mark.parametrize(
    ("faults", "state"),
    [
        ([Fault(200, cut=True)], State.READY),
        ([Fault(0)] * 3, State.READY),
        ([Fault(503, "later")] * 4, State.READY),
        ([Fault(403, "<Error>expired</Error>")] * 9, State.DOWNLOADING),
        ([Fault(200, "<html>no mesh</html>")], State.DOWNLOADING),
    ],
    ids=["cut", "silence", "503", "expired", "page"],
)
def test_one_order_under_every_fault_of_the_download(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes, faults: list[Fault], state: State
) -> None:
    aiml.faults["download"] = list(faults)
    view = run(running, aiml, tmp_path, png)
    assert Library(tmp_path).load(view.job).state is state
    assert (view.failure is None) == (state is State.READY)
    if view.failure is not None:
        assert view.failure.kind == "bad_mesh"
        assert "at no extra cost" in view.failure.hint
    assert (aiml.posts(), len(aiml.orders)) == (1, 1)


def test_download_that_leads_back_to_the_service_gets_no_key(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes
) -> None:
    aiml.faults["download"] = [Fault(302, "", {"Location": f"{aiml.url}/v2/billing"})] * 9
    view = run(running, aiml, tmp_path, png)
    assert view.failure is not None
    asked = [request for request in aiml.requests if request.path == "/v2/billing"]
    assert asked, "nothing was asked"
    assert not [request for request in asked if "authorization" in request.headers]


def test_mesh_within_the_answer_is_on_disk_before_the_ticket_counts(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    aiml.shape = "data_b64"
    seen: list[tuple[State, bool, bool]] = []
    save = Library.save

    def save_and_check(self: Library, record: Record) -> None:
        there = (self.folder(record.id) / "mesh.glb").is_file()
        seen.append((record.state, record.ticket is not None, there))
        save(self, record)

    monkeypatch.setattr(Library, "save", save_and_check)
    assert run(running, aiml, tmp_path, png).state is State.READY
    assert (State.SUBMITTING, False, False) in seen
    assert {there for _, ticket, there in seen if ticket} == {True}


def test_mesh_within_the_answer_needs_no_service_any_more(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes
) -> None:
    aiml.shape = "data_b64"
    view = run(running, aiml, tmp_path, png)
    record = Library(tmp_path).load(view.job)
    result = TRIPOSR.poll(Ticket(record.ticket or {}), None)
    assert isinstance(result, Result)
    assert result.files == record.files == (RemoteFile("", "mesh", "glb", "mesh.glb"),)


def test_a_damaged_mesh_within_the_answer_is_reported(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes
) -> None:
    aiml.shape, aiml.mesh = "data_b64", aiml.mesh[:-1]
    view = run(running, aiml, tmp_path, png)
    assert view.failure is not None
    assert view.failure.kind == "bad_mesh"
    assert (tmp_path / view.job / "mesh.glb").read_bytes() == aiml.mesh


def test_full_disk_under_a_mesh_within_the_answer_is_a_value(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from image_to_mesh.jobs.disk import plain_files
    from image_to_mesh.jobs.library import store as library

    write = plain_files.write_whole

    def full(path: Path, data: bytes) -> None:
        if path.name == "mesh.glb":
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(library, "write_whole", full)
    aiml.shape = "data_b64"
    view = run(running, aiml, tmp_path, png)
    assert view.failure is not None
    assert (view.failure.kind, len(aiml.orders)) == ("library", 1)
    assert "No space left" in view.failure.message


@pytest.mark.parametrize("shape", ["model_mesh", "data_b64"])
@pytest.mark.parametrize("collect", [True, False])
def test_a_cancelled_order_is_paid_and_collected_unless_the_user_declines(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes, shape: str, collect: bool
) -> None:
    aiml.shape, aiml.takes = shape, 0.6
    job = running.start(job_for(TRIPOSR, aiml, tmp_path, source(png)))
    wait_until(lambda: bool(aiml.orders))
    begun = time.monotonic()
    running.cancel(job, collect=collect)
    assert end_of(running, job).state is State.CANCELLED
    print(f"\ncancel: {time.monotonic() - begun:.2f} s")
    assert time.monotonic() - begun < 3.0  # 0.3 s on a quiet machine
    if collect:
        end_of(running, job, Collected)
    running.join(5.0)
    record = Library(tmp_path).load(job)
    assert record.state is (State.READY if collect else State.CANCELLED)
    assert "may still charge" in record.notes[0]
    assert (tmp_path / job / "mesh.glb").is_file() == (collect or shape == "data_b64")
    assert (aiml.posts(), len(aiml.orders)) == (1, 1)


def test_a_lost_order_can_be_found_by_the_id_in_its_record(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes
) -> None:
    aiml.takes = 30.0
    job = running.start(job_for(TRIPOSR, aiml, tmp_path, source(png)))
    wait_until(lambda: bool(aiml.orders))
    running.close(1.0)
    record = Library(tmp_path).load(job)
    assert (record.state, record.ticket) == (State.SUBMITTING, None)
    sent = aiml.requests[0].headers["x-client-request-id"]
    assert dict(record.uploaded or {}) == {"X-Client-Request-Id": sent}


@pytest.mark.parametrize("inline", [True, False])
def test_order_that_the_service_refuses_leaves_the_job_and_its_picture(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes, inline: bool
) -> None:
    aiml.inline = inline
    if inline:
        aiml.faults["generate"] = [Fault(400, classic(400, "Body validation error!"))]
    view = run(running, aiml, tmp_path, png)
    assert view.failure is not None
    assert view.failure.kind == ("invalid_settings" if inline else "bad_image")
    assert "public https URL" in view.failure.hint
    assert Library(tmp_path).load(view.job).state is State.FAILED
    assert (tmp_path / view.job / "front.png").read_bytes() == png


def test_failure_carries_the_link_to_the_panel(
    running: Session, aiml: Aiml, tmp_path: Path, png: bytes
) -> None:
    aiml.credits = False
    view = run(running, aiml, tmp_path, png)
    assert view.failure is not None
    assert (view.failure.kind, view.failure.link) == ("no_credits", BILLING)
    assert "run out of credits" in view.failure.message


DRIVER = """
import sys
from image_to_mesh.cli import entry
entry.find_blender = lambda environment: {worker!r}
sys.exit(entry.main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("words", "key", "faults", "code", "kind"),
    [
        (["--provider", "aiml_triposr"], KEY, [], 0, None),
        (["--provider", "aiml_magic", "--view", "left=cup.png"], KEY, [], 0, None),
        (["--provider", "aiml_triposr", "--set", "mc_resolution=1025"], KEY, [], 2,
         "invalid_settings"),
        (["--provider", "aiml_triposr", "--view", "left=cup.png"], KEY, [], 2,
         "invalid_settings"),
        (["--provider", "aiml_magic"], "", [], 3, "missing_key"),
        (["--provider", "aiml_magic"], "another-key", [], 3, "bad_key"),
        (["--provider", "aiml_magic"], KEY, [Fault(0, taken=True)], 6, "uncertain"),
    ],
    ids=["triposr", "magic", "setting", "view", "no key", "wrong key", "uncertain"],
)  # fmt: skip
def test_the_command_line_runs_a_whole_job(
    aiml: Aiml, tmp_path: Path, png: bytes,
    words: list[str], key: str, faults: list[Fault], code: int, kind: str | None,
) -> None:  # fmt: skip
    aiml.faults["generate"] = list(faults)
    (tmp_path / "cup.png").write_bytes(png)
    command = [sys.executable, "-c", DRIVER.format(worker=WORKER), "generate", "cup.png", "--json"]
    environment = {**os.environ, "AIML_API_KEY": key, "AIML_BASE_URL": aiml.url}
    done = subprocess.run(
        [*command, *words], capture_output=True, text=True, cwd=tmp_path, env=environment,
        timeout=60, check=False,
    )  # fmt: skip
    said = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, said["error"] and said["error"]["kind"]) == (code, kind)
    assert said["credits"] == (182000 if code == 0 else None)
    assert KEY not in done.stdout + done.stderr
    assert len(aiml.orders) == (1 if code in (0, 6) else 0)
    assert bool(aiml.requests) == (kind not in ("invalid_settings", "missing_key"))
