# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer to an order: kept as it came, wherever there is room, and read again later."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import FAKES, aiml
from fakes.aiml import KEY, Aiml, Fault
from fakes.aiml_cases import end_of, job_for, source
from fakes.glb import triangle_glb
from fakes.running import Orders

from image_to_mesh.cli.exit_codes import exit_code_for
from image_to_mesh.jobs import JobView, Library, Session, State
from image_to_mesh.jobs.steps import raw_answer
from image_to_mesh.jobs.steps.raw_answer import RawAnswer
from image_to_mesh.providers import LibraryProblem, Provider, get_provider
from image_to_mesh.providers._shared.http.recorded_answer import StreamRedactor, record_answer
from image_to_mesh.providers._shared.results.base64_text import decode_base64

TRIPOSR: Provider[Any] = get_provider("aiml_triposr")
MIB = 1 << 20


@pytest.fixture
def shop() -> Iterator[Aiml]:
    """A service that answers at once, with the mesh in its answer."""
    with aiml.serving(Aiml(shape="data_b64")) as running:
        yield running


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one other folder where answers may be kept."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    monkeypatch.setattr(raw_answer, "_elsewhere", lambda: iter([other]))
    return other


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The library's folder."""
    return tmp_path / "library"


def order(running: Session, shop: Aiml, library: Path, png: bytes, **kwargs: Any) -> JobView:
    """Order a mesh and wait for the end."""
    view = end_of(running, running.start(job_for(TRIPOSR, shop, library, source(png), **kwargs)))
    running.join(5.0)
    return view


def resume(running: Session, shop: Aiml, library: Path, job: str) -> JobView:
    """Resume a job and wait for its end."""
    spec = job_for(TRIPOSR, shop, library, blender=None)
    view = end_of(running, running.start(replace(spec, record=Library(library).load(job))))
    running.join(5.0)
    return view


