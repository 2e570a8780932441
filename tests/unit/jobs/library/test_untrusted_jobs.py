# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that others wrote: confirmed once per library; no address in them is called."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.png import png_of
from fakes.running import end_of, order_for
from fakes.service import Service
from fakes.strangers import become_other_user, running_record

from image_to_mesh.cli import entry
from image_to_mesh.jobs import Library, Session, State, session
from image_to_mesh.jobs.disk import signatures
from image_to_mesh.jobs.disk.trust import check_ticket, is_trusted, trust_library
from image_to_mesh.jobs.import_plan import ImportPlan
from image_to_mesh.jobs.library.recovery import ResumeContext
from image_to_mesh.jobs.library.store import library_folder
from image_to_mesh.providers import Failed, LibraryProblem, Provider, RemoteFile, get_provider

pytestmark = pytest.mark.usefixtures("a_user")

EVIL = "https://evil.invalid/mesh.glb"


@pytest.fixture
def leave_job(
    root: Path, png: bytes, rehearsal: Provider[Any], service: Service, running: Session,
) -> Callable[..., str]:  # fmt: skip
    """Make a job that an earlier process left in a state."""

    def make(state: State, **changes: Any) -> str:
        service.takes = 0.0
        view = end_of(running, running.start(order_for(root, png, service)))
        running.join(5.0)
        library = Library(root)
        (library.folder(view.job) / "mesh.glb").unlink()
        before = library.load(view.job)
        library.save(replace(before, state=state, failure=None, blend=None, mesh=None, **changes))
        service.submits.clear()
        service.requests.clear()
        return view.job

    return make


def calls(service: Service) -> int:
    """Return how many requests the service has had."""
    return len(service.requests)


def run_json(
    capsys: pytest.CaptureFixture[str], root: Path, *words: str
) -> tuple[int, dict[str, Any], str]:
    """Run a command with `--json`; return its code, the last line's object, standard error."""
    code = entry.main([*words, "--json", "--library", str(root)])
    printed = capsys.readouterr()
    lines = printed.out.strip().splitlines()
    return code, json.loads(lines[-1]) if lines else {}, printed.err


# -- whose it is -----------------------------------------------------------------------------------


