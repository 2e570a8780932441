# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads that break off, drip, expire, change or do not fit: whole in the end, or resumable."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from fakes.files import Files, Trouble, big_glb, serving

from image_to_mesh.jobs.steps.mesh_header import read_mesh_file
from image_to_mesh.providers import BadMesh, LibraryProblem, Sent, Unreachable
from image_to_mesh.providers._shared.http import download_stream, downloads
from image_to_mesh.providers._shared.http.client import Http
from image_to_mesh.providers._shared.http.download_stream import Stream
from image_to_mesh.providers._shared.http.downloads import DownloadRequest, download

KEY = "Bearer a-key-that-stays-here"
BIG = 50 * 1000 * 1000


@pytest.fixture
def http() -> Iterator[Http]:
    """A connection with a key, which makes no pauses."""
    client = Http("http://127.0.0.1:9", {"Authorization": KEY}, pause=lambda _: None)
    yield client
    client.close()


@pytest.fixture
def files() -> Iterator[Files]:
    """The host of results."""
    with serving(Files()) as running:
        yield running


@pytest.fixture(scope="module")
def big() -> bytes:
    """A mesh of 50 MB."""
    return big_glb(BIG)


def leftover_files(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_path_at_the_service_gets_the_key_and_can_be_resumed(
    files: Files, tmp_path: Path
) -> None:
    files.data = big_glb(3_000_000)
    files.troubles = [Trouble(1_000_000)]
    with contextlib.closing(Http(files.url, {"Authorization": KEY}, pause=lambda _: None)) as http:
        download(DownloadRequest("/a?b=c%20d", tmp_path / "mesh"), http)
    assert (tmp_path / "mesh").read_bytes() == files.data
    assert [path for path, _ in files.seen] == ["/a?b=c%20d"] * 2
    assert all(headers["authorization"] == KEY for _, headers in files.seen)
    assert "range" in files.seen[1][1]


def test_a_path_at_the_service_is_not_redirected(files: Files, tmp_path: Path) -> None:
    files.redirect = "http://127.0.0.1:9/elsewhere"
    with (
        contextlib.closing(Http(files.url, {"Authorization": KEY}, pause=lambda _: None)) as http,
        pytest.raises(BadMesh),
    ):
        download(DownloadRequest("/a", tmp_path / "mesh"), http)
    assert len(files.seen) <= downloads.ATTEMPTS


def test_a_download_sends_no_key_and_arrives_complete(
    files: Files, http: Http, tmp_path: Path
) -> None:
    told: list[tuple[int, int | None]] = []
    target = tmp_path / "mesh"
    download(DownloadRequest(f"{files.url}/a", target, progress=lambda *at: told.append(at)), http)
    assert target.read_bytes() == files.data
    assert told[-1] == (len(files.data), len(files.data))
    assert "authorization" not in files.seen[-1][1]
    assert leftover_files(tmp_path) == ["mesh"]


@pytest.mark.once
def test_a_download_dropped_ten_times_is_resumed_without_loss(
    files: Files, http: Http, tmp_path: Path, big: bytes
) -> None:
    if sys.platform == "win32":
        pytest.skip("not on Windows")
    import resource

    files.data = big
    tenth = len(big) // 10
    files.troubles = [Trouble(tenth, reset=number % 2 == 1) for number in range(9)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh", accept=_is_mesh), http)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (tmp_path / "mesh").stat().st_size == len(big)
    assert read_mesh_file(tmp_path / "mesh").format == "glb"
    assert (tmp_path / "mesh").read_bytes() == big
    begins = [headers.get("range", "bytes=0-") for _, headers in files.seen]
    assert len(begins) == 10
    assert {headers["if-range"] for _, headers in files.seen[1:]} <= {'"v1"'}
    # A reset may take with it what was on its way.
    assert files.sent < len(big) * 1.5
    assert grown < 30_000, f"{grown} KB more memory"


def _is_mesh(path: Path) -> None:
    read_mesh_file(path)


class Case(NamedTuple):
    """A host's behavior, and whether it can send the rest of a file alone."""

    etag: str = ""
    modified: str = ""
    ranges: bool = True
    length: bool = True
    other_address: bool = False
    goes_on: bool = True


CASES = {
    "strong etag": Case('"v1"'),
    "strong etag, another address": Case('"v1"', other_address=True),
    "date, another address": Case("", "Sat, 21 Nov 2026 10:00:00 GMT", other_address=True),
    "nothing, same address": Case(goes_on=False),
    "nothing, another address": Case(other_address=True, goes_on=False),
    "weak etag, another address": Case('W/"v1"', other_address=True, goes_on=False),
    "no ranges": Case('"v1"', ranges=False, goes_on=False),
}


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read downloads in pieces, so that a file of a megabyte takes several."""
    monkeypatch.setattr(download_stream, "PIECE", 64 * 1024)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_download_is_resumed_only_for_the_same_file(
    files: Files, http: Http, tmp_path: Path, small_pieces: None, case: Case
) -> None:
    files.data = big_glb(1_000_000)
    files.etag, files.modified = case.etag, case.modified
    files.ranges, files.length = case.ranges, case.length
    want = DownloadRequest(
        f"{files.url}/a?sig=1", tmp_path / "mesh", check=_stop_after(300_000, tmp_path)
    )
    with pytest.raises(KeyboardInterrupt):
        download(want, http)
    have = (tmp_path / ".mesh.part").stat().st_size
    assert 0 < have < len(files.data)
    address = f"{files.url}/a?sig={2 if case.other_address else 1}"
    download(DownloadRequest(address, tmp_path / "mesh"), http)
    assert (tmp_path / "mesh").read_bytes() == files.data
    asked = files.seen[-1][1].get("range")
    assert (asked == f"bytes={have}-") == (case.goes_on or not case.ranges)


def _stop_after(size: int, folder: Path) -> Any:
    def check() -> None:
        part = folder / ".mesh.part"
        if part.exists() and part.stat().st_size >= size:
            raise KeyboardInterrupt

    return check


@pytest.mark.parametrize("etag", ['"v1"', ""])
def test_a_download_of_a_changed_file_starts_over(
    files: Files, http: Http, tmp_path: Path, small_pieces: None, etag: str
) -> None:
    files.data, files.etag = big_glb(1_000_000), etag
    with pytest.raises(KeyboardInterrupt):
        download(
            DownloadRequest(
                f"{files.url}/a", tmp_path / "mesh", check=_stop_after(300_000, tmp_path)
            ),
            http,
        )
    files.data, files.etag = big_glb(900_000), '"v2"' if etag else ""
    download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh"), http)
    assert (tmp_path / "mesh").read_bytes() == files.data


@pytest.mark.parametrize("length", [True, False])
def test_a_slow_download_is_waited_for(
    files: Files, http: Http, tmp_path: Path, length: bool
) -> None:
    files.data, files.length = big_glb(5_000), length
    files.troubles = [Trouble(drip=100)]
    download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh", accept=_is_mesh), http)
    assert (tmp_path / "mesh").read_bytes() == files.data


def test_a_download_without_data_counts_as_stalled(
    files: Files,
    http: Http,
    tmp_path: Path,
    small_pieces: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "STALL", 0.0)
    monkeypatch.setattr(downloads, "STALL_BYTES", 10**9)
    files.data = big_glb(400_000)
    with pytest.raises(BadMesh, match="no data was received"):
        download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh"), http)
    assert (tmp_path / ".mesh.part").exists()


def test_an_expired_address_is_not_retried(files: Files, http: Http, tmp_path: Path) -> None:
    with pytest.raises(BadMesh, match="returned status 403"):
        download(DownloadRequest(f"{files.url}/old", tmp_path / "mesh"), http)
    assert len(files.seen) == 1


def test_a_server_error_is_retried(files: Files, http: Http, tmp_path: Path) -> None:
    files.troubles = [Trouble(status=503), Trouble(status=429), Trouble(0), Trouble(0, reset=True)]
    download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh"), http)
    assert (tmp_path / "mesh").read_bytes() == files.data
    files.troubles = [Trouble(status=500)] * 20
    with pytest.raises(BadMesh, match="returned status 500"):
        download(DownloadRequest(f"{files.url}/a", tmp_path / "again"), http)


def test_a_file_that_is_not_a_mesh_is_not_accepted(
    files: Files, http: Http, tmp_path: Path
) -> None:
    files.data = b"<html>Sign in</html>"
    with pytest.raises(BadMesh, match="not a GLB"):
        download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh", accept=_is_mesh), http)
    assert leftover_files(tmp_path) == []


@pytest.mark.parametrize("length", [True, False])
def test_a_download_over_the_size_limit_is_refused(
    files: Files, http: Http, tmp_path: Path, length: bool
) -> None:
    files.length = length
    with pytest.raises(BadMesh, match="larger than 0 MB"):
        download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh", limit=10), http)
    assert not (tmp_path / "mesh").exists()


def test_too_little_disk_space_is_reported_before_writing(
    files: Files, http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(LibraryProblem, match="only 0 MB of free space"):
        download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh"), http)
    assert leftover_files(tmp_path) == []


def test_a_disk_that_fills_up_keeps_the_partial_download(
    files: Files, http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(LibraryProblem, match="No space left"):
        download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh"), http)
    monkeypatch.undo()
    download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh"), http)
    assert (tmp_path / "mesh").read_bytes() == files.data


HEAD = 300_000
OTHERS: dict[str, dict[str, str]] = {
    "another etag": {"etag": '"v2"'},
    "no etag": {"etag": ""},
    "the same etag, but weak": {"etag": 'W/"v1"'},
    "another date": {"etag": "", "last-modified": "Sun, 22 Nov 2026 10:00:00 GMT"},
    "no date": {"etag": "", "last-modified": ""},
    "another offset": {"content-range": "bytes 0-{last}/{size}"},
    "another length": {"content-range": "bytes {have}-899999/900000"},
    "no range": {"content-range": ""},
    "no total": {"content-range": "bytes {have}-{last}/*"},
    "no end": {"content-range": "bytes {have}-/{size}"},
    "a total of thousands of digits": {"content-range": "bytes {have}-9/1" + "0" * 5000},
}
"""Headers of an answer with the rest that differ from those of the first half."""


@pytest.mark.parametrize("name", OTHERS)
def test_a_remainder_of_an_unverified_file_is_not_appended(name: str, tmp_path: Path) -> None:
    whole, other = big_glb(1_000_000), bytes(1_000_000)
    dated = "date" in name
    validators = {"etag": "" if dated else '"v1"', "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT"}
    size = len(whole)
    asked: list[str] = []

    class Line:
        @contextlib.contextmanager
        def open_download(
            self, url: str, headers: Mapping[str, str], field: str | None = None
        ) -> Iterator[Stream]:
            asked.append(headers.get("Range", ""))
            if len(asked) == 1:
                yield Stream(200, {**validators, "content-length": str(size)}, iter([whole[:HEAD]]))
            elif len(asked) == 2:
                told = {
                    "content-range": f"bytes {HEAD}-{size - 1}/{size}",
                    **validators,
                    **OTHERS[name],
                }
                figures = {"have": HEAD, "last": size - 1, "size": size}
                shown = {key: text.format_map(figures) for key, text in told.items()}
                yield Stream(206, shown, iter([other[HEAD:]]))
            else:
                yield Stream(200, {**validators, "content-length": str(size)}, iter([whole]))

        def pause(self, attempt: int) -> None:
            """Make no pause."""

    download(DownloadRequest("https://a.example/a", tmp_path / "mesh"), cast("Http", Line()))
    assert asked == ["", f"bytes={HEAD}-", ""]
    assert (tmp_path / "mesh").read_bytes() == whole


@pytest.mark.parametrize("length", ["1" + "0" * 5000, "²", "-5", "5, 6"])
def test_an_invalid_content_length_is_ignored(length: str, tmp_path: Path) -> None:
    whole = big_glb(10_000)

    class Line:
        @contextlib.contextmanager
        def open_download(
            self, url: str, headers: Mapping[str, str], field: str | None = None
        ) -> Iterator[Stream]:
            yield Stream(200, {"content-length": length}, iter([whole]))

    download(DownloadRequest("https://a.example/a", tmp_path / "mesh"), cast("Http", Line()))
    assert (tmp_path / "mesh").read_bytes() == whole


def test_an_address_that_redirects_endlessly_is_not_a_result(
    files: Files, http: Http, tmp_path: Path
) -> None:
    files.redirect = f"{files.url}/again"
    with pytest.raises(BadMesh, match="too many redirects") as caught:
        download(DownloadRequest(f"{files.url}/a", tmp_path / "mesh"), http)
    assert "at no extra cost" in caught.value.hint
    assert len(files.seen) == 6


def test_a_missing_certificate_bundle_is_no_full_disk(
    http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "gone.pem"))
    with pytest.raises(Unreachable, match=r"gone\.pem") as caught:
        download(DownloadRequest("https://localhost:9/a", tmp_path / "mesh"), http)
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert "room" not in str(caught.value)
    assert caught.value.sent is Sent.NO
