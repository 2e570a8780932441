# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators as a click runs them: in a window that records what it asks instead of showing it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_GENERATE = ("invoke", "execute", "target", "run_job", "_start_watched", "refuse")
_DROP = ("invoke", "execute", "_confirm", "_after_dialog", "_start", "_specs", "_note_specs",
         "_orders", "paths", "is_given")  # fmt: skip


class Override:
    """Wraps an object of Blender's, with some attributes replaced."""

    def __init__(self, real: object, **changed: object) -> None:
        self._real = real
        self.__dict__.update(changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Window(Override):
    """A context whose window manager records confirmations instead of showing them."""

    def __init__(self) -> None:
        self.prompts: list[dict[str, str]] = []
        manager = Override(bpy.context.window_manager, invoke_confirm=self._ask)
        super().__init__(bpy.context, window_manager=manager)

    def _ask(self, _operator: object, _event: object, **attributes: str) -> set[str]:
        self.prompts.append(attributes)
        return {"RUNNING_MODAL"}


def open_window(monkeypatch: pytest.MonkeyPatch) -> Window:
    """Make the operators that order believe that Blender has a window."""
    fake_bpy = Override(bpy, app=Override(bpy.app, background=False))
    for name in ("generate", "generate_from_files", "resume"):
        monkeypatch.setattr(addon_module(f"operators.{name}"), "bpy", fake_bpy)
    monkeypatch.setattr(addon_module("app.watcher"), "begin", lambda _: None)
    return Window()


def generate_button(place: str = "", **attributes: Any) -> Any:
    """Return a Generate operator as Blender creates it for a click."""
    operator = addon_module("operators.generate").IMAGE_TO_MESH_OT_generate
    options = SimpleNamespace(is_repeat_last=False)
    state = {"again": False, "options": options, "report": lambda *_: None, **attributes}
    return _with_methods(SimpleNamespace(**state, place=place), operator, _GENERATE)


def resume_button(job: str) -> Any:
    """Return a Resume operator as Blender creates it for a click."""
    operator = addon_module("operators.resume").IMAGE_TO_MESH_OT_resume
    state = SimpleNamespace(job=job, _is_clicked=False, report=lambda *_: None)
    return _with_methods(state, operator, ("invoke", "execute", "run_job", "_start", "refuse"))


def discard_button(job: str) -> Any:
    """Return a Discard operator as Blender creates it for a click."""
    operator = addon_module("operators.results.recovered").IMAGE_TO_MESH_OT_discard
    state = SimpleNamespace(job=job, report=lambda *_: None)
    return _with_methods(state, operator, ("invoke", "execute", "_refuse"))


def drop(paths: list[Path], **attributes: Any) -> Any:
    """Return a Generate Mesh Here operator as Blender creates it for files that are dropped."""
    operator = addon_module("operators.generate_from_files").IMAGE_TO_MESH_OT_make_here
    unset = SimpleNamespace(is_property_set=lambda _: False)
    state = {"again": False, "place": "", "filepath": str(paths[0]), **attributes}
    dropped = SimpleNamespace(
        **state,
        directory=str(paths[0].parent),
        files=[SimpleNamespace(name=path.name) for path in paths],
        properties=unset,
        report=lambda *_: None,
    )
    return _with_methods(dropped, operator, _DROP)


def remember(context: Any, place: str) -> None:
    """Note that a paid order from this place was confirmed before."""
    addon_module("operators.confirm_order").remember(context, place)


def finish() -> None:
    """Wait until all jobs have ended."""
    session = addon_module("jobs").session()
    while session.at_work():
        session.wait(0.1)


def _with_methods(state: SimpleNamespace, operator: Any, names: tuple[str, ...]) -> SimpleNamespace:
    for name in names:
        setattr(state, name, getattr(operator, name).__get__(state))
    return state
