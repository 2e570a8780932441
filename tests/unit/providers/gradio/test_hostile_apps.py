# SPDX-License-Identifier: GPL-3.0-or-later
"""Apps that send too much, or what no app would: nothing of it is kept, and nothing breaks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import gradio
from fakes.gradio import Gradio

from image_to_mesh.jobs.disk import transcript
from image_to_mesh.jobs.disk.transcript import JobTranscript
from image_to_mesh.jobs.resources import open_http
from image_to_mesh.jobs.steps.polling import next_pause
from image_to_mesh.providers import Progress, Sent, Ticket, Unreachable, get_provider
from image_to_mesh.providers._gradio import messages, progress
from image_to_mesh.providers._gradio.app import App, _functions
from image_to_mesh.providers._gradio.messages import worth_keeping
from image_to_mesh.providers._gradio.orders import MOST_BYTES, _encode_app
from image_to_mesh.providers._gradio.progress import leave_queue
from image_to_mesh.providers._shared.http import client, verdicts
from image_to_mesh.providers._shared.servers.event_stream import Events, read_events

HUGE = 10**400


def kept_of(*messages: Any) -> list[Any]:
    """Return what is kept of the messages about the call “e”."""

    def events() -> Events:
        yield from messages

    return [message for message in worth_keeping(events(), "e") if message is not None]


@pytest.mark.parametrize("kind", ["estimation", "process_starts", "progress"])
def test_reports_are_kept_rarely_and_only_with_what_is_read(kind: str) -> None:
    report = {
        "msg": kind,
        "extra": ["x" * 1000] * 3800,
        "rank_eta": HUGE,
        "progress_data": [{"index": 1, "length": 2, "desc": ["x"] * 1000}] * 1000,
    }
    kept = kept_of(*[report] * 120)
    assert len(kept) == 1
    assert len(json.dumps(kept)) < 100


def test_a_report_is_kept_again_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "REPORT_INTERVAL", 0.0)
    reports = [{"msg": "progress", "progress_data": [{"index": 1, "length": 4}]}] * 3
    states = [progress._progress_of(message, Progress("")) for message in kept_of(*reports)]
    assert [state.fraction for state in states] == [0.25] * 3


def test_an_end_is_kept_with_its_answer_alone() -> None:
    output = {"data": [{"path": "/tmp/a.glb"}], "error": None, "render_config": ["x"] * 1000}
    end = {"msg": "process_completed", "success": True, "output": output, "title": "x"}
    start = {"msg": "process_starts", "event_id": "e"}
    other = {"msg": "process_starts", "event_id": "of another call"}
    assert kept_of(5, {"msg": ["progress"]}, other, start, end, {"msg": "estimation"}) == [
        {"msg": "process_starts"},
        {"msg": "process_completed", "success": True,
         "output": {"data": [{"path": "/tmp/a.glb"}], "error": None}},
    ]  # fmt: skip


def test_an_error_of_a_whole_stream_is_kept() -> None:
    said = {"msg": "unexpected_error", "event_id": None, "message": "404: Not Found"}
    assert kept_of(said) == [{"msg": "unexpected_error", "message": "404: Not Found"}]


def test_the_reader_stops_although_an_app_sends_only_what_is_not_kept(tmp_path: Path) -> None:
    def heartbeats() -> Events:
        while True:
            time.sleep(0.01)
            yield {"msg": "heartbeat"}

    kept = JobTranscript(tmp_path)
    kept.follow("s", lambda: worth_keeping(heartbeats(), "e"))
    thread = transcript._readers[tmp_path / ".stream-s.json"].thread
    kept.stop()
    thread.join(5.0)
    assert not thread.is_alive()


def test_the_reader_stops_although_an_app_sends_no_message_at_all(tmp_path: Path) -> None:
    def comments() -> Iterator[bytes]:
        for _ in range(1000):
            time.sleep(0.01)
            yield b": nothing\n"

    def events() -> Events:
        yield from read_events(comments(), str)

    kept = JobTranscript(tmp_path)
    kept.follow("s", lambda: worth_keeping(events(), "e"))
    thread = transcript._readers[tmp_path / ".stream-s.json"].thread
    kept.stop()
    thread.join(5.0)
    assert not thread.is_alive()


def test_a_stream_has_an_overall_deadline() -> None:
    pieces = verdicts.pieces_until(time.monotonic() + 60.0, [b"a", b"b"])
    assert list(pieces) == [b"a", b"b"]
    with pytest.raises(Unreachable, match="did not end in time") as caught:
        list(verdicts.pieces_until(time.monotonic(), [b"a"]))
    assert caught.value.sent is Sent.YES


def test_the_streams_of_a_service_end_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "STREAM_LIMIT", 0.0)
    with gradio.serving(Gradio()) as app:
        http = open_http(get_provider("gradio"), {}, app.url, online=True)
        with pytest.raises(Unreachable):
            list(http.events("/config"))
        http.close()


class Elsewhere:
    """A connection to another server, which takes note of its calls."""

    address = "http://127.0.0.1:7861"

    def __init__(self, folder: Path) -> None:
        self.transcript = JobTranscript(folder)
        self.posts: list[str] = []

    def post(self, path: str, **_: Any) -> None:
        """Take note of a call."""
        self.posts.append(path)


@pytest.mark.parametrize(("port", "count"), [(7860, 0), (7861, 1)])
def test_only_the_server_with_the_order_is_asked_to_cancel(
    tmp_path: Path, port: int, count: int
) -> None:
    ticket = Ticket({"server": f"http://127.0.0.1:{port}", "event": "e", "session": "s",
                     "prefix": "", "steps": [{"number": 3}]})  # fmt: skip
    http = Elsewhere(tmp_path)
    leave_queue(ticket, http)  # type: ignore[arg-type]
    assert len(http.posts) == count


@pytest.mark.parametrize("wait", [HUGE, float("inf"), float("nan")])
def test_an_estimate_must_be_a_finite_number(wait: float) -> None:
    assert next_pause(Progress("Waiting", HUGE, wait), 0.0) == 1.0


def functions_of(*, inputs: Any = (1,), outputs: Any = (), **props: Any) -> list[Any]:
    """Return the functions of an app with one slider."""
    config = {
        "components": [{"id": 1, "type": "slider", "props": props}],
        "dependencies": [{"id": 0, "api_name": "f", "inputs": inputs, "outputs": outputs}],
    }
    endpoint = {"parameters": [{"parameter_name": "n"}]}
    return list(_functions(json.loads(json.dumps(config)), {"/f": endpoint}))


@pytest.mark.parametrize("odd", [float("inf"), float("nan"), HUGE, [], "0"])
def test_a_bound_must_be_a_finite_number(odd: Any) -> None:
    (function,) = functions_of(minimum=odd, maximum=odd, step=odd)
    (parameter,) = function.parameters
    assert (parameter.minimum, parameter.maximum, parameter.step) == (None, None, None)
    assert parameter.kind == "float"
    (function,) = functions_of(minimum=0, maximum=8, step=1)
    assert function.parameters[0].kind == "int"


@pytest.mark.parametrize("odd", [[[1]], [{}], [None], 5, {}])
def test_odd_ids_name_no_component(odd: Any) -> None:
    functions_of(inputs=odd)
    (function,) = functions_of(outputs=odd)
    assert set(function.outputs) <= {""}


def app_with(default: Any, *, calls: int = 1, inputs: int = 1, **props: Any) -> App:
    """Return an app whose functions all have the same component, which has this default."""
    config = {
        "components": [
            {"id": 1, "type": "image"},
            {"id": 2, "type": "textbox", "props": {"value": default, **props}},
        ],
        "dependencies": [
            {"id": call, "api_name": f"f{call}", "inputs": [1, *[2] * inputs], "outputs": []}
            for call in range(calls)
        ],
    }
    parameters = [{"parameter_name": f"p{number}"} for number in range(inputs + 1)]
    endpoints = {f"/f{call}": {"parameters": parameters} for call in range(calls)}
    functions = _functions(config, endpoints)
    return App("", "", {function.name: function for function in functions})


def deep(depth: int) -> Any:
    """Return a list in a list, this many times."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("odd", [[0] * 20_000, "x" * 20_000, deep(400), {"a": deep(400)}])
