# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights on a click: complete or absent, a message for each fault, one copy for all Blenders."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.files import Files, Trouble, serving
from fakes.full_disk import FullDisk, fill

from image_to_mesh.jobs.disk.lock import JobLock
from image_to_mesh.jobs.weights import fetch as fetching
from image_to_mesh.jobs.weights import store
from image_to_mesh.jobs.weights.downloads import WeightsDownloads, WeightsState
from image_to_mesh.jobs.weights.table import DEPTH, Weights
from image_to_mesh.providers._shared.http.client import Http

DATA = bytes(range(256)) * 12_000
THERE, MISSING = WeightsState(is_there=True), WeightsState(is_there=False)
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Keep the weights of each test in a folder of its own."""
    place = tmp_path / "image_to_mesh_models"
    monkeypatch.setattr(store, "folder", lambda: place)
    monkeypatch.setattr(Http, "pause", lambda *_: None)
    monkeypatch.setattr(fetching, "SPARE", 0)
    return place


@pytest.fixture
def files() -> Iterator[Files]:
    """The host of the weights."""
    with serving(Files(data=DATA)) as running:
        yield running


def weights_at(files: Files, **changed: object) -> Weights:
    """Return the weights that this host has."""
    base = Weights("tiny", "Tiny Net", len(DATA), DIGEST, "MIT", files.url, "abc", "model.bin")
    return dataclasses.replace(base, **changed)  # type: ignore[arg-type]


def run(weights: Weights, *, online: bool = True) -> WeightsState:
    """Download to the end; return the last state."""
    downloads = WeightsDownloads()
    downloads.download(weights, online=online)
    return wait_for(downloads, weights)


def wait_for(downloads: WeightsDownloads, weights: Weights) -> WeightsState:
    """Wait for the end of a download."""
    until = time.monotonic() + 20
    while downloads.state(weights).is_running and time.monotonic() < until:
        time.sleep(0.01)
    return downloads.state(weights)


def sentence(state: WeightsState) -> str:
    """Return what the panel says about a failed download."""
    assert state.failure is not None
    return f"{state.failure.message} {state.failure.hint}"


def names(place: Path) -> list[str]:
    """Return the names of the files in the folder, without locks."""
    return sorted(path.name for path in place.iterdir() if path.suffix != ".lock")


def test_the_address_is_of_one_revision() -> None:
    assert DEPTH.url == (
        "https://huggingface.co/depth-anything/Depth-Anything-V2-Small-hf/resolve/"
        "5426e4f0f36572d16453bbda7a8389317b1bef99/model.safetensors"
    )
    assert DEPTH.megabytes == 99


def test_the_folder_lies_beside_the_default_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", "/elsewhere")
    if sys.platform == "linux":
        assert store.path_of(DEPTH) == Path(
            "/data/image_to_mesh_models/depth-anything-v2-small.safetensors"
        )


def test_a_download_arrives_whole(files: Files, own_folder: Path) -> None:
    weights = weights_at(files)
    assert not store.is_there(weights)
    assert run(weights) == THERE
    assert store.path_of(weights).read_bytes() == DATA
    assert names(own_folder) == ["tiny.safetensors"]
    assert [path for path, _ in files.seen] == ["/resolve/abc/model.bin"]
    assert store.paths_there(weights, DEPTH) == {"tiny": str(store.path_of(weights))}
    run(weights)
    assert len(files.seen) == 1, "it is there already"


def test_a_cut_download_continues_where_it_stopped(files: Files) -> None:
    files.troubles = [Trouble(after=1_000_000), Trouble(after=700_000, reset=True)]
    weights = weights_at(files)
    assert run(weights) == THERE
    assert store.path_of(weights).read_bytes() == DATA
    assert len([headers for _, headers in files.seen if "range" in headers]) == 2


def test_a_host_that_keeps_failing_is_named_and_the_next_click_continues(
    files: Files, own_folder: Path
) -> None:
    files.troubles = [Trouble(after=2_000_000), *[Trouble(status=503)] * 5]
    weights = weights_at(files)
    text = sentence(run(weights))
    assert text == (
        "The depth model cannot be downloaded: the server returned status 503. "
        "Click Download again to continue."
    )
    assert "tiny.safetensors" not in names(own_folder)
    sent = files.sent
    assert run(weights) == THERE
    assert files.sent - sent < len(DATA) - 1_500_000
    assert store.path_of(weights).read_bytes() == DATA


@pytest.mark.parametrize("other", [DATA[:-1] + b"x", DATA[:-10]])
def test_another_file_is_deleted(files: Files, own_folder: Path, other: bytes) -> None:
    weights = weights_at(files)
    files.data = other
    text = sentence(run(weights))
    assert "is not the expected file and was deleted" in text
    assert names(own_folder) == []


def test_a_larger_file_is_refused_before_it_is_downloaded(files: Files, own_folder: Path) -> None:
    files.data = DATA * 10
    text = sentence(run(weights_at(files)))
    assert text.startswith("The depth model cannot be downloaded: The result is larger than 3 MB")
    assert "tiny.safetensors" not in names(own_folder)
    assert files.sent < 5 * len(DATA), "only what the sockets hold"


def test_a_removed_file_is_named(files: Files) -> None:
    files.troubles = [Trouble(status=404)]
    assert "status 404" in sentence(run(weights_at(files)))


def test_offline_says_how_to_go_online(files: Files, own_folder: Path) -> None:
    weights = weights_at(files, page="https://models.example.com/net")
    text = sentence(run(weights, online=False))
    assert "online" in text.lower()
    assert names(own_folder) == []


def test_a_full_disk_is_said_before_anything_is_downloaded(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=2_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    text = sentence(run(weights_at(files)))
    assert text.startswith("The depth model needs 3 MB, but ")
    assert "has only 2 MB of free space" in text
    assert files.seen == []


def test_a_disk_that_becomes_full_is_said_and_the_download_resumed(
    files: Files, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = weights_at(files)
    own_folder.mkdir()
    disk = FullDisk(own_folder)
    with monkeypatch.context() as patch:
        fill(patch, disk)
        disk.allowed = 5
        text = sentence(run(weights))
    assert disk.is_full
    assert text.startswith("The depth model cannot be saved in ")
    assert "No space left" in text
    assert "tiny.safetensors" not in names(own_folder)
    assert run(weights) == THERE
    assert store.path_of(weights).read_bytes() == DATA


def test_a_folder_that_cannot_be_made_is_said(files: Files, own_folder: Path) -> None:
    own_folder.write_text("a file")
    assert sentence(run(weights_at(files))).startswith("The depth model cannot be saved in ")


def test_a_cancelled_download_says_nothing_and_keeps_what_arrived(
    files: Files, own_folder: Path
) -> None:
    weights = weights_at(files)
    files.troubles = [Trouble(drip=4096)]
    downloads = WeightsDownloads()
    downloads.download(weights, online=True)
    until = time.monotonic() + 10
    while not (downloads.state(weights).fraction or 0.0) and time.monotonic() < until:
        time.sleep(0.01)
    downloads.cancel(weights)
    assert wait_for(downloads, weights) == MISSING
    assert ".tiny.safetensors.part" in names(own_folder)
    assert "tiny.safetensors" not in names(own_folder)


KILLED = """
import sys
from pathlib import Path
from image_to_mesh.jobs.weights import fetch, store
from image_to_mesh.jobs.weights.table import Weights
from image_to_mesh.jobs.resources import open_http
from image_to_mesh.providers import get_provider
store.folder = lambda: Path(sys.argv[1])
fetch.SPARE = 0
size, digest, page = int(sys.argv[3]), sys.argv[4], sys.argv[2]
weights = Weights("tiny", "Tiny Net", size, digest, "MIT", page, "abc", "model.bin")
http = open_http(get_provider("local"), None, "", online=True)
fetch.fetch(weights, http, progress=lambda *at: print(*at, flush=True), check=lambda: None,
            wait=lambda _: None)
