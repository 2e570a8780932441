# SPDX-License-Identifier: GPL-3.0-or-later
"""A token for the open .blend file, so that no job's mesh is imported into another file."""

from __future__ import annotations

import secrets

import bpy
from bpy.app.handlers import persistent

_token = secrets.token_hex(8)


def token() -> str:
    """Return the open file's token. Saving it under another name keeps the token."""
    return _token


def made_here(file: str) -> bool:
    """Return whether a job's token is that of the open file."""
    return file == _token


# load_post also runs for Revert and for new files, which get a token of their own.
def _renew(*_: object) -> None:
    global _token
    _token = secrets.token_hex(8)


_on_load = persistent(_renew)


def register() -> None:
    """Renew the token whenever a file is opened."""
    bpy.app.handlers.load_post.append(_on_load)


def unregister() -> None:
    """Remove the handler."""
    bpy.app.handlers.load_post.remove(_on_load)
