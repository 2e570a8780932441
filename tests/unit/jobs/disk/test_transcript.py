# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams are opened once, later calls are sent once, and both survive what interrupts them."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fakes.running import wait_until

from image_to_mesh.jobs.disk import transcript
from image_to_mesh.jobs.disk.plain_files import write_whole
from image_to_mesh.jobs.disk.transcript import JobTranscript
from image_to_mesh.providers import (
    BadKey,
    BadReply,
    ImageToMeshError,
    InvalidSettings,
    RateLimited,
    Sent,
    Uncertain,
    Unreachable,
)
from image_to_mesh.providers._shared.servers.event_stream import (
    Events,
    Followed,
    read_events,
)


def end_of(kept: JobTranscript, name: str, events: Any) -> Followed:
    """Follow a stream to its end."""
    until = time.monotonic() + 5.0
    while (followed := kept.follow(name, events)).is_open:
        assert time.monotonic() < until
        time.sleep(0.01)
    return followed


def no_events() -> Events:
    """Return a stream that ends at once."""
    yield from ()


def forget_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the streams that this process reads, as a later process would."""
    monkeypatch.setattr(transcript, "_readers", {})


def test_a_stream_is_opened_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def events() -> Events:
        opened.append(1)
        yield from ({"msg": "a"}, {"msg": "b"})

    first = end_of(JobTranscript(tmp_path), "s", events)
    forget_process(monkeypatch)
    assert first == end_of(JobTranscript(tmp_path), "s", events)
    assert first == Followed(({"msg": "a"}, {"msg": "b"}), is_open=False)
    assert len(opened) == 1


def test_messages_are_there_before_the_end(tmp_path: Path) -> None:
    more = threading.Event()

    def events() -> Events:
        yield 1
        more.wait(5.0)
        yield 2

    kept = JobTranscript(tmp_path)
    kept.follow("s", events)
    wait_until(lambda: kept.follow("s", events).messages == (1,), 5.0)
    # Another job's thread, such as that of the resumed job, gets the same stream.
    assert JobTranscript(tmp_path).follow("s", events) == Followed((1,), is_open=True)
    more.set()
    assert end_of(kept, "s", events).messages == (1, 2)


def test_a_stream_that_a_process_took_with_it_is_not_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more, opened = threading.Event(), []

    def events() -> Events:
        opened.append(1)
        more.wait(5.0)
        yield from ()

    JobTranscript(tmp_path).follow("s", events)
    readers = dict(transcript._readers)
    forget_process(monkeypatch)
    followed = JobTranscript(tmp_path).follow("s", events)
    assert followed == Followed((), is_open=False, reason=transcript.CUT_OFF)
    more.set()
    for reader in readers.values():
        reader.thread.join(5.0)
    assert len(opened) == 1


def test_a_stream_that_was_not_opened_is_tried_again(tmp_path: Path) -> None:
    attempts = []

    def events() -> Events:
        attempts.append(1)
        if len(attempts) == 1:
            error = Unreachable("No connection.")
            error.sent = Sent.NO
            raise error
        yield "here"

    kept = JobTranscript(tmp_path)
    with pytest.raises(Unreachable, match="No connection"):
        end_of(kept, "s", events)
    assert end_of(kept, "s", events).messages == ("here",)


@pytest.mark.parametrize("sent", [Sent.MAYBE, Sent.YES, None])
def test_a_stream_that_breaks_off_says_why(tmp_path: Path, sent: Sent | None) -> None:
    def events() -> Events:
        error = Unreachable("The connection was lost.")
        error.sent = sent
        yield from ()
        raise error

    followed = end_of(JobTranscript(tmp_path), "s", events)
    assert followed == Followed((), is_open=False, reason="The connection was lost.")


def test_an_unexpected_error_ends_a_stream(tmp_path: Path) -> None:
    def events() -> Events:
        yield 1
        raise ZeroDivisionError("by zero")

    assert "ZeroDivisionError" in end_of(JobTranscript(tmp_path), "s", events).reason


def test_what_has_arrived_survives_a_killed_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transcript, "SAVE_INTERVAL", 0.0)
    more = threading.Event()

    def events() -> Events:
        yield "result"
        more.wait(5.0)

    kept = JobTranscript(tmp_path)
    wait_until(lambda: kept.follow("s", events).messages == ("result",), 5.0)
    wait_until(lambda: b"result" in (tmp_path / ".stream-s.json").read_bytes(), 5.0)
    readers = dict(transcript._readers)
    forget_process(monkeypatch)
    followed = JobTranscript(tmp_path).follow("s", events)
    assert followed == Followed(("result",), is_open=False, reason=transcript.CUT_OFF)
    more.set()
    for reader in readers.values():
        reader.thread.join(5.0)


def test_a_stream_is_kept_as_long_as_a_later_process_can_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = []

    def events() -> Events:
        for number in range(120):
            brought.append(number)
            yield {"msg": "estimation", "extra": ["ä" * 1000] * 1900}

    kept = JobTranscript(tmp_path)
    first = end_of(kept, "s", events)
    assert "too many messages" in first.reason
    assert 5 < len(first.messages) < len(brought) < 12
    assert (tmp_path / ".stream-s.json").stat().st_size <= transcript.LARGEST
    forget_process(monkeypatch)
    assert JobTranscript(tmp_path).follow("s", events) == first


def test_too_many_messages_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "MOST_MESSAGES", 3)
    followed = end_of(JobTranscript(tmp_path), "s", lambda: (number for number in range(9)))
    assert followed.messages == (0, 1, 2)
    assert "too many messages" in followed.reason


def test_a_stream_that_nobody_waits_for_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = threading.Event()

    def endless() -> Events:
        try:
            while True:
                time.sleep(0.01)
                yield None
        finally:
            closed.set()

    kept, other = JobTranscript(tmp_path), JobTranscript(tmp_path / "other")
    assert kept.follow("s", endless) == Followed((), is_open=True)
    thread = transcript._readers[tmp_path / ".stream-s.json"].thread
    other.stop()
    assert not closed.wait(0.1), "another job's stream goes on"
    kept.stop()
    assert closed.wait(5.0)
    thread.join(5.0)
    followed = kept.follow("s", endless)
    assert followed == Followed((), is_open=False, reason=transcript.STOPPED)


def test_on_a_full_disk_the_process_still_has_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        if data != b"{}":
            raise OSError(28, "No space left on device")
        write_whole(path, data)

    monkeypatch.setattr(transcript, "write_whole", full)
    kept = JobTranscript(tmp_path)
    for _ in range(2):
        assert end_of(kept, "s", no_events) == Followed((), is_open=False)


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"messages": 5, "is_over": true}'])
def test_a_damaged_file_is_a_lost_stream(tmp_path: Path, data: bytes) -> None:
    (tmp_path / ".stream-s.json").write_bytes(data)
    assert JobTranscript(tmp_path).follow("s", no_events).messages == ()


def test_a_call_is_sent_once(tmp_path: Path) -> None:
    sent: list[int] = []

    def send() -> dict[str, int]:
        sent.append(1)
        return {"event": len(sent)}

    for _ in range(3):
        assert JobTranscript(tmp_path).once("2", send) == {"event": 1}
    assert JobTranscript(tmp_path).answer("2") == {"event": 1}
    assert JobTranscript(tmp_path).answer("3") is None
    assert json.loads((tmp_path / ".call-2.json").read_text()) == {"answer": {"event": 1}}


def test_a_call_without_an_answer_is_not_repeated(tmp_path: Path) -> None:
    sent = []

    def send() -> None:
        sent.append(1)
        raise Uncertain("No answer.")

    for message in ("No answer", "unknown whether the service received"):
        with pytest.raises(Uncertain, match=message):
            JobTranscript(tmp_path).once("2", send)
    assert len(sent) == 1


@pytest.mark.parametrize("sent", [Sent.YES, Sent.MAYBE, None])
def test_a_call_with_an_odd_answer_is_not_repeated(tmp_path: Path, sent: Sent | None) -> None:
    calls = []

    def send() -> None:
        calls.append(1)
        error = BadReply("The app returned no ID.")
        error.sent = sent
        raise error

    for message in ("returned no ID", "unknown whether the service received"):
        with pytest.raises(Uncertain, match=message):
            JobTranscript(tmp_path).once("2", send)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        *((RateLimited, None), (BadKey, None), (InvalidSettings, Sent.YES)),
        *((Unreachable, Sent.NO), (BadReply, Sent.NO)),
    ],
)
def test_a_refused_call_is_sent_again(
    tmp_path: Path, kind: type[ImageToMeshError], sent: Sent | None
) -> None:
    calls: list[int] = []

    def send() -> str:
        calls.append(1)
        if len(calls) == 1:
            error = kind("Full.")
            error.sent = sent
            raise error
        return "here"

    with pytest.raises(kind):
        JobTranscript(tmp_path).once("2", send)
    assert JobTranscript(tmp_path).once("2", send) == "here"


def test_two_threads_send_a_call_once(tmp_path: Path) -> None:
    entered, go, answers = threading.Event(), threading.Event(), []

    def send() -> str:
        entered.set()
        go.wait(5.0)
        return "here"

    def ask() -> None:
        answers.append(JobTranscript(tmp_path).once("2", send))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    threads[0].start()
    entered.wait(5.0)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(5.0)
    assert answers == ["here", "here"]


# -- the events of a stream ------------------------------------------------------------------------


def parse(body: bytes, size: int = 7) -> list[Any]:
    """Return the events of a body that arrives in pieces."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    events = read_events(pieces, lambda text: text.replace("hf_secret", "…"))
    return [event for event in events if event is not None]


def test_events_are_read_from_pieces() -> None:
    body = b'data: {"a": 1}\n\n: comment\r\ndata:{"b": [2]}\r\n\r\nevent: x\ndata: no json\n\n'
    assert parse(body) == parse(body, 1000) == [{"a": 1}, {"b": [2]}]


def test_an_event_without_its_end_is_dropped() -> None:
    assert parse(b'data: {"a": 1}\n\ndata: {"b"') == [{"a": 1}]


def test_secrets_and_long_texts_do_not_get_into_events() -> None:
    body = b'data: {"a": "hf_secret", "b": "' + b"x" * 100_000 + b'"}\n'
    (event,) = parse(body, 10_000)
    assert event["a"] == "…"
    assert len(event["b"]) < 200


def test_an_event_of_too_many_values_is_dropped() -> None:
    assert parse(b"data: [" + b"1," * 200_000 + b"1]\ndata: 5\n", 4096) == [5]
