# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file is open: a token per opened file, so that no mesh lands in a wrong one."""

from __future__ import annotations

import secrets

import bpy
from bpy.app.handlers import persistent

_token = secrets.token_hex(8)


def token() -> str:
    """Return the open file's token; saving under another name keeps it."""
    return _token


def made_here(file: str) -> bool:
    """Return whether a job's token is that of the file that is open now."""
    return file == _token


def _renew(*_: object) -> None:
    global _token
    _token = secrets.token_hex(8)


_on_load = persistent(_renew)


def register() -> None:
    """Notice every file that is opened."""
    bpy.app.handlers.load_post.append(_on_load)


def unregister() -> None:
    """Stop noticing."""
    bpy.app.handlers.load_post.remove(_on_load)