def refuse_mesh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no mesh of an answer into the library."""

    def full(*_: Any) -> None:
        raise LibraryProblem("No space left on device.", "Make room.")

    monkeypatch.setattr(Library, "keep", full)


# -- where it is ---------------------------------------------------------------------------------


def test_a_mesh_that_does_not_fit_on_disk_is_recovered_from_the_kept_answer(
    running: Session, shop: Aiml, library: Path, png: bytes, elsewhere: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        refuse_mesh(patch)
        view = order(running, shop, library, png, blender=None)
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("library", State.SUBMITTING)
    assert exit_code_for(view.failure, view.record) == 7
    record = Library(library).load(view.job)
    assert (record.state, record.files, record.mesh) == (State.SUBMITTING, (), None)
    assert record.notes == ("The service's response is saved in the job's folder: answer.http.",)
    assert resume(running, shop, library, view.job).state is State.READY
    record = Library(library).load(view.job)
    assert (library / view.job / "mesh.glb").read_bytes() == shop.mesh
    assert record.credits == 182000
    assert record.notes[0] == "The service's saved response was read."
    assert not list((library / view.job).glob("answer*"))
    assert len(shop.orders) == 1


@pytest.mark.parametrize("room", [True, False])
def test_an_answer_is_kept_elsewhere_if_the_library_is_full(
    running: Session, shop: Aiml, library: Path, png: bytes, elsewhere: Path,
    monkeypatch: pytest.MonkeyPatch, room: bool,
) -> None:  # fmt: skip
    """It is stored elsewhere or kept in memory; a message says where, and resume reads it there."""
    real = Path.open

    def no_room(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if self.name.startswith("answer"):
            raise OSError(30, "Read-only file system")
        return real(self, mode, *args, **kwargs)

    if not room:
        monkeypatch.setattr(raw_answer, "_elsewhere", lambda: iter([elsewhere / "missing"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", no_room)
        refuse_mesh(patch)
        view = order(running, shop, library, png, blender=None)
    places = list(elsewhere.iterdir())
    assert len(places) == room
    assert view.record is not None
    told = view.record.notes[-1]
    assert (str(places[0]) in told) if room else ("in memory until this program is closed" in told)
    for place in places:
        assert os.name != "posix" or place.stat().st_mode & 0o077 == 0
    assert resume(running, shop, library, view.job).state is State.READY
    assert (library / view.job / "mesh.glb").read_bytes() == shop.mesh
    assert not list(elsewhere.iterdir())
    assert not raw_answer._in_memory, "an answer is kept in memory"
    assert len(shop.orders) == 1


def test_an_answer_moved_between_folders_stays_complete(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    found = RawAnswer(folder, "job")
    found.begin(200, {"content-type": "application/json"})
    found.add(b'{"a": "' + b"x" * 3 * MIB)
    written: Any = found._file

    class Full:
        """A file that takes half of the first data and fails from then on."""

        halves = 1

        def write(self, data: Any) -> int:
            if not self.halves:
                raise OSError(28, "No space left on device")
            self.halves -= 1
            return int(written.write(data[: len(data) // 2]))

        def __getattr__(self, name: str) -> Any:
            return getattr(written, name)

    monkeypatch.setattr(found, "_file", Full())
    found.add(b"y" * 3 * MIB)
    found.add(b'"}')
    found.end(whole=True)
    assert found.place is not None
    assert found.place.parent == elsewhere
    assert not list(folder.iterdir())
    again = RawAnswer(folder, "job")
    assert again.find()
    reply = again.read()
    assert reply is not None
    assert reply.json == {"a": "x" * 3 * MIB + "y" * 3 * MIB}


def test_an_answer_is_synced_to_disk_before_it_is_parsed(
    running: Session, shop: Aiml, library: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real_sync, real_read = os.fsync, raw_answer.RawAnswer.end

    def fsync(handle: int) -> None:
        synced.append(os.fstat(handle).st_ino)
        real_sync(handle)

    def end(self: RawAnswer, *, whole: bool) -> None:
        assert self.place is not None
        place = self.place.stat().st_ino
        synced.clear()
        real_read(self, whole=whole)
        assert place in synced
        assert self.place.parent.stat().st_ino in synced[synced.index(place) :]
        synced.append(-1)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(RawAnswer, "end", end)
    assert order(running, shop, library, png, blender=None).state is State.READY
    assert -1 in synced


def test_a_file_of_another_user_is_not_taken_for_an_answer(tmp_path: Path, elsewhere: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("HTTP/1.1 200\r\n\r\n{}")
    (folder / "answer.http").symlink_to(secret)
    if sys.platform == "win32":
        pytest.skip("not on Windows")
    os.mkfifo(folder / "answer-2.http")
    found = RawAnswer(folder, "job")
    assert not found.find()
    found.begin(200, {})
    found.add(b"{}")
    found.end(whole=True)
    assert found.place == folder / "answer-3.http"
    assert secret.read_text().endswith("{}")


@pytest.mark.parametrize("text", [b"", b"\0" * 100, b"HTTP/1.1 200", b"HTTP/1.1 x\r\n\r\n", b"{}"])
def test_a_file_that_is_not_an_answer_is_ignored(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "answer.http").write_bytes(text)
    found = RawAnswer(tmp_path, "job")
    assert found.find()
    assert found.read() is None


# -- what cannot be understood -------------------------------------------------------------------

STRANGE: dict[str, Any] = {
    "text": "all good, thank you",
    "list": [],
    "half": '{"data": [{"b64_j',
    "no mesh": {"data": None},
    "odd base64": {"data": [{"b64_json": "*~*"}]},
    "key": f'{{"a": "{KEY}", "b": "{KEY[:5]}\\u{ord(KEY[5]):04x}{KEY[6:]}"}}',
}


@pytest.mark.parametrize("name", STRANGE)
def test_an_answer_that_cannot_be_parsed_is_kept_and_reported(
    running: Session, shop: Aiml, library: Path, png: bytes, name: str
) -> None:
    shop.faults["generate"] = [Fault(200, STRANGE[name], taken=True)]
    view = order(running, shop, library, png)
    assert (view.state, view.failure and view.failure.kind) == (State.UNCERTAIN, "uncertain")
    data = (library / view.job / "answer.http").read_bytes()
    body = STRANGE[name] if isinstance(STRANGE[name], str) else json.dumps(STRANGE[name])
    assert data.startswith(b"HTTP/1.1 200\r\n")
    if name != "key":
        assert data.endswith(b"\r\n\r\n" + body.encode())
    assert KEY.encode() not in data
    assert b"u%04x" % ord(KEY[5]) not in data
    record = Library(library).load(view.job)
    assert record.notes == ("The service's response is saved in the job's folder: answer.http.",)


def test_a_later_version_can_parse_the_kept_answer(
    running: Session, shop: Aiml, library: Path, png: bytes
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("image_to_mesh.providers._aiml.replies._meshes", lambda _: iter(()))
        view = order(running, shop, library, png, blender=None)
        assert view.state is State.UNCERTAIN
        assert resume(running, shop, library, view.job).state is State.UNCERTAIN
    assert resume(running, shop, library, view.job).state is State.READY
    assert (library / view.job / "mesh.glb").read_bytes() == shop.mesh
    assert len(shop.requests) == 1


def test_a_kept_refusal_ends_the_job_with_the_reason_of_the_service(
    running: Session, shop: Aiml, library: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program ended between the answer and the record."""
    shop.credits = False
    view = order(running, shop, library, png)
    record = Library(library).load(view.job)
    assert record.state is State.FAILED
    Library(library).save(replace(record, state=State.SUBMITTING, failure=None))
    view = resume(running, shop, library, view.job)
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("no_credits", State.FAILED)
    assert len(shop.requests) == 1


