# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside of Blender: receives Python from the test, runs it between redraws, and answers.

The test listens and Blender connects, so that no other program can run code here. Code sees the
functions of this file, and `bpy`.
"""

from __future__ import annotations

import ast
import json
import os
import socket
import traceback
from typing import Any

import bpy

_POLL_INTERVAL = 0.01
_NOTHING_UNDER_POINTER = ""


class _Connection:
    """Blender's end of the connection to the test."""

    def __init__(self, port: int) -> None:
        self._line = socket.create_connection(("127.0.0.1", port))
        self._line.setblocking(False)
        self._unread = b""
        self._names: dict[str, Any] = dict(globals())

    def poll(self) -> float | None:
        """Answer new questions; a timer callback that ends when the test disconnects."""
        try:
            received = self._line.recv(1 << 16)
        except BlockingIOError:
            return _POLL_INTERVAL
        except OSError:
            return None
        if not received:
            return None
        self._unread += received
        while b"\n" in self._unread:
            question, self._unread = self._unread.split(b"\n", 1)
            self._answer(json.loads(question))
        return _POLL_INTERVAL

    def _answer(self, question: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": question["id"], "value": None, "error": None}
        try:
            answer["value"] = _run(question["code"], self._names)
        except Exception:  # noqa: BLE001  # errors of the test's code are reported to the test
            answer["error"] = traceback.format_exc()
        self._line.setblocking(True)
        self._line.sendall(json.dumps(answer, default=_plain).encode() + b"\n")
        self._line.setblocking(False)


def _run(code: str, names: dict[str, Any]) -> Any:
    """Run statements; return the value if the last one is an expression."""
    tree = ast.parse(code)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "<test>", "exec"), names)
        return None
    tree.body.pop()
    exec(compile(tree, "<test>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<test>", "eval"), names)


def _plain(value: Any) -> Any:
    try:
        return list(value)
    except TypeError:
        return repr(value)


def view3d() -> Any:
    """Return the largest 3D view of the first window."""
    areas = bpy.context.window_manager.windows[0].screen.areas
    return max(
        (area for area in areas if area.type == "VIEW_3D"),
        key=lambda area: area.width * area.height,
    )


def region(kind: str = "WINDOW") -> Any:
    """Return that view's region of a kind: WINDOW, UI (the sidebar), HEADER, TOOLS."""
    return next(region for region in view3d().regions if region.type == kind)


def within(kind: str = "WINDOW") -> Any:
    """Return a context in that region, as an operator called from there would have."""
    window = bpy.context.window_manager.windows[0]
    return bpy.context.temp_override(window=window, area=view3d(), region=region(kind))


def open_sidebar() -> None:
    """Show the sidebar."""
    view3d().spaces.active.show_region_ui = True


def choose_tab(category: str) -> bool:
    """Show a tab; return False until the sidebar was drawn once and knows its tabs."""
    sidebar = region("UI")
    if sidebar.active_panel_category != category:
        try:
            sidebar.active_panel_category = category
        except (TypeError, AttributeError):  # unknown, or read-only while there are no tabs
            sidebar.tag_redraw()
            return False
        sidebar.tag_redraw()
    return sidebar.active_panel_category == category


def place_of(kind: str) -> dict[str, int]:
    """Return a region's rectangle in pixels of the screen, counted from its upper left corner."""
    height = bpy.context.window_manager.windows[0].height
    here = region(kind)
    return {"left": here.x, "top": height - here.y - here.height,
            "width": here.width, "height": here.height}  # fmt: skip


def under_pointer(kind: str) -> str:
    """Return what is under the pointer: `bpy.ops.…(…)`, a property's data path, or nothing."""
    manager = bpy.context.window_manager
    manager.clipboard = _NOTHING_UNDER_POINTER
    with within(kind):
        for copy in (bpy.ops.ui.copy_python_command_button, bpy.ops.ui.copy_data_path_button):
            if copy.poll():
                copy()
                break
    return str(manager.clipboard)


_calls: dict[str, int] = {}


def calls_of(name: str) -> int | None:
    """Return how often Blender has called a Python operator so far; None for anything else.

    The count starts with the first question about it.
    """
    group, _, function = name.partition(".")
    operator = getattr(bpy.types, f"{group.upper()}_OT_{function}", None)
    if operator is None or not issubclass(operator, bpy.types.Operator):
        return None
    if "counted" not in vars(operator):  # the classes are new after each enabling
        operator.counted = True
        _count_calls(operator, name)
    return _calls.setdefault(name, 0)


def is_enabled(name: str) -> bool:
    """Return whether an operator can be called from the sidebar."""
    group, _, function = name.partition(".")
    with within("UI"):
        return bool(getattr(getattr(bpy.ops, group), function).poll())


def _count_calls(operator: Any, name: str) -> None:
    """Count the calls of `invoke`, or of `execute` for an operator without it.

    Blender passes as many arguments as a function declares, so that `*args` would get none.
    """

    def count() -> None:
        _calls[name] = _calls.get(name, 0) + 1

    if hasattr(operator, "invoke"):
        invoke = operator.invoke

        def counted_invoke(self: Any, context: Any, event: Any) -> Any:
            count()
            return invoke(self, context, event)

        operator.invoke = counted_invoke
    else:
        execute = operator.execute

        def counted_execute(self: Any, context: Any) -> Any:
            count()
            return execute(self, context)

        operator.execute = counted_execute


_connection = _Connection(int(os.environ["HARNESS_PORT"]))
# Kept: each access creates a new bound method, which Blender would not recognize as the timer.
_poll = _connection.poll
bpy.app.timers.register(_poll, persistent=True)
