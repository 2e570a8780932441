# SPDX-License-Identifier: GPL-3.0-or-later
"""Undocumented answers to orders: none counts as a refusal, and none crashes the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fakes.aiml_cases import end_of
from fakes.lines import Line, answering

from image_to_mesh.cli.exit_codes import exit_code_for
from image_to_mesh.jobs import JobSpec, Library, PictureSource, Session, State
from image_to_mesh.providers import (
    BadReply,
    InvalidSettings,
    NoCredits,
    Progress,
    Secret,
    Ticket,
    Uncertain,
    get_provider,
    tripo,
    tripo_v2,
)
from image_to_mesh.providers._aiml.errors import Order
from image_to_mesh.providers._aiml.replies import read_answer
from image_to_mesh.providers._scenario.replies import parse_job_id, quoted_cost
from image_to_mesh.providers._shared.http import client
from image_to_mesh.providers._shared.http.reply import Reply, reply_of
from image_to_mesh.providers._tripo import replies as tripo_answers
from image_to_mesh.providers._tripo.errors import Api

NUMBERS = ("\u00b2", "--5", "9" * 5000, "success", 99_999, True, [0])
"""Values in place of a number: some parser accepts most of them."""
IDS = ("", ".", "..", "x" * 600)


@pytest.mark.parametrize("api", [tripo.API, tripo_v2.API], ids=["v3", "v2"])
@pytest.mark.parametrize("code", NUMBERS, ids=lambda code: str(code)[:8])
def test_an_undocumented_code_is_not_a_verdict(api: Api, code: Any) -> None:
    body = {"code": code, "data": {"task_id": "t-1"}}
    with pytest.raises(Uncertain):
        tripo_answers.parse_submit(Reply(200, {}, "", body), api)


def test_a_documented_code_is_a_verdict() -> None:
    with pytest.raises(NoCredits):
        tripo_answers.parse_submit(Reply(200, {}, "", {"code": "2010"}), tripo.API)


@pytest.mark.parametrize("task", IDS, ids=lambda task: task[:3])
def test_an_id_that_cannot_be_polled_is_not_a_ticket(task: str) -> None:
    with pytest.raises(BadReply):
        tripo_answers.parse_submit(
            Reply(200, {}, "", {"code": 0, "data": {"task_id": task}}), tripo.API
        )
    with pytest.raises(BadReply):
        parse_job_id(Reply(200, {}, "", {"job": {"jobId": task}}), InvalidSettings)


@pytest.mark.parametrize("job", [True, {"a": 1}, ["j"], 1.5])
def test_a_job_is_named_by_a_text_or_a_number(job: Any) -> None:
    with pytest.raises(BadReply):
        parse_job_id(Reply(200, {}, "", {"job": {"jobId": job}}), InvalidSettings)
    assert parse_job_id(Reply(200, {}, "", {"job": {"jobId": 5}}), InvalidSettings) == "5"


@pytest.mark.parametrize("cost", [True, float("inf"), float("nan"), 10**400, "5"])
def test_an_invalid_price_is_not_kept(cost: Any) -> None:
    assert quoted_cost(Reply(200, {}, "", {"creativeUnitsCost": cost})) is None
    assert quoted_cost(Reply(200, {}, "", {"creativeUnitsCost": 12.5})) == 12.5


@pytest.mark.parametrize("progress", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_invalid_progress_is_not_shown(progress: str) -> None:
    text = f'{{"code": 0, "data": {{"status": "running", "progress": {progress}}}}}'
    reply = reply_of(200, {"content-type": "application/json"}, bytearray(text.encode()))
    state = tripo_answers.task_state(reply, Ticket({"task": "t-1"}), tripo.API)
    assert isinstance(state, Progress)
    assert state.fraction is None or 0 <= state.fraction <= 1


@pytest.mark.parametrize("status", NUMBERS, ids=lambda status: str(status)[:8])
def test_a_mesh_is_not_lost_over_an_odd_status(status: Any) -> None:
    url = "https://files.example/mesh.glb"
    body = {"model_mesh": {"url": url}, "statusCode": status}
    assert read_answer(Reply(200, {}, "", body), Order("triposr", False, "t")).data["url"] == url


@pytest.mark.parametrize(("status", "state", "code"), [
    (429, State.QUEUED, 5),
    (401, State.FAILED, 3),
    (402, State.FAILED, 4),
])  # fmt: skip
def test_a_refusal_whose_body_breaks_off_is_not_uncertain(
    running: Session, tmp_path: Path, png: bytes, monkeypatch: pytest.MonkeyPatch,
    status: int, state: State, code: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(client, "delay", lambda *_: 0.0)

    def act(line: Line) -> None:
        line.read()
        line.send(f"HTTP/1.1 {status} No\r\nContent-Length: 99\r\n\r\nbecause")

    with answering(act) as server:
        spec = JobSpec(
            provider="aiml_triposr",
            settings=get_provider("aiml_triposr").settings(),
            pictures=(PictureSource("cup", "front", lambda: png),),
            library=tmp_path,
            keys={"aiml_api_key": Secret("a-key-that-nobody-sees")},
            base_url=server.url,
        )
        view = end_of(running, running.start(spec))
        running.join(5.0)
    record = Library(tmp_path).load(view.job)
    assert (record.state, exit_code_for(view.failure, record)) == (state, code)
