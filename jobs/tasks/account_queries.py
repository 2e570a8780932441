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
    Request,
    Secret,
    Settings,
    get_provider,
)
from ..resources import open_http
from ..values import Failure


@dataclass(frozen=True)
class Enquiry:
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
class Answer:
    """What came back: an amount, None where the service names none, or why there is no answer."""

    amount: float | None = None
    unit: str = ""
    failure: Failure | None = None
    waiting: bool = False


class Enquiries:
    """The questions of this session and their answers."""

    def __init__(self) -> None:
        self._answers: dict[Enquiry, Answer] = {}
        self._lock = threading.Lock()

    def ask(self, enquiry: Enquiry) -> None:
        """Ask in the background, unless the same question is already under way."""
        with self._lock:
            if self._answers.get(enquiry, Answer()).waiting:
                return
            asked = self._answers[enquiry] = Answer(waiting=True)
        threading.Thread(target=self._run, args=(enquiry, asked), daemon=True).start()

    def answer(self, enquiry: Enquiry) -> Answer | None:
        """Return what is known by now, or None if it was never asked."""
        return self._answers.get(enquiry)

    def forget(self, *providers: str) -> None:
        """Forget what these providers answered, and what they still will: all without a name."""
        with self._lock:
            self._answers = {
                enquiry: answer
                for enquiry, answer in self._answers.items()
                if providers and enquiry.provider not in providers
            }

    def _run(self, enquiry: Enquiry, asked: Answer) -> None:
        try:
            answer = _answered(enquiry)
        except ImageToMeshError as error:
            failure = Failure(error.kind, error.message, error.hint, error.link)
            answer = Answer(failure=failure)
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the person
            kind, said = Failed.kind, f"{type(error).__name__}: {error}"
            answer = Answer(failure=Failure(kind, f"Something unexpected went wrong: {said}"))
        with self._lock:
            if self._answers.get(enquiry) is asked:
                self._answers[enquiry] = answer


def _answered(enquiry: Enquiry) -> Answer:
    provider = get_provider(enquiry.provider)
    http = open_http(provider, enquiry.keys, enquiry.base_url, online=enquiry.online)
    try:
        said: Balance | Cost | None
        if enquiry.settings is None:
            said = provider.balance(http)
        else:
            said = provider.quote(Request(enquiry.settings, ()), http)
    finally:
        http.close()
    return Answer(said.amount, said.unit) if said else Answer()
