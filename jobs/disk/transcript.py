# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the streams and the later calls of an order in the job's folder, as they arrive.

A stream that can be opened once is read on a thread of its own, which outlives the job's: a job
that was put aside and resumed in the same process still gets all of it. After the process has
ended, only what was kept is left.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from ...providers import BadReply, ImageToMeshError, Message, Sent, Uncertain
from ...providers._shared.servers.event_stream import Events, Followed
from ...providers._shared.untrusted_text import json_bytes
from ..state_after_error import state_after
from ..values import State
from .plain_files import is_plain, read_plain, write_whole

log = logging.getLogger(__name__)

LARGEST = 32 * 1024 * 1024
"""Maximum bytes of a file of this module."""
MOST_BYTES = LARGEST - 64 * 1024
"""Bytes of a stream's messages, as JSON, after which reading stops; the rest is for its end."""
SAVE_INTERVAL = 5.0
"""Minimum seconds between two saves of a stream that goes on; its end is saved at once."""
MOST_MESSAGES = 10_000
"""Messages of a stream after which reading stops."""
CUT_OFF = "this program ended meanwhile"
STOPPED = "the job was canceled"
AGAIN = "Submit the job again, or discard it."

_lock = threading.Lock()
_readers: dict[Path, _Reader] = {}
"""The streams that are being read in this process, by their files."""
_locks: dict[Path, threading.Lock] = {}
"""A lock for each call: one that a job no longer waits for may still get its answer."""
_BETWEEN = b", "


class JobTranscript:
    """The transcript of one job; see `Transcript`. May be used by any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def once(self, name: str, send: Callable[[], Any]) -> Any:
        """Return the answer to a call that is made once; see `Transcript.once`."""
        path = self._file("call", name)
        with _lock:
            lock = _locks.setdefault(path, threading.Lock())
        with lock:
            if is_plain(path):
                return self._kept_answer(name)
            write_whole(path, b"{}")
            try:
                answer = send()
            except ImageToMeshError as error:
                if _is_refusal(error):
                    path.unlink(missing_ok=True)
                    raise
                if isinstance(error, Uncertain):
                    raise
                raise Uncertain(error.message, AGAIN) from error
            write_whole(path, json_bytes({"answer": answer}))
        return answer

    def _kept_answer(self, name: str) -> Any:
        kept = self.answer(name)
        if kept is None:  # guard: later-calls-are-sent-once
            raise Uncertain(
                "It is unknown whether the service received the last call of the job.", AGAIN
            )
        return kept

    def answer(self, name: str) -> Any:
        """Return the kept answer of a call; None if it has none."""
        return _load(self._file("call", name)).get("answer")

    def follow(self, name: str, events: Callable[[], Events]) -> Followed:
        """Return what the stream has brought; see `Transcript.follow`."""
        path = self._file("stream", name)
        with _lock:
            reader = _readers.get(path)
            if reader is None and not is_plain(path):
                # Before it is opened: a later process must know that it cannot be opened again.
                write_whole(path, b"{}")  # guard: streams-are-opened-once
                reader = _readers[path] = _Reader(path, events)
                reader.thread.start()
            if reader is None:
                return _as_followed(_load(path))
            if reader.is_done:
                del _readers[path]
            return reader.take()

    def stop(self) -> None:
        """Stop reading the job's streams; see `Transcript.stop`."""
        with _lock:
            for path in [path for path in _readers if path.parent == self._folder]:
                _readers.pop(path).is_stopped = True

    def _file(self, kind: str, name: str) -> Path:
        # Hidden, since nobody has to read them.
        return self._folder / f".{kind}-{name}.json"


class _Reader:
    """Reads one stream to its end, and keeps its messages in memory and in a file."""

    def __init__(self, path: Path, events: Callable[[], Events]) -> None:
        self._path = path
        self._events = events
        self._messages: list[Any] = []
        self._encoded: list[bytes] = []
        self._size = 0
        self._reason = ""
        self._unopened: ImageToMeshError | None = None
        self._is_over = False
        self.is_stopped = False
        """Whether nobody waits for the stream; it is closed with the next message of any kind."""
        self.is_done = False
        """Whether nothing more comes, and the file has all of it."""
        self.thread = threading.Thread(target=self._run, daemon=True)

    def take(self) -> Followed:
        """Return what has arrived. Raises the error of a stream that was not opened."""
        if self._unopened is not None:
            raise self._unopened
        is_over = self._is_over  # read first: what follows is then complete
        return Followed(tuple(self._messages), not is_over, self._reason if is_over else "")

    def _run(self) -> None:
        try:
            self._read()
        except ImageToMeshError as error:
            log.info("a stream has ended: %s", error)
            if error.sent is Sent.NO and not self._messages:
                self._path.unlink(missing_ok=True)
                self._unopened = error
                self.is_done = True
                return
            self._reason = error.message
        except Exception as error:  # noqa: BLE001 - the thread's last resort; the poll reports it
            self._reason = f"{type(error).__name__}: {error}"
        is_saved = self._save(is_over=True)
        self._is_over = True
        self.is_done = is_saved

    def _read(self) -> None:
        saved = 0.0
        with closing(self._events()) as events:
            for message in events:
                if self.is_stopped:
                    self._reason = STOPPED
                    return
                if message is None:
                    continue
                self._keep(message)
                if time.monotonic() - saved > SAVE_INTERVAL:
                    self._save()
                    saved = time.monotonic()

    def _keep(self, message: Any) -> None:
        """Keep a message. Raises BadReply if a later process could not read the file with it."""
        encoded = json_bytes(message)
        self._size += len(encoded) + len(_BETWEEN)
        if self._size > MOST_BYTES or len(self._messages) >= MOST_MESSAGES:
            raise BadReply("The service sent too many messages.", AGAIN)
        self._encoded.append(encoded)
        self._messages.append(message)

    def _save(self, *, is_over: bool = False) -> bool:
        end = json_bytes({"is_over": is_over, "reason": self._reason}).removeprefix(b"{")
        data = b'{"messages": [' + _BETWEEN.join(self._encoded) + b"], " + end
        try:
            write_whole(self._path, data)
        except OSError as error:  # this process still has them
            log.warning("a stream cannot be saved: %s", error)
            return False
        return True


def _is_refusal(error: ImageToMeshError) -> bool:
    """Return whether a call was certainly not accepted, by the rule for the order of a job."""
    after = state_after(error.kind, State.SUBMITTING, error.sent)
    return after in (State.QUEUED, State.FAILED)


def _as_followed(kept: dict[str, Any]) -> Followed:
    messages, reason = kept.get("messages"), kept.get("reason")
    found = tuple(messages) if isinstance(messages, list) else ()
    if kept.get("is_over") is True:
        return Followed(found, is_open=False, reason=reason if isinstance(reason, str) else "")
    return Followed(found, is_open=False, reason=Message.of(CUT_OFF))


def _load(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(read_plain(path, LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
