# SPDX-License-Identifier: GPL-3.0-or-later
"""Drags files out of a window of its own, as a file manager does, over what is under the pointer.

The source's side of the XDND protocol, version 5, for one drag of `text/uri-list` at a time.
"""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, Any, Self

from Xlib import X, display
from Xlib.protocol import event

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 5
URIS = "text/uri-list"
_SECONDS = 20.0
_STEPS = 12


class Drag:
    """A file manager's window that holds files at the pointer, until they are dropped."""

    def __init__(self, name: str, files: list[Path]) -> None:
        self._display = display.Display(name)
        self._uris = "".join(f"{file.as_uri()}\r\n" for file in files).encode()
        self._root = self._display.screen().root
        self._window = self._root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
        self._window.set_selection_owner(self._atom("XdndSelection"), X.CurrentTime)
        self._target = self._find_target()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._display.close()

    def over(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Enter and move from one pixel to another; the target answers at each step."""
        self._send("XdndEnter", VERSION << 24, self._atom(URIS), 0, 0)
        for step in range(_STEPS + 1):
            x, y = (a + (b - a) * step // _STEPS for a, b in zip(start, end, strict=True))
            self._root.warp_pointer(x, y)
            copy = self._atom("XdndActionCopy")
            self._send("XdndPosition", 0, x << 16 | y, X.CurrentTime, copy)
            self._wait_for("XdndStatus")

    def drop(self) -> None:
        """Let go, hand the files' names over, and wait until the target has them."""
        self._send("XdndDrop", 0, X.CurrentTime, 0, 0)
        self._wait_for("XdndFinished")

    def _find_target(self) -> Any:
        aware = self._atom("XdndAware")
        windows = list(self._root.query_tree().children)
        for window in windows:
            windows += window.query_tree().children
            if window.get_full_property(aware, X.AnyPropertyType):
                return window
        raise AssertionError("no window that takes drops")

    def _send(self, kind: str, *data: int) -> None:
        message = event.ClientMessage(
            window=self._target,
            client_type=self._atom(kind),
            data=(32, [self._window.id, *data]),
        )
        self._target.send_event(message)
        self._display.flush()

    def _wait_for(self, kind: str) -> None:
        """Answer the target's requests until it sends a message of this kind."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            while self._display.pending_events():
                came = self._display.next_event()
                if came.type == X.SelectionRequest:
                    self._hand_over(came)
                elif came.type == X.ClientMessage and came.client_type == self._atom(kind):
                    return
            select.select([self._display], [], [], 0.1)
        raise AssertionError(f"no {kind} came")

    def _hand_over(self, asked: Any) -> None:
        taken = asked.target == self._atom(URIS)
        if taken:
            asked.requestor.change_property(asked.property, asked.target, 8, self._uris)
        asked.requestor.send_event(
            event.SelectionNotify(
                time=asked.time,
                requestor=asked.requestor,
                selection=asked.selection,
                target=asked.target,
                property=asked.property if taken else X.NONE,
            )
        )
        self._display.flush()

    def _atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))
