# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures that distinguish the user's own records and models from other people's.

Each record and each `model.blend` gets a mark when it is written: an HMAC-SHA256 with a secret from
the user's settings folder, which is never stored in a library. Files without a valid mark are
treated as somebody else's. The secret has no other use, and is not an API key.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .plain_files import is_plain, open_plain, read_plain, write_whole

MARK = "mark"
"""The field of a record that holds its mark."""
SECRET, LENGTH = "own.key", 32
"""The file name of the user's secret, and its length in bytes."""
_MOST = 200
"""Maximum size of a file that holds a mark, in bytes."""


def settings_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the user's own folder, for data that must not be in a library that others read."""
    name = "APPDATA" if sys.platform == "win32" else "XDG_CONFIG_HOME"
    return _settings_folder(environment.get(name, ""), environment.get("HOME", ""), sys.platform)


@functools.lru_cache(maxsize=8)
def _settings_folder(chosen: str, _home: str, platform: str) -> Path:
    """Return the settings folder; cached, since every record of a long list needs it.

    `chosen` is the value of APPDATA or XDG_CONFIG_HOME, empty for the default. `_home` is only a
    part of the cache's key, because `Path.home` depends on HOME.
    """
    if platform == "win32":
        base = Path(chosen or Path.home() / "AppData" / "Roaming")
    elif platform == "darwin":
        base = Path.home() / "Library" / "Preferences"
    else:
        base = Path(chosen or Path.home() / ".config")
    return base / "image_to_mesh"


def mark_of(record: Mapping[str, Any]) -> str:
    """Return this user's mark for a record, given as parsed JSON."""
    return _mark("record", _canonical_json(record))


def has_mark(record: Mapping[str, Any]) -> bool:
    """Return whether a record, given as parsed JSON, has this user's mark."""
    given = record.get(MARK)
    if not isinstance(given, str):
        return False
    try:
        expected = _mark("record", _canonical_json(record))
    except (TypeError, ValueError, RecursionError):
        return False
    # Compared in constant time, so that timing reveals nothing about a valid mark.
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def mark_file(path: Path) -> None:
    """Write a mark beside a file, to prove that this user's own process made the file.

    Errors are ignored: without a mark, the file is made again when it is next needed.
    """
    with contextlib.suppress(OSError):
        write_whole(_mark_path(path), _mark("file", digest_of_plain(path)).encode())


def is_marked(path: Path) -> bool:
    """Return whether a file has this user's mark and is unchanged since; reads the whole file."""
    try:
        given = read_plain(_mark_path(path), _MOST)
        return hmac.compare_digest(given, _mark("file", digest_of_plain(path)).encode())
    except OSError:
        return False


def forget_mark(path: Path) -> None:
    """Remove the mark beside a file, if there is a mark. Errors are ignored."""
    with contextlib.suppress(OSError):
        _mark_path(path).unlink(missing_ok=True)


def digest_of_plain(path: Path) -> str:
    """Return a plain file's SHA-256 in hexadecimal. Raises OSError if it cannot be opened."""
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_older_than_secret(path: Path) -> bool:
    """Return whether a file is older than this user's secret, so that it cannot have a mark.

    Creates the secret if it does not exist. Returns False if the ages cannot be read.
    """
    # The secret is created before the first comparison. If it were created only when a record is
    # first marked, files that others have added by then would count as older.
    _secret(settings_folder())  # guard: secret-before-the-first-look
    try:
        # The change time, because anybody can set a file's modification time back.
        return path.lstat().st_ctime < (settings_folder() / SECRET).lstat().st_ctime
    except OSError:
        return False


def _canonical_json(record: Mapping[str, Any]) -> str:
    unmarked = {name: value for name, value in record.items() if name != MARK}
    return json.dumps(unmarked, sort_keys=True, separators=(",", ":"))


def _mark(kind: str, text: str) -> str:
    key = _secret(settings_folder())
    # With the kind, so that a record's mark is never valid for a file.
    return hmac.new(key, f"{kind}\0{text}".encode(), hashlib.sha256).hexdigest()


def _mark_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.mark")


@functools.lru_cache(maxsize=4)
def _secret(folder: Path) -> bytes:
    """Return the user's secret, creating it on first use.

    If it cannot be saved or read, return a random secret for this process only. Later processes
    then ask the user whether to trust the files that this process wrote.
    """
    path = folder / SECRET
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not is_plain(path):
            _create_secret(path)
        # Resolved: the settings folder may be a link, since only its user can write there.
        secret = read_plain(path.resolve(), LENGTH)
        if len(secret) == LENGTH:
            return secret
        reason = f"{len(secret)}-byte"
    except OSError as error:
        reason = error.strerror or str(error)
    import logging  # not needed when Blender starts

    logging.getLogger(__name__).warning("%s cannot be used: %s", path, reason)
    return secrets.token_bytes(LENGTH)


def _create_secret(path: Path) -> None:
    """Create the secret atomically, readable only by its user; an existing one is kept.

    Raises OSError if that fails.
    """
    side = path.with_name(f".{SECRET}.{secrets.token_hex(6)}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # The mode is set on creation: before a later chmod, others could open the file.
    descriptor = os.open(side, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(LENGTH))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            # A hard link fails if another process was faster, where a rename would replace its
            # secret and invalidate its marks. On Windows a rename fails as well.
            side.rename(path) if os.name == "nt" else path.hardlink_to(side)
    finally:
        side.unlink(missing_ok=True)
