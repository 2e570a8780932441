# SPDX-License-Identifier: GPL-3.0-or-later
"""Free questions: answered in the background, with errors as values and nothing ordered."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fakes.service import KEY, Service

from image_to_mesh.jobs import Answer, Enquiries, Enquiry
from image_to_mesh.providers import Provider, Secret


def asked(service: Service, key: str = KEY, **how: Any) -> Answer:
    """Ask for the balance and return the answer."""
    enquiries = Enquiries()
    keys = {"rehearsal_api_key": Secret(key)}
    question = Enquiry("rehearsal", keys=keys, base_url=service.url, **how)
    assert enquiries.answer(question) is None
    enquiries.ask(question)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        answer = enquiries.answer(question)
        if answer is not None and not answer.waiting:
            return answer
        time.sleep(0.01)
    raise AssertionError("no answer")


def test_balance_is_the_test_of_a_key(rehearsal: Provider[Any], service: Service) -> None:
    assert asked(service) == Answer(42.0, "credits")
    assert service.submits == []


def test_refused_key_is_a_value(rehearsal: Provider[Any], service: Service) -> None:
    answer = asked(service, "wrong-key-4711")
    assert answer.failure is not None
    assert answer.failure.kind == "bad_key"
    assert answer.failure.link == rehearsal.key_url
    assert "4711" not in repr(answer)


def test_a_service_without_quotes_answers_without_an_amount(
    rehearsal: Provider[Any], service: Service
) -> None:
    assert asked(service, settings=rehearsal.settings()) == Answer()
    assert service.requests == []


def test_the_same_question_is_asked_once_at_a_time(
    rehearsal: Provider[Any], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    enquiries = Enquiries()
    keys = {"rehearsal_api_key": Secret(KEY)}
    question = Enquiry("rehearsal", keys=keys, base_url=service.url)
    service.errors = [503, 503]
    for _ in range(5):
        enquiries.ask(question)
    while (answer := enquiries.answer(question)) is not None and answer.waiting:
        time.sleep(0.01)
    assert service.calls("GET", "/balance") == 3
    assert hash(question) == hash(Enquiry("rehearsal", base_url=service.url))


def test_what_was_forgotten_does_not_come_back(rehearsal: Provider[Any], service: Service) -> None:
    enquiries = Enquiries()
    keys = {"rehearsal_api_key": Secret(KEY)}
    question = Enquiry("rehearsal", keys=keys, base_url=service.url)
    enquiries.ask(question)
    enquiries.forget("another")
    assert enquiries.answer(question) is not None
    enquiries.forget("rehearsal")
    until = time.monotonic() + 10
    while not service.requests and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.2)
    assert enquiries.answer(question) is None
