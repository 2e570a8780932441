# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads settings that only a server knows, on a thread, when the user asks for them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...providers import (
    Failed,
    ImageToMeshError,
    Message,
    Request,
    Secret,
    Settings,
    get_provider,
)
from ...providers._shared.server_settings import SettingList, usable_rows
from ..library.live_record import now
from ..resources import open_http
from ..values import Failure
from .other_server import with_other_provider


@dataclass(frozen=True)
class SettingsQuery:
    """A query for the settings of the server at `base_url`.

    `settings` are the declared ones, and `files` the contents of the files that they name. Queries
    are equal if they ask the same server about the same: `key` is the provider's
    `server_settings_key`.
    """

    provider: str
    key: str
    base_url: str
    settings: Settings = field(compare=False)
    files: Mapping[str, bytes] = field(default_factory=dict, compare=False)
    keys: Mapping[str, Secret] = field(default_factory=dict, compare=False)
    online: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class SettingsAnswer:
    """The answer to a query: what the server said, or a failure; neither while it is pending."""

    found: SettingList | None = None
    failure: Failure | None = None

    @property
    def is_pending(self) -> bool:
        """Whether the server has not answered yet."""
        return self.found is None and self.failure is None


def read_server_settings(query: SettingsQuery) -> SettingList:
    """Return the settings that a server has now; free.

    Raises ImageToMeshError if it cannot be reached, or answers otherwise than it should.
    """
    provider = get_provider(query.provider)
    http = open_http(provider, query.keys, query.base_url, online=query.online)
    try:
        request = Request(query.settings, (), query.files)
        rows, unusable = usable_rows(
            provider.settings, provider.read_server_settings(request, http)
        )
    finally:
        http.close()
    return SettingList(rows, query.base_url, now(), query.key, unusable)


class ServerSettings:
    """This session's queries for settings of servers, and their answers."""

    def __init__(self) -> None:
        self._answers: dict[SettingsQuery, SettingsAnswer] = {}
        self._threads: dict[SettingsQuery, threading.Thread] = {}

    def ask(self, query: SettingsQuery) -> None:
        """Start a query on a thread, unless the same one is already pending."""
        last = self._answers.get(query)
        if last is not None and last.is_pending:
            return
        self._answers[query] = SettingsAnswer()
        # A daemon: a server that does not answer must not keep Blender from quitting.
        thread = threading.Thread(target=self._run, args=(query,), daemon=True)
        self._threads[query] = thread
        thread.start()

    def answer(self, query: SettingsQuery) -> SettingsAnswer | None:
        """Return the latest answer, which may be pending; None if the query was never started."""
        return self._answers.get(query)

    def wait(self, query: SettingsQuery, seconds: float) -> SettingsAnswer | None:
        """Wait at most `seconds` for the answer, and return it as it is then."""
        if query in self._threads:
            self._threads[query].join(seconds)
        return self.answer(query)

    def _run(self, query: SettingsQuery) -> None:
        try:
            answer = SettingsAnswer(read_server_settings(query))
        except ImageToMeshError as error:
            failure = Failure(error.kind, error.message, error.hint, error.link)
            provider = get_provider(query.provider)
            answer = SettingsAnswer(
                failure=with_other_provider(
                    failure, provider, query.keys, query.base_url, online=query.online
                )
            )
        except Exception as error:  # noqa: BLE001 - the thread's last resort; shown to the user
            reason = f"{type(error).__name__}: {error}"
            message = Message("Unexpected error: {error}", error=reason)
            answer = SettingsAnswer(failure=Failure(Failed.kind, message))
        self._answers[query] = answer


@functools.cache
def server_settings() -> ServerSettings:
    """Return the one collection of this process."""
    return ServerSettings()