"""


@pytest.mark.once
@pytest.mark.skipif(sys.platform == "win32", reason="not on Windows")
def test_a_killed_blender_leaves_no_half_file_and_the_next_one_continues(
    files: Files, own_folder: Path
) -> None:
    weights = weights_at(files)
    files.troubles = [Trouble(after=2_000_000, stall=30.0)]
    arguments = [str(own_folder), files.url, str(len(DATA)), DIGEST]
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), *arguments], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    process.kill()
    process.wait()
    process.stdout.close()
    assert names(own_folder) == [".tiny.safetensors.from", ".tiny.safetensors.part"]
    assert run(weights) == THERE
    assert store.path_of(weights).read_bytes() == DATA
    assert "range" in files.seen[-1][1], "it continued"


def test_two_blenders_at_once_download_once(files: Files, own_folder: Path) -> None:
    weights = weights_at(files)
    own_folder.mkdir()
    other = JobLock(own_folder, weights.name)
    assert other.take()
    downloads = WeightsDownloads()
    downloads.download(weights, online=True)
    time.sleep(0.3)
    assert downloads.state(weights).is_running
    assert files.seen == [], "it waits for the other one"
    store.path_of(weights).write_bytes(DATA)  # the other one has finished
    other.release()
    assert wait_for(downloads, weights) == THERE
    assert files.seen == []


def test_a_second_click_starts_no_second_download(files: Files) -> None:
    weights = weights_at(files)
    files.troubles = [Trouble(drip=16384)]
    downloads = WeightsDownloads()
    for _ in range(3):
        downloads.download(weights, online=True)
    wait_for(downloads, weights)
    assert len(files.seen) == 1


def test_a_hash_that_nobody_knows_is_the_one_that_the_host_states(
    files: Files, own_folder: Path
) -> None:
    with serving(Files(redirect=files.url, linked_etag=f'"{DIGEST}"')) as host:
        weights = weights_at(files, sha256=None, page=host.url)
        assert store.kept_hash(weights) is None
        assert run(weights) == THERE
        assert store.kept_hash(weights) == DIGEST
        assert names(own_folder) == ["tiny.safetensors", "tiny.safetensors.sha256"]
        # From now on that hash is the expected one, whichever file the host sends.
        store.path_of(weights).unlink()
        files.data = DATA[:-1] + b"x"
        files.etag = '"v2"'
        assert "was deleted" in sentence(run(weights))


def test_a_host_that_states_no_hash_is_refused(files: Files) -> None:
    with serving(Files(redirect=files.url)) as host:
        text = sentence(run(weights_at(files, sha256=None, page=host.url)))
    assert text.startswith("The server provided no hash")


def test_a_host_that_does_not_answer_at_first_is_asked_again(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Files(redirect="http://127.0.0.1:9", linked_etag=DIGEST)) as host:
        paused: list[int] = []

        def recover(_: Http, attempt: int) -> None:
            paused.append(attempt)
            host.redirect = files.url

        monkeypatch.setattr(Http, "pause", recover)
        assert run(weights_at(files, sha256=None, page=host.url)) == THERE
        assert paused == [0]


def test_a_host_without_an_answer_is_named_in_a_sentence(files: Files) -> None:
    weights = weights_at(files, sha256=None)
    files.troubles = [Trouble(status=503)] * 20
    text = sentence(run(weights))
    assert text.startswith("The depth model cannot be downloaded: ")
    assert "503" in text
    text = sentence(run(dataclasses.replace(weights, page="http://127.0.0.1:9/net")))
    assert text.startswith("The depth model cannot be downloaded: ")
    assert "Unexpected" not in text


def take_copy(source: Path, weights: Weights) -> WeightsState:
    """Take a file from elsewhere; return the last state."""
    downloads = WeightsDownloads()
    downloads.take_file(source, weights)
    return wait_for(downloads, weights)


def test_a_file_from_elsewhere_is_copied_if_it_is_the_one(
    files: Files, tmp_path: Path, own_folder: Path
) -> None:
    weights, source = weights_at(files), tmp_path / "model.safetensors"
    source.write_bytes(DATA)
    assert take_copy(source, weights) == THERE
    assert store.path_of(weights).read_bytes() == DATA
    assert source.exists()
    assert files.seen == []
    store.path_of(weights).unlink()
    for other in (DATA[:-1] + b"x", DATA[:-1]):
        source.write_bytes(other)
        text = sentence(take_copy(source, weights))
        assert text.startswith("“model.safetensors” is not the Tiny Net file")
        assert names(own_folder) == []
    text = sentence(take_copy(tmp_path / "missing", weights))
    assert text.startswith(f"{tmp_path / 'missing'} cannot be read: ")


def test_a_file_from_elsewhere_is_taken_by_its_size_while_no_hash_is_known(
    files: Files, tmp_path: Path, own_folder: Path
) -> None:
    weights, source = weights_at(files, sha256=None), tmp_path / "model.safetensors"
    source.write_bytes(DATA[:-1])
    assert "is not the Tiny Net file" in sentence(take_copy(source, weights))
    source.write_bytes(DATA)
    assert take_copy(source, weights) == THERE
    assert files.seen == [], "a computer without a network asks nobody"
    assert names(own_folder) == ["tiny.safetensors"], "the host's hash is not known by this"
    # Once the host has stated one, it counts.
    store.path_of(weights).unlink()
    store.keep_hash(weights, DIGEST)
    source.write_bytes(DATA[:-1] + b"x")
    assert "is not the Tiny Net file" in sentence(take_copy(source, weights))


def test_a_saved_text_that_is_no_hash_is_asked_for_again(files: Files, own_folder: Path) -> None:
    with serving(Files(redirect=files.url, linked_etag=DIGEST)) as host:
        weights = weights_at(files, sha256=None, page=host.url)
        store.make_folder()
        store.keep_hash(weights, "no hash")
        assert run(weights) == THERE
        assert store.kept_hash(weights) == DIGEST


def test_a_hash_that_cannot_be_saved_is_said(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "write_whole", fill)
    with serving(Files(redirect=files.url, linked_etag=DIGEST)) as host:
        text = sentence(run(weights_at(files, sha256=None, page=host.url)))
    assert "cannot be saved in" in text
    assert "No space left on device" in text


def test_closing_ends_the_threads(files: Files) -> None:
    weights = weights_at(files)
    files.troubles = [Trouble(drip=1024)]
    downloads = WeightsDownloads()
    downloads.download(weights, online=True)
    downloads.close()
    assert wait_for(downloads, weights) == MISSING
    assert threading.active_count() < 20
