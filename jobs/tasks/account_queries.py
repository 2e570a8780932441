# SPDX-License-Identifier: GPL-3.0-or-later
"""Free questions to a service: what the account holds (which tests the key), what a job would cost.

They run on a thread of their own; the answer is a value that the panel and the preferences show.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ...providers import (
    Balance,
    Cost,
    Failed,
    ImageToMeshError,
    Message,
    Request,
    Secret,
    Settings,
    get_provider,
)
from ..resources import open_http
from ..values import Failure


@dataclass(frozen=True)
class AccountQuery:
    """A question: `settings` are set for a quote, and None for the balance."""

    provider: str
    settings: Settings | None = None
    keys: Mapping[str, Secret] = field(default_factory=dict, compare=False)
    base_url: str = ""
    online: bool = field(default=True, compare=False)

    @property
    def kind(self) -> Literal["balance", "quote"]:
        """What is asked for."""
        return "balance" if self.settings is None else "quote"

    def __hash__(self) -> int:
        return hash((self.provider, self.settings, self.base_url))


@dataclass(frozen=True, slots=True)
class AccountAnswer:
    """What came back: an amount, None where the service names none, or why there is no answer."""

    amount: float | None = None
    unit: str = ""
    failure: Failure | None = None
    waiting: bool = False


class AccountQueries:
    """The questions of this session and their answers."""

    def __init__(self) -> None:
        self._answers: dict[AccountQuery, AccountAnswer] = {}
        self._lock = threading.Lock()

    def ask(self, query: AccountQuery) -> None:
        """Ask in the background, unless the same question is already under way."""
        with self._lock:
            if self._answers.get(query, AccountAnswer()).waiting:
                return
            asked = self._answers[query] = AccountAnswer(waiting=True)
        threading.Thread(target=self._run, args=(query, asked), daemon=True).start()

    def answer(self, query: AccountQuery) -> AccountAnswer | None:
        """Return what is known by now, or None if it was never asked."""
        return self._answers.get(query)

    def forget(self, *providers: str) -> None:
        """Forget what these providers answered, and what they still will: all without a name."""
        with self._lock:
            self._answers = {
                query: answer
                for query, answer in self._answers.items()
                if providers and query.provider not in providers
            }

    def _run(self, query: AccountQuery, asked: AccountAnswer) -> None:
        try:
            answer = _answered(query)
        except ImageToMeshError as error:
            failure = Failure(error.kind, error.message, error.hint, error.link)
            answer = AccountAnswer(failure=failure)
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the person
            kind, said = Failed.kind, f"{type(error).__name__}: {error}"
            answer = AccountAnswer(
                failure=Failure(
                    kind, Message("Something unexpected went wrong: {error}", error=said)
                )
            )
        with self._lock:
            if self._answers.get(query) is asked:
                self._answers[query] = answer


def _answered(query: AccountQuery) -> AccountAnswer:
    provider = get_provider(query.provider)
    http = open_http(provider, query.keys, query.base_url, online=query.online)
    try:
        said: Balance | Cost | None
        if query.settings is None:
            said = provider.balance(http)
        else:
            said = provider.quote(Request(query.settings, ()), http)
    finally:
        http.close()
    return AccountAnswer(said.amount, said.unit) if said else AccountAnswer()
