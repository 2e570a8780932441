# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers requests of a fake service, with faults on demand."""

from __future__ import annotations

import abc
import json
import re
import urllib.parse
from typing import Any

from . import loopback
from .scenario_state import Fault, Seen


class Refused(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class FaultyHandler(loopback.Handler, abc.ABC):
    """Keeps each request in the `requests` of `fake`, whose `faults` come before any answer."""

    fake: Any
    host: str
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _take(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen = Seen(self.host, self.command, url.path, query, headers, body)
        self.fake.requests.append(self.seen)
        fault = self._fault()
        if fault and fault.drop != "after":
            return self._drop() if fault.drop else self._send(fault.status, fault.body, fault)
        try:
            status, answer = self._answer()
        except Refused as refused:
            status, answer = refused.status, refused.body
        return self._drop() if fault else self._send(status, answer)

    do_GET = do_POST = do_PUT = _take  # noqa: N815 - the names that http.server calls

    def _fault(self) -> Fault | None:
        faults: list[Fault] = self.fake.faults
        for fault in faults:
            hit = fault.method == self.command and re.fullmatch(fault.path, self.seen.path)
            if hit and fault.times:
                fault.times -= 1
                return fault
        return None

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _send(self, status: int, answer: Any, fault: Fault | None = None) -> None:
        plain = isinstance(answer, bytes | str)
        data = answer.encode() if isinstance(answer, str) else answer
        data = data if plain else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (fault.headers if fault else {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html" if plain else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    @abc.abstractmethod
    def _answer(self) -> tuple[int, Any]:
        """Return the status and body that answer the request in `seen`; may raise Refused."""
