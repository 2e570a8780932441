# SPDX-License-Identifier: GPL-3.0-or-later
"""Free queries to a service: the account's balance, which also tests the key, quotes, and tests.

Each runs on its own thread; the panel and the preferences show the answers.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ...providers import (
    Balance,
    Cost,
    Failed,
    ImageToMeshError,
    Message,
    Request,
    Secret,
    Settings,
    all_providers,
    get_provider,
)
from ..resources import open_http
from ..values import Failure
from .other_server import with_other_provider


@dataclass(frozen=True)
class AccountQuery:
    """A query for a quote, or for the balance if `settings` is None.

    With `tests`, the settings are tested at the user's own server instead. Queries are equal if
    their kinds, providers, settings, and addresses are equal; keys do not matter.
    """

    provider: str
    settings: Settings | None = None
    keys: Mapping[str, Secret] = field(default_factory=dict, compare=False)
    base_url: str = ""
    online: bool = field(default=True, compare=False)
    tests: bool = False

    def __hash__(self) -> int:
        return hash((self.provider, self.settings, self.base_url))


@dataclass(frozen=True, slots=True)
class AccountAnswer:
    """The answer to a query: an amount, or a failure.

    `amount`, in `unit`, is None if the service states no amount. `note` is the sentence that a test
    ends with. `waiting`: the answer is pending; until it arrives, `amount` is the previous one.
    """

    amount: float | None = None
    unit: str = ""
    failure: Failure | None = None
    waiting: bool = False
    note: str = ""


class AccountQueries:
    """This session's queries and their answers."""

    def __init__(self) -> None:
        self._answers: dict[AccountQuery, AccountAnswer] = {}
        # An answer must not be stored after `forget`: the key may have changed meanwhile.
        self._lock = threading.Lock()

    def ask(self, query: AccountQuery) -> None:
        """Start a query on a thread, unless the same one is already pending."""
        with self._lock:
            last = self._answers.get(query, AccountAnswer())
            if last.waiting:
                return
            # The last amount stays meanwhile, or the balance would disappear after each job.
            asked = self._answers[query] = replace(last, failure=None, waiting=True)
        # On a thread, because a service may take seconds to answer, and this is the main thread.
        threading.Thread(target=self._run, args=(query, asked), daemon=True).start()

    def answer(self, query: AccountQuery) -> AccountAnswer | None:
        """Return the latest answer, which may be pending; None if the query was never started."""
        return self._answers.get(query)

    def forget(self, *providers: str) -> None:
        """Discard the answers of these providers, including pending ones; without names, all."""
        with self._lock:
            self._answers = {
                query: answer
                for query, answer in self._answers.items()
                if providers and query.provider not in providers
            }

    def _run(self, query: AccountQuery, asked: AccountAnswer) -> None:
        try:
            answer = _query(query)
        except ImageToMeshError as error:
            answer = AccountAnswer(failure=_failure_of(query, error))
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the user
            kind, reason = Failed.kind, f"{type(error).__name__}: {error}"
            answer = AccountAnswer(
                failure=Failure(kind, Message("Unexpected error: {error}", error=reason))
            )
        with self._lock:
            # Not after `forget`, or if the same query was started again meanwhile.
            if self._answers.get(query) is asked:
                self._answers[query] = answer


def _failure_of(query: AccountQuery, error: ImageToMeshError) -> Failure:
    failure = Failure(error.kind, error.message, error.hint, error.link)
    provider = all_providers().get(query.provider)
    if provider is None:  # which the error says
        return failure
    return with_other_provider(failure, provider, query.keys, query.base_url, online=query.online)


def _query(query: AccountQuery) -> AccountAnswer:
    provider = get_provider(query.provider)
    http = open_http(provider, query.keys, query.base_url, online=query.online)
    try:
        reply: Balance | Cost | None
        if query.tests and query.settings is not None:
            return AccountAnswer(note=provider.check_server(query.settings, http))
        if query.settings is None:
            reply = provider.balance(http)
        else:
            reply = provider.quote(Request(query.settings, ()), http)
    finally:
        http.close()
    return AccountAnswer(reply.amount, reply.unit) if reply else AccountAnswer()