# -- room ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("synchronous", [True, False])
def test_free_disk_space_is_checked_before_the_order(
    running: Session, shop: Aiml, library: Path, png: bytes, orders: Orders, synchronous: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from image_to_mesh.jobs.disk import free_space as room

    needed = TRIPOSR.max_answer_bytes if synchronous else room.LEAST
    assert needed == (448 * MIB if synchronous else 64 * MIB)
    usage = shutil.disk_usage(library.parent)
    free = [needed - 1]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=free[0]))
    if synchronous:
        view, requests = order(running, shop, library, png), shop.orders
    else:
        view, requests = orders.end(), orders.service.submits
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("library", State.QUEUED)
    assert "Nothing was submitted" in view.failure.message
    assert exit_code_for(view.failure, view.record) == 2
    assert not requests, "a request was sent"
    free[0] = needed
    if synchronous:
        assert resume(running, shop, library, view.job).state is State.READY
        assert len(shop.orders) == 1


def test_a_library_that_became_read_only_sends_nothing(
    running: Session, shop: Aiml, library: Path, png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from image_to_mesh.jobs.disk import free_space as room

    def read_only(_: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(room, "_write", read_only)
    view = order(running, shop, library, png)
    assert view.failure is not None
    assert (view.failure.kind, view.state) == ("library", State.QUEUED)
    assert "Read-only file system" in view.failure.message
    assert not shop.orders, "an order was sent"


# -- base64 and memory ---------------------------------------------------------------------------

MESH = triangle_glb(5)
PLAIN = base64.b64encode(MESH).decode()
SAFE = base64.urlsafe_b64encode(bytes(range(250, 256)) * 50).decode()


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (PLAIN, MESH),
        (PLAIN.rstrip("="), MESH),
        ("\r\n".join(PLAIN[at : at + 76] for at in range(0, len(PLAIN), 76)), MESH),
        (f"data:model/gltf-binary;base64,{PLAIN}", MESH),
        (f" DATA:;base64,{PLAIN.rstrip('=')}\n", MESH),
        (f"{PLAIN.rstrip('=')} ==\n", MESH),
        (SAFE, bytes(range(250, 256)) * 50),
        ("AA", b"\0"),
        ("AAA=", b"\0\0"),
    ],
)
@pytest.mark.parametrize("piece", [4, 7, 4096])
def test_every_spelling_of_base64_is_decoded(
    text: str, data: bytes, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("image_to_mesh.providers._shared.results.base64_text.PIECE", piece)
    assert decode_base64(text) == data


@pytest.mark.parametrize("text", ["", "*~*", "A", "AAAA=BBB", "AAAAA", "data:,", "AA=\u00e9"])
def test_invalid_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"truncated|padding|base64|ASCII|alphabet"):
        decode_base64(text)


def test_an_answer_is_not_held_in_memory_three_times() -> None:
    size = 24 * MIB
    text = base64.b64encode(bytes(size)).decode()
    tracemalloc.start()
    try:
        data = decode_base64(text)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(data) == size
    assert most < 1.5 * size + 32 * MIB


@pytest.mark.once
@pytest.mark.skipif(sys.platform == "win32", reason="its process forks")
def test_a_job_holds_an_answer_with_its_mesh_in_memory_about_twice() -> None:
    done = subprocess.run(
        [sys.executable, "-B", str(FAKES / "answer_memory.py")],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    *states, copies = done.stdout.split()
    assert states == ["ready", "ready"]
    assert float(copies) < 2.7


@pytest.mark.parametrize("at", range(1, 20))
def test_a_key_split_across_two_chunks_is_not_stored(at: int) -> None:
    key = "sk-secret/key+12"
    for spelled in (
        key,
        key.replace("/", "\\/"),
        key.replace("/", "\\\\u002F"),
        key.replace("/", "%2F").replace("+", "%2b"),
        key.upper(),
    ):
        body = f'{{"a": "{spelled}", "b": 1}}'.encode()
        place = 7 + at
        redactor = StreamRedactor([key])
        out = (
            b"".join(redactor.redact(piece) for piece in (body[:place], body[place:]))
            + redactor.flush()
        )
        assert out == b'{"a": "...", "b": 1}'


class Recorder:
    """Records the calls that an answer causes."""

    def __init__(self) -> None:
        self.head: tuple[int, dict[str, str]] = (0, {})
        self.body = b""
        self.whole: bool | None = None

    def sending(self) -> None:
        """Nothing."""

    def begin(self, status: int, headers: Any) -> None:
        """Record the status and the headers."""
        self.head = (status, dict(headers))

    def add(self, piece: bytes) -> None:
        """Append a piece of the body."""
        self.body += piece

    def end(self, *, whole: bool) -> None:
        """Record whether the answer was whole."""
        self.whole = whole


def test_an_interrupted_answer_is_kept_up_to_the_break() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half of "
        yield b"an answ"
        raise ConnectionError

    keep = Recorder()
    with pytest.raises(ConnectionError):
        list(record_answer(keep, 200, {"set-cookie": "a=b", "x-a": "the-secret-key\r\nX"}, pieces(),
                  ["the-secret-key"]))  # fmt: skip
    assert keep.head == (200, {"x-a": "...X"})
    assert (keep.body, keep.whole) == (b"half of an answ", False)
