# SPDX-License-Identifier: GPL-3.0-or-later
"""What this user's own processes wrote, told from what anybody else put into a library.

A secret in the user's own settings folder, never in a library, marks each record and each
`model.blend` that is written (HMAC-SHA256). What has no mark, or another one, is a stranger's.
The secret is of no use anywhere else: it is no key of a service.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import json
import logging
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .plain_files import is_plain, open_plain, read_plain, write_whole

log = logging.getLogger(__name__)

MARK = "mark"
"""The field of a record that holds its mark."""
SECRET, LENGTH = "own.key", 32
_MOST = 200
"""Bytes of a file that holds a mark, at most."""


def settings_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the user's own folder for what must not lie in a library, which may be shared."""
    name = "APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME"
    return _settings_folder(environment.get(name, ""), environment.get("HOME", ""), sys.platform)


@functools.lru_cache(maxsize=8)
def _settings_folder(chosen: str, _home: str, platform: str) -> Path:
    """Return the folder; kept, because it is asked for with each record of a long list."""
    if platform == "win32":
        base = Path(chosen or Path.home() / "AppData" / "Roaming")
    elif platform == "darwin":
        base = Path.home() / "Library" / "Preferences"
    else:
        base = Path(chosen or Path.home() / ".config")
    return base / "image_to_mesh"


def mark_of(record: Mapping[str, Any]) -> str:
    """Return this user's mark of a record as JSON has it."""
    return _mark("record", _plain(record))


def has_mark(record: Mapping[str, Any]) -> bool:
    """Say whether a record as JSON has it bears this user's mark."""
    given = record.get(MARK)
    if not isinstance(given, str):
        return False
    try:
        expected = _mark("record", _plain(record))
    except (TypeError, ValueError, RecursionError):
        return False
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def mark_file(path: Path) -> None:
    """Note beside a file that this user's own process made it as it is now.

    Without room for the note it is made again when it is needed.
    """
    with contextlib.suppress(OSError):
        write_whole(_beside(path), _mark("file", digest_of_plain(path)).encode())


def is_marked(path: Path) -> bool:
    """Say whether a file is as this user's own process made it; reads the whole file."""
    try:
        given = read_plain(_beside(path), _MOST)
        return hmac.compare_digest(given, _mark("file", digest_of_plain(path)).encode())
    except OSError:
        return False


def forget_mark(path: Path) -> None:
    """Take the note beside a file away."""
    with contextlib.suppress(OSError):
        _beside(path).unlink(missing_ok=True)


def digest_of_plain(path: Path) -> str:
    """Return a plain file's SHA-256; raises OSError."""
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_older_than_secret(path: Path) -> bool:
    """Say whether a file was there before this user's secret: marks did not exist then.

    The secret is made first where there is none: the first look after an update is before it.
    """
    _secret(settings_folder())  # guard: secret-before-the-first-look
    try:
        return path.lstat().st_ctime < (settings_folder() / SECRET).lstat().st_ctime
    except OSError:
        return False


def _plain(record: Mapping[str, Any]) -> str:
    what = {name: value for name, value in record.items() if name != MARK}
    return json.dumps(what, sort_keys=True, separators=(",", ":"))


def _mark(kind: str, text: str) -> str:
    key = _secret(settings_folder())
    return hmac.new(key, f"{kind}\0{text}".encode(), hashlib.sha256).hexdigest()


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.mark")


@functools.lru_cache(maxsize=4)
def _secret(folder: Path) -> bytes:
    """Return the user's secret, which is made when it is first needed.

    Where it cannot be kept it lasts as long as the process: the next one asks about what this
    one wrote.
    """
    path = folder / SECRET
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not is_plain(path):
            _make(path)
        kept = read_plain(path.resolve(), LENGTH)
        if len(kept) == LENGTH:
            return kept
        what = f"{len(kept)}-byte"
    except OSError as error:
        what = error.strerror or str(error)
    log.warning("%s cannot be used: %s", path, what)
    return secrets.token_bytes(LENGTH)


def _make(path: Path) -> None:
    """Put a new secret there, whole and for its user alone; the first of two processes wins."""
    side = path.with_name(f".{SECRET}.{secrets.token_hex(6)}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(side, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(LENGTH))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            # Unlike a rename, which would take the place of another process's secret.
            side.rename(path) if os.name == "nt" else path.hardlink_to(side)
    finally:
        side.unlink(missing_ok=True)
