# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory that answers may take: bombs, redirects with bodies, wide or deep JSON.

Each call is made by a process of its own, whose peak is measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zlib

import pytest
from fakes.failing import OK
from fakes.lines import Act, Line, answering

from image_to_mesh.providers._shared.http.client import MAX_REPLY
from image_to_mesh.providers._shared.http.download_stream import FREE_LIMIT
from image_to_mesh.providers._shared.http.reply import MOST_VALUES, reply_of

pytestmark = pytest.mark.once

MB = 1024 * 1024
HUGE = 700
"""Megabytes of data that must not be read."""
FREE, PICTURE, POLL, ORDER = 6, 26, 40, 75
"""Megabytes that a free call, a picture of 20 MB, 16 MB of a long answer, and an order's
answer of 31 MB may cost."""

CALLS = {
    "get": "http.get('/tasks')",
    "poll": "http.get('/tasks', shorten=True)",
    "post": "http.post('/tasks', json={})",
    "put": "http.put(url + '/part', b'data', 'image/png')",
    "submit": "http.submit('/tasks', json={})",
    "order": "http.submit('/tasks', json={}, limit=256 * 1024 * 1024)",
    "picture": "http.fetch(url + '/a.png', 20_000_000)",
    "download": "download(DownloadRequest(url + '/a.glb', Path(folder) / 'm', limit=10**6), http)",
}
PROGRAM = r"""
import re, sys, tempfile
from pathlib import Path
from image_to_mesh.providers._shared.adapters import to_json
from image_to_mesh.providers._shared.http.downloads import DownloadRequest, download
from image_to_mesh.providers._shared.errors import ImageToMeshError
from image_to_mesh.providers._shared.http.client import Http

def peak():  # of this process alone: what getrusage tells begins at its parent's
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

url, call = sys.argv[1:]
http = Http(url, {"Authorization": "Bearer a-key-of-somebody"}, pause=lambda _: None)
with tempfile.TemporaryDirectory() as folder:
    before = peak()
    try:
        outcome = str(type(eval(call).json).__name__)
    except ImageToMeshError as error:
        outcome = f"{error.kind} {error}"
    except AttributeError:
        outcome = "bytes"
print(peak() - before, outcome)
"""


def _spent(act: Act, call: str) -> tuple[float, str]:
    """Return by how many megabytes a call grew its process, and its outcome."""
    with answering(act) as server:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, server.url, CALLS[call]],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
    grown, _, outcome = done.stdout.strip().partition(" ")
    return float(grown), outcome


def _megabytes(text: str, piece: bytes, count: int) -> Act:
    def act(line: Line) -> None:
        line.read()
        line.send(text)
        for _ in range(count):
            line.send(piece)

    return act


def _redirect(line: Line) -> None:
    head = f"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:{line.server.port}/again\r\n"
    _megabytes(f"{head}Content-Length: {HUGE * MB}\r\n\r\n", bytes(MB), HUGE)(line)


def _bomb(coding: str, bits: int) -> Act:
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    begin = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    packer.compress(bytes(MB))
    block = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = block.compress(bytes(MB)) + block.flush(zlib.Z_FULL_FLUSH)
    return _megabytes(f"{OK}Content-Encoding: {coding}\r\n\r\n", begin + piece * HUGE, 1)


@pytest.mark.parametrize("call", ["get", "post", "put", "submit", "order"])
def test_the_body_of_a_redirect_is_not_read(call: str) -> None:
    grown, outcome = _spent(_redirect, call)
    assert outcome.startswith("bad_reply"), outcome
    assert "redirects" in outcome
    assert grown < FREE


@pytest.mark.parametrize("call", ["picture", "download"])
def test_the_bodies_of_redirects_are_not_read(call: str) -> None:
    grown, outcome = _spent(_redirect, call)
    assert "too many redirects" in outcome
    assert grown < FREE


@pytest.mark.parametrize(("coding", "bits"), [("gzip", 31), ("deflate", 15)])
@pytest.mark.parametrize(
    ("call", "limit"),
    [("get", FREE), ("submit", FREE), ("picture", PICTURE), ("download", FREE)],
)
def test_a_decompression_bomb_is_never_fully_unpacked(
    call: str, limit: int, coding: str, bits: int
) -> None:
    grown, outcome = _spent(_bomb(coding, bits), call)
    assert "larger than" in outcome, outcome
    assert grown < limit


def _json(*pieces: bytes, times: int = 1) -> Act:
    return _megabytes(f"{OK}Connection: close\r\n\r\n", b"".join(pieces), times)


def test_only_a_part_of_a_long_answer_without_long_texts_is_kept() -> None:
    blanks = _megabytes(f"{OK}Connection: close\r\n\r\n", b" " * MB, HUGE)
    grown, outcome = _spent(blanks, "poll")
    assert "larger than 16 MB" in outcome
    assert grown < POLL


MANY = b"[" + b"{}," * (31 * MB // 3) + b"{}]"
SHAPES: dict[str, tuple[bytes, str, str, int]] = {
    "31 MB of {} for a free call": (MANY, "get", "bad_reply", FREE),
    "31 MB of {} for an order": (MANY, "order", "NoneType", ORDER),
    "1 MB of {}": (b"[" + b"{}," * (MAX_REPLY // 3 - 9) + b"{}]", "get", "NoneType", FREE),
    "1 MB of numbers": (b"[" + b"1," * (MAX_REPLY // 2 - 9) + b"1]", "get", "NoneType", FREE),
    "1 MB of [": (b"[" * (MAX_REPLY - 9), "get", "NoneType", FREE),
    "90 kB of [": (b"[" * 90_000 + b"]" * 90_000, "get", "NoneType", FREE),
    "90 000 objects in objects": (
        b'{"a":' * 90_000 + b"1" + b"}" * 90_000,
        "get",
        "NoneType",
        FREE,
    ),
    "a number of a megabyte": (b"1" * (MAX_REPLY - 9), "get", "NoneType", FREE),
    "1 MB of one text": (b'"' + b"a" * (MAX_REPLY - 9) + b'"', "get", "str", FREE),
    "half of a character": (b'{"a": "\\ud83d"}', "get", "dict", FREE),
}


@pytest.mark.parametrize("name", SHAPES)
def test_json_of_any_shape_costs_little(name: str) -> None:
    body, call, outcome, limit = SHAPES[name]
    grown, came = _spent(_json(body), call)
    assert came.startswith(outcome), came
    assert grown < limit


def test_usual_service_answers_are_decoded() -> None:
    rows = [{"id": number, "name": f"task {number}"} for number in range(MOST_VALUES // 4)]
    assert reply_of(200, {}, bytearray(json.dumps(rows).encode())).json == rows


def test_the_limits_match_the_manual() -> None:
    assert (MAX_REPLY, FREE_LIMIT) == (MB, 90.0)
