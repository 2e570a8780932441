# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in JSON: read in pieces of any size, the same as when read at once."""

from __future__ import annotations

import base64
import json
import random
import tracemalloc
from collections.abc import Iterator

import pytest

from image_to_mesh.providers._shared.servers.long_strings import (
    LONG,
    decode_field,
    file_start,
    shorten_strings,
)

FILE = random.Random(5).randbytes(3 * LONG + 1)
TEXT = base64.b64encode(FILE).decode()
ODD = {'a"b\\': 'c"\\', "model": TEXT, "n": [1, "\\\\", {"x": "é" * 20}], "empty": ""}


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """Yield pieces of a size."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096, 10**9])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_only_long_strings_are_shortened(size: int, ascii_only: bool) -> None:
    data = json.dumps(ODD, ensure_ascii=ascii_only).encode()
    short = json.loads(b"".join(shorten_strings(cut(data, size))))
    assert {name: value for name, value in short.items() if name != "model"} == {
        name: value for name, value in ODD.items() if name != "model"
    }
    assert short["model"] == f"{TEXT[:64]}…{len(TEXT)}…{TEXT[-4:]}"
    assert file_start(short["model"]) == (FILE[:48], len(FILE))


def test_a_broken_answer_stays_broken() -> None:
    assert b"".join(shorten_strings([b'{"a": "b'])) == b'{"a": "b'


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100])
def test_a_short_file_is_returned_as_it_is(count: int) -> None:
    data = FILE[:count]
    assert file_start(base64.b64encode(data).decode()) == (data, count)


@pytest.mark.parametrize("text", ["no base64!", "ä", "abc"])
def test_text_that_is_no_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        file_start(text)


@pytest.mark.parametrize("size", [1, 2, 5, 1000, 10**9])
def test_a_file_is_taken_out_of_its_field(size: int) -> None:
    body = json.dumps({"status": "model", **ODD, "last": TEXT[:8]}).encode()
    assert b"".join(decode_field(cut(body, size), "model")) == FILE
    escaped = body.replace(b"/", b"\\/")
    assert b"".join(decode_field(cut(escaped, size), "model")) == FILE


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "missing"),
        (b'{"other": "AAAA"}', "missing"),
        (b'{"model": null}', "missing"),
        (b'{"model": "AAAA', "truncated"),
        (b'{"model": "AAAAA"}', "truncated"),
        (b'{"model": "AA!A"}', "not base64"),
        (b'{"model": "AAAA\\nAAA"}', "not base64"),
        (b'{"text": "a \\"model\\": \\"b"}', "missing"),
    ],
)
def test_a_field_without_a_file_is_an_error(body: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        list(decode_field(cut(body, 3), "model"))


def test_memory_does_not_grow_with_the_file() -> None:
    piece = base64.b64encode(bytes(768 * 1024))

    def body(count: int) -> Iterator[bytes]:
        yield b'{"status": "completed", "model": "'
        for _ in range(count):
            yield piece
        yield b'"}'

    def peak_of(count: int) -> int:
        tracemalloc.start()
        try:
            assert sum(map(len, decode_field(body(count), "model"))) == count * 768 * 1024
            assert sum(map(len, shorten_strings(body(count)))) < 10_000
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak_of(40) < 1.5 * peak_of(4)