def test_the_users_own_records_are_recognized_by_their_signature(
    root: Path, a_user: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = Library(root)
    library.create(running_record(), {})
    assert library.load("cup").own
    assert (a_user / "own.key").stat().st_mode & 0o777 == 0o600
    secret = (a_user / "own.key").read_bytes()
    assert secret.hex() not in (root / "cup" / "job.json").read_text()
    become_other_user(monkeypatch, tmp_path)
    assert not library.load("cup").own


@pytest.mark.parametrize(
    "change",
    [
        {"ticket": {"task": "other"}},
        {"files": [{"url": EVIL}]},
        {"state": "queued"},
        {"provider": "scenario"},
        {"mark": "00" * 32},
        {"mark": None},
        {"mark": 7},
        {"own": True, "mark": "no"},
        {"later": 1},
    ],
)
def test_any_change_to_a_signed_record_makes_it_untrusted(root: Path, change: Any) -> None:
    library = Library(root)
    library.create(running_record(), {})
    path = root / "cup" / "job.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    assert not library.load("cup").own


def test_a_record_is_trusted_in_its_own_folder_only(root: Path) -> None:
    library = Library(root)
    library.create(running_record(), {})
    library.create(running_record("pot"), {})
    (root / "pot" / "job.json").write_bytes((root / "cup" / "job.json").read_bytes())
    with pytest.raises(LibraryProblem, match="another job"):
        library.load("pot")


def test_an_untrusted_record_stays_untrusted_when_saved(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = Library(root)
    library.create(running_record(), {})
    become_other_user(monkeypatch, tmp_path)
    library.save(replace(library.load("cup"), dismissed=True))
    assert library.load("cup").dismissed
    assert not library.load("cup").own
    assert "mark" not in json.loads((root / "cup" / "job.json").read_text())


def test_an_undecodable_text_does_not_change_the_owner(root: Path) -> None:
    library = Library(root)
    library.create(
        running_record(name="half \ud83d", plan=ImportPlan("a\udcff"), notes=("1e400 \x00",)), {}
    )
    assert library.load("cup").own
    library.save(library.load("cup"))
    assert library.load("cup").own


def test_a_link_in_an_untrusted_error_is_not_shown(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from image_to_mesh.jobs import Failure

    library = Library(root)
    library.create(running_record(failure=Failure("no_credits", "No credits.", "Buy.", EVIL)), {})
    assert library.load("cup").failure == Failure("no_credits", "No credits.", "Buy.", EVIL)
    become_other_user(monkeypatch, tmp_path)
    assert library.load("cup").failure == Failure("no_credits", "No credits.", "Buy.", "")


def test_a_secret_that_cannot_be_kept_lasts_for_the_process(
    root: Path, a_user: Path, tmp_path: Path
) -> None:
    (tmp_path / "settings").write_text("no folder")
    library = Library(root)
    library.create(running_record(), {})
    assert library.load("cup").own
    signatures._secret.cache_clear()
    assert not library.load("cup").own


@pytest.mark.parametrize("spoiled", [b"", b"short", b"x" * 1000])
def test_a_damaged_secret_is_not_used(a_user: Path, spoiled: bytes) -> None:
    a_user.mkdir(parents=True)
    (a_user / "own.key").write_bytes(spoiled)
    assert len(signatures._secret(a_user)) == signatures.LENGTH


def library_without_signatures(root: Path) -> Library:
    """Return a library with a record as version 0.1.0 first wrote it."""
    library = Library(root)
    library.create(running_record(), {})
    path = root / "cup" / "job.json"
    data = json.loads(path.read_text())
    del data["mark"]
    path.write_text(json.dumps(data))
    return library


def test_an_unsigned_record_is_trusted_in_the_default_library_only(
    tmp_path: Path, root: Path, a_user: Path
) -> None:
    default = library_folder("", {"XDG_DATA_HOME": str(tmp_path / "data")})
    library = library_without_signatures(default)
    assert not library.load("cup").own, "it was put there after the secret"
    (a_user / "own.key").unlink()
    signatures._secret.cache_clear()
    signatures._secret(a_user)
    assert library.load("cup").own
    (default / "cup").chmod(0o777)
    assert not library.load("cup").own, "anybody can have written it"
    other = library_without_signatures(root)
    (a_user / "own.key").unlink()
    signatures._secret.cache_clear()
    signatures._secret(a_user)
    assert not other.load("cup").own, "an unpacked archive is no library of one's own"


# -- asked about -----------------------------------------------------------------------------------


def test_trust_is_kept_for_the_user_and_the_folder(
    root: Path, a_user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.mkdir()
    trust_library(root)
    assert is_trusted(root)
    assert is_trusted(root / ".." / root.name)
    assert not is_trusted(tmp_path)
    assert list(root.iterdir()) == []
    assert json.loads((a_user / "trusted.json").read_text()) == [str(root)]
    become_other_user(monkeypatch, tmp_path)
    assert not is_trusted(root)
    monkeypatch.undo()


@pytest.mark.parametrize("kept", ["{", "7", '{"a": 1}', "[7, null]", "[" * 100_000])
def test_a_damaged_trust_list_trusts_nothing(root: Path, a_user: Path, kept: str) -> None:
    a_user.mkdir(parents=True)
    (a_user / "trusted.json").write_text(kept)
    assert not is_trusted(root)
    trust_library(root)
    assert is_trusted(root)
    trust_library(root, trusted=False)
    assert not is_trusted(root)


STATES = (State.QUEUED, State.SUBMITTING, State.RUNNING, State.DOWNLOADING, State.PREPARING)


@pytest.mark.parametrize("state", STATES)
def test_untrusted_jobs_are_not_contacted_or_changed_at_startup(
    root: Path, leave_job: Callable[..., str], service: Service, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, state: State,
) -> None:  # fmt: skip
    job = leave_job(state)
    before = (root / job / "job.json").read_bytes()
    become_other_user(monkeypatch, tmp_path)
    again = Session()
    spec = order_for(root, b"", service)
    again.recovery.scan(
        ResumeContext(
            root, {"rehearsal": spec.keys}, {"rehearsal": service.url}, blender=spec.blender
        )
    )
    again.recovery.join(10.0)
    again.close(2.0)
    assert [item.id for item in again.recovery.found.untrusted] == [job]
    assert calls(service) == 0
    assert (root / job / "job.json").read_bytes() == before


@pytest.mark.parametrize("state", STATES)
def test_a_session_calls_no_address_of_an_untrusted_job(
    root: Path, leave_job: Callable[..., str], service: Service, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, state: State,
) -> None:  # fmt: skip
    job = leave_job(state)
    before = (root / job / "job.json").read_bytes()
    become_other_user(monkeypatch, tmp_path)
    again = Session()
    spec = replace(order_for(root, b"", service), pictures=(), record=Library(root).load(job))
    view = end_of(again, again.start(spec))
    cancelled = end_of(again, again.start(spec, cancelled=True))
    again.close(2.0)
    for item in (view, cancelled):
        assert item.failure is not None
        assert "not created by you" in item.failure.message
    assert calls(service) == 0
    assert (root / job / "job.json").read_bytes() == before


@pytest.mark.parametrize("words", [("resume",), ("resume", "JOB"), ("cancel", "JOB"),
                                   ("settle", "JOB", "--submit-again"),
                                   ("settle", "JOB", "--attach", "task-1")])  # fmt: skip
def test_every_command_asks_before_touching_an_untrusted_job(
    root: Path, leave_job: Callable[..., str], service: Service, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...],
) -> None:  # fmt: skip
    job = leave_job(State.UNCERTAIN if words[0] == "settle" else State.RUNNING)
    become_other_user(monkeypatch, tmp_path)
    named = [job if word == "JOB" else word for word in words]
    code, _, errors = run_json(capsys, root, *named)
    assert "--trust-library" in errors
    assert "created by you" in errors or "Untrusted" in errors or "written by you" in errors
    assert code == (0 if words == ("resume",) else 2)
    assert calls(service) == 0


def test_an_untrusted_job_is_resumed_once_its_library_is_trusted(
    root: Path, leave_job: Callable[..., str], service: Service, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    first, second = leave_job(State.RUNNING), leave_job(State.RUNNING)
    become_other_user(monkeypatch, tmp_path)
    code, said, _ = run_json(capsys, root, "resume", first, "--trust-library")
    assert (code, said["state"]) == (0, "ready")
    session.cache_clear()
    code, _, errors = run_json(capsys, root, "resume")
    assert (code, "--trust-library" in errors) == (0, False)
    assert Library(root).load(second).state is State.READY
    assert not service.submits, "an order was sent"
    code, _, errors = run_json(capsys, root, "jobs", "--no-trust-library")
    assert not is_trusted(root)


@pytest.mark.parametrize("state", [State.RUNNING, State.READY])
def test_a_batch_does_not_reuse_an_untrusted_mesh(
    root: Path, leave_job: Callable[..., str], service: Service, tmp_path: Path, png: bytes,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: State,
) -> None:  # fmt: skip
    leave_job(state)
    become_other_user(monkeypatch, tmp_path)
    (tmp_path / "cup.png").write_bytes(png)
    code, said, _ = run_json(
        capsys, root, "batch", str(tmp_path / "cup.png"), "--provider", "rehearsal"
    )
    assert (said["jobs"][0]["error"], said["done"], code) == ("library", 0, 2)
    assert "not created by you" in said["jobs"][0]["message"]
    assert calls(service) == 0


@pytest.mark.parametrize("how", ["other picture", "link", "gone"])
def test_only_the_image_that_the_job_was_made_from_is_sent(
    root: Path, leave_job: Callable[..., str], service: Service, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], how: str,
) -> None:  # fmt: skip
    """Write access to the folder is not enough to change the order or upload a private file."""
    job = leave_job(State.QUEUED, ticket=None, submitted=None, request_hash=None)
    (path,) = [item for item in (root / job).iterdir() if item.name.startswith("front")]
    if how == "link":
        (tmp_path / "private.png").write_bytes(path.read_bytes() + b"private")
    path.unlink()
    if how == "link":
        path.symlink_to(tmp_path / "private.png")
    if how == "other picture":
        path.write_bytes(png_of(64, 49))
    code, _, errors = run_json(capsys, root, "resume", job)
    assert code != 0
    assert f"The job's image {path.name}" in errors or "cannot be read" in errors
    assert not service.submits, "an order was sent"
    assert not [request for request in service.requests if request[0] in ("POST", "PUT")]


# -- trusted, and still no address of theirs -------------------------------------------------------


def test_an_untrusted_job_downloads_only_from_the_address_of_the_service(
    root: Path, leave_job: Callable[..., str], service: Service, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    trap = f"{service.url}/trap.glb"
    job = leave_job(State.DOWNLOADING, files=(RemoteFile(trap),))
    become_other_user(monkeypatch, tmp_path)
    code, said, _ = run_json(capsys, root, "resume", job, "--trust-library")
    assert (code, said["state"]) == (0, "ready")
    assert calls(service) > 0
    assert not [request for request in service.requests if "trap" in str(request)]


def test_an_untrusted_job_downloads_nothing_without_an_answer_of_the_service(
    root: Path, leave_job: Callable[..., str], service: Service, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    trap = f"{service.url}/trap.glb"
    job = leave_job(State.DOWNLOADING, files=(RemoteFile(trap),))
    become_other_user(monkeypatch, tmp_path)

    def poll(*_: Any) -> None:
        raise Failed("The task is not known any more.")

    monkeypatch.setattr(type(get_provider("rehearsal")), "poll", poll)
    code, _, _ = run_json(capsys, root, "resume", job, "--trust-library")
    assert code != 0
    assert not [request for request in service.requests if "trap" in str(request)]


@pytest.mark.parametrize("state", [State.RUNNING, State.DOWNLOADING, State.UNCERTAIN])
def test_an_address_in_an_untrusted_ticket_is_not_called(
    root: Path, leave_job: Callable[..., str], service: Service, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: State,
) -> None:  # fmt: skip
    job = leave_job(state, ticket={"task": f"{service.url}/trap"})
    become_other_user(monkeypatch, tmp_path)
    code, _, errors = run_json(capsys, root, "resume", job, "--trust-library")
    assert code != 0
    assert "contains a URL" in errors
    assert calls(service) == 0


@pytest.mark.parametrize(
    "address",
    [
        {"ticket": {"url": EVIL}},
        {"ticket": {"format": "glb", "more": {"deep": [EVIL]}}},
        {"ticket": {"url": "http:\\\\evil.invalid"}},
        {"ticket": {EVIL: 1}},
        {"uploaded": {"front": EVIL}},
    ],
)
def test_a_ticket_with_an_address_is_resumed_by_its_author_only(address: Any) -> None:
    check_ticket(running_record(**address))
    with pytest.raises(LibraryProblem, match="contains a URL"):
        check_ticket(replace(running_record(**address), own=False))
    check_ticket(replace(running_record(uploaded={"front": "token-1"}), own=False))


def test_an_untrusted_recorded_answer_is_not_read(
    root: Path, leave_job: Callable[..., str], service: Service, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    job = leave_job(State.SUBMITTING, ticket=None)
    answer = b'HTTP/1.1 200\r\ncontent-type: application/json\r\n\r\n{"task": "strangers-task"}'
    (root / job / "answer.http").write_bytes(answer)
    become_other_user(monkeypatch, tmp_path)
    run_json(capsys, root, "resume", job, "--trust-library")
    assert "strangers-task" not in str(Library(root).load(job).ticket)
    assert "strangers-task" not in str(service.requests)
