# SPDX-License-Identifier: GPL-3.0-or-later
"""Free queries to a service: off the main thread, errors as values, nothing ordered."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fakes.service import KEY, Service

from image_to_mesh.jobs.tasks.account_queries import AccountAnswer, AccountQueries, AccountQuery
from image_to_mesh.providers import Provider, Secret


def ask_account(service: Service, key: str = KEY, **how: Any) -> AccountAnswer:
    """Ask for the balance and return the answer."""
    account_queries = AccountQueries()
    keys = {"rehearsal_api_key": Secret(key)}
    question = AccountQuery("rehearsal", keys=keys, base_url=service.url, **how)
    assert account_queries.answer(question) is None
    account_queries.ask(question)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        answer = account_queries.answer(question)
        if answer is not None and not answer.waiting:
            return answer
        time.sleep(0.01)
    raise AssertionError("no answer")


def test_a_key_is_tested_by_its_balance(rehearsal: Provider[Any], service: Service) -> None:
    assert ask_account(service) == AccountAnswer(42.0, "Credits")
    assert service.submits == []


def test_a_refused_key_is_returned_as_a_value(rehearsal: Provider[Any], service: Service) -> None:
    answer = ask_account(service, "wrong-key-4711")
    assert answer.failure is not None
    assert answer.failure.kind == "bad_key"
    assert answer.failure.link == rehearsal.key_url
    assert "4711" not in repr(answer)


def test_a_service_without_quotes_answers_without_an_amount(
    rehearsal: Provider[Any], service: Service
) -> None:
    assert ask_account(service, settings=rehearsal.settings()) == AccountAnswer()
    assert service.requests == []


def test_the_same_question_is_asked_once_at_a_time(
    rehearsal: Provider[Any], service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_queries = AccountQueries()
    keys = {"rehearsal_api_key": Secret(KEY)}
    question = AccountQuery("rehearsal", keys=keys, base_url=service.url)
    service.errors = [503, 503]
    for _ in range(5):
        account_queries.ask(question)
    while (answer := account_queries.answer(question)) is not None and answer.waiting:
        time.sleep(0.01)
    assert service.calls("GET", "/balance") == 3
    assert hash(question) == hash(AccountQuery("rehearsal", base_url=service.url))


def test_a_cleared_answer_does_not_come_back(rehearsal: Provider[Any], service: Service) -> None:
    account_queries = AccountQueries()
    keys = {"rehearsal_api_key": Secret(KEY)}
    question = AccountQuery("rehearsal", keys=keys, base_url=service.url)
    account_queries.ask(question)
    account_queries.forget("another")
    assert account_queries.answer(question) is not None
    account_queries.forget("rehearsal")
    until = time.monotonic() + 10
    while not service.requests and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.2)
    assert account_queries.answer(question) is None
