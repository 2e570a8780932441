# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that answer what no server would: nothing breaks, and nothing takes very long."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from image_to_mesh.providers import BadReply, Failed, Ticket
from image_to_mesh.providers._comfyui.calls import _ids_in
from image_to_mesh.providers._comfyui.tasks import _end_of, _messages_in
from image_to_mesh.providers._custom.answers import find_mesh, full_url
from image_to_mesh.providers._hunyuan3d.calls import MAX_HEADER, _is_bare
from image_to_mesh.providers._shared.http import transport
from image_to_mesh.providers._shared.http.reply import mesh_format
from image_to_mesh.providers._shared.http.transport import read_body
from image_to_mesh.providers._shared.servers.event_stream import read_events
from image_to_mesh.providers._shared.servers.long_strings import decode_field

HOME = "http://127.0.0.1:8000"
OBJ = b"# a mesh\nv 0 0 0\n"


@pytest.mark.parametrize("rows", [5, 0.5, True, "ab", {"a": 1}, [5, [], ["x"]], None])
def test_a_queue_without_a_list_of_orders_is_empty(rows: Any) -> None:
    assert _ids_in(rows) == []


@pytest.mark.parametrize("number", [10**400, float("nan"), "2", None])
def test_an_order_without_a_usable_number_counts_as_the_first(number: Any) -> None:
    assert _ids_in([[1, "b"], [number, "a"]]) == ["a", "b"]


@pytest.mark.parametrize("name", [["x"], {"x": 1}, 5, None])
def test_a_message_without_a_name_is_ignored(name: Any) -> None:
    messages = [[name, {}], ["execution_error", {"node_id": "3"}]]
    entry = {"status": {"messages": messages}}
    assert dict(_messages_in(entry)) == {"execution_error": {"node_id": "3"}}


@pytest.mark.parametrize("text", ["//[a/mesh.glb", "//[::1/mesh.glb", "http://[a/mesh.glb"])
def test_a_url_that_cannot_be_parsed_is_a_bad_answer(text: str) -> None:
    with pytest.raises(BadReply):
        full_url(text, HOME)
    with pytest.raises(BadReply):
        find_mesh({"mesh": text}, "mesh", HOME)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("mesh.glb", f"{HOME}/api/mesh.glb"),
        ("/mesh.glb?sign=A%2fb", f"{HOME}/mesh.glb?sign=A%2fb"),
        ("https://files.example/mesh.glb?X=%20a", "https://files.example/mesh.glb?X=%20a"),
        ("http://0.0.0.0:8000/mesh.glb", f"{HOME}/mesh.glb"),
    ],
)
def test_a_path_is_one_below_the_address(text: str, url: str) -> None:
    assert full_url(text, f"{HOME}/api") == url


def glb_of(header: bytes) -> bytearray:
    """Return a GLB file with this JSON."""
    size = len(header)
    return bytearray(struct.pack("<4sIII4s", b"glTF", 2, 20 + size, size, b"JSON") + header)


@pytest.mark.parametrize(
    ("header", "bare"),
    [
        (b'{"asset": {}}', True),
        (b'{"images": [{}]}', False),
        (b"[" * 100_000, False),
        (b'{"nodes": [' + b"{}," * 200_000 + b"{}]}", False),
        (b'{"a": "' + b"x" * MAX_HEADER + b'"}', False),
        (b"[]", False),
        (b"5", False),
    ],
)
def test_the_header_of_a_mesh_is_read_within_limits(header: bytes, bare: bool) -> None:
    assert _is_bare(glb_of(header)) is bare


class Answer:
    """The answer to a call, in pieces of one size."""

    status = 200

    def __init__(self, body: bytes, size: int) -> None:
        self.headers: dict[str, str] = {}
        self._body = body
        self._size = size

    def expect(self, limit: int) -> None:
        """Accept any limit."""

    def pieces(self, _size: int) -> Iterator[bytes]:
        """Yield the pieces."""
        for at in range(0, len(self._body), self._size):
            yield self._body[at : at + self._size]


def test_an_answer_in_tiny_pieces_is_judged_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []

    def judge(status: int, headers: Mapping[str, str], data: bytearray) -> str | None:
        judged.append(len(data))
        return mesh_format(status, headers, data)

    monkeypatch.setattr(transport, "mesh_format", judge)
    data = bytearray()
    read_body(Answer(b"# " + b"x" * 50_000, 1), data, 10**6, shorten=True)  # type: ignore[arg-type]
    assert len(data) == 50_002
    assert len(judged) < 20


def test_only_the_beginning_of_a_mesh_in_tiny_pieces_is_read() -> None:
    data = bytearray()
    read_body(Answer(OBJ * 3000, 1), data, 10**6, shorten=True)  # type: ignore[arg-type]
    assert data.startswith(OBJ.strip())
    assert len(data) < 100


def test_an_answer_without_its_field_can_be_stopped() -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b'{"other": "AAAA"}'
        raise AssertionError("the reader was not asked")

    found = decode_field(endless(), "model")
    assert [next(found) for _ in range(50)] == [b""] * 50


def test_a_line_of_a_stream_that_comes_byte_by_byte_takes_no_longer() -> None:
    began = time.thread_time()
    pieces = (b"x" * 16 for _ in range(32_000))
    assert set(read_events(pieces, str)) == {None}
    assert time.thread_time() - began < 3.0


def test_a_stream_is_read_alike_in_pieces_of_any_size() -> None:
    body = b"".join(b"data: " + json.dumps({"n": n}).encode() + b"\r\n\r\n" for n in range(20))
    for size in (1, 2, 7, 1000):
        pieces = (body[at : at + size] for at in range(0, len(body), size))
        events = [event for event in read_events(pieces, str) if event is not None]
        assert [event["n"] for event in events] == list(range(20))


def test_a_failed_order_says_so_among_odd_messages() -> None:
    entry = {"status": {"messages": [[[], {}], ["execution_error", {"exception_message": "x"}]]}}
    with pytest.raises(Failed):
        _end_of(Ticket({"task": "t", "order": "o"}), entry, None)  # type: ignore[arg-type]