def test_a_default_that_is_too_large_is_not_kept(odd: Any) -> None:
    assert app_with(odd).functions["f0"].parameters[1].default is None
    assert _functions_with_default(odd) is None
    fits = [0, {"a": "x" * 5000}]
    assert app_with(fits).functions["f0"].parameters[1].default == fits


def _functions_with_default(default: Any) -> Any:
    endpoint = {"parameters": [{"parameter_name": "n", "parameter_has_default": True,
                                "parameter_default": default}]}  # fmt: skip
    config = {
        "components": [{"id": 1, "type": "slider"}],
        "dependencies": [{"id": 0, "api_name": "f", "inputs": [1], "outputs": []}],
    }
    (function,) = _functions(config, {"/f": endpoint})
    return function.parameters[0].default


def test_a_small_page_does_not_become_a_large_record() -> None:
    app = app_with("x" * 9000, calls=400, inputs=99, choices=["y" * 900] * 200)
    assert len(json.dumps(_encode_app(app))) <= MOST_BYTES + 1000
    small = app_with("x", calls=3, inputs=2)
    assert [row[0] for row in _encode_app(small)["functions"]] == ["f0", "f1", "f2"]


def test_a_component_is_read_once() -> None:
    app = app_with("", calls=2, inputs=2, choices=[["A", "a"], ["B", "b"], [deep(3), "c"]])
    used = [item for name in app.functions for item in app.functions[name].parameters[1:]]
    assert [choice.title for choice in used[0].choices] == ["A", "B", "c"]
    assert all(item.choices is used[0].choices for item in used)
