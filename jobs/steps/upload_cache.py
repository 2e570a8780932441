# SPDX-License-Identifier: GPL-3.0-or-later
"""Caches the tokens of uploaded images, so that an image is not uploaded twice.

They are stored in the library, in `.uploads.json`. A token is used again only if it has not
expired, this user's own process stored it, and service, address, account, and bytes are the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...providers import Provider, Secret
from ...providers._shared.exact_ids import is_sendable_unchanged
from ...providers._shared.untrusted_text import json_bytes
from ..disk.plain_files import read_plain, write_whole
from ..disk.signatures import MARK, has_mark, mark_of
from ..values import JSON, InputPicture

FILE = ".uploads.json"
MOST = 4 << 20
"""Maximum size of `.uploads.json`, in bytes."""
MARGIN = 600.0
"""Seconds before a token's expiry from which it is no longer used."""


class UploadCache:
    """The tokens of one account at one service."""

    def __init__(
        self, library: Path, provider: Provider[Any], base_url: str, keys: Mapping[str, Secret]
    ) -> None:
        # Resolved, because the library may be a link, and `read_plain` refuses those.
        self._path = library.resolve() / FILE
        self._life = provider.token_life
        # Only a digest of the keys is used, because the file may be in a shared folder.
        account = "\0".join(keys[name].reveal() for name in sorted(keys))
        self._mark = _digest(
            "image_to_mesh",
            provider.id,
            base_url,
            account,  # guard: token-per-account
        )

    def valid_tokens(self, pictures: tuple[InputPicture, ...]) -> dict[str, JSON]:
        """Return the tokens of these images that are valid for the service now, by view."""
        if not self._life:
            return {}
        kept = self._load()
        found = {
            picture.view: kept.get(self._name(picture)) for picture in pictures if picture.sha256
        }
        latest = time.time() + self._life
        # A later expiry must have been written while the computer's clock was ahead.
        alive = {view: entry for view, entry in found.items() if entry and entry["until"] <= latest}
        tokens = {view: entry["token"] for view, entry in alive.items()}
        return {view: token for view, token in tokens.items() if is_sendable_unchanged(str(token))}

    def remember(self, pictures: tuple[InputPicture, ...], tokens: Mapping[str, JSON]) -> None:
        """Store the tokens that the service has just returned, by view. Errors are ignored."""
        if not self._life or not tokens:
            return
        kept = self._load()
        until = time.time() + self._life - MARGIN
        for picture in pictures:
            if picture.view in tokens and picture.sha256:
                name, entry = self._name(picture), {"token": tokens[picture.view], "until": until}
                kept[name] = {**entry, MARK: mark_of({**entry, "name": name})}
        # No lock: if two processes write at once, a token is lost, and an image uploaded again.
        with contextlib.suppress(OSError):
            write_whole(self._path, json_bytes(kept, indent=1))

    def forget(self, pictures: tuple[InputPicture, ...]) -> None:
        """Delete these images' tokens, as the service may no longer accept them; ignore errors."""
        kept = self._load()
        for picture in pictures:
            kept.pop(self._name(picture), None)
        with contextlib.suppress(OSError):
            write_whole(self._path, json_bytes(kept, indent=1))

    def _name(self, picture: InputPicture) -> str:
        return _digest(self._mark, picture.sha256 or "")

    def _load(self) -> dict[str, Any]:
        try:
            kept = json.loads(read_plain(self._path, MOST))
            now = time.time()
            living = [name for name in kept if kept[name]["until"] > now]  # guard: token-end
            own = [name for name in living if has_mark({**kept[name], "name": name})]
            return {name: kept[name] for name in own}  # guard: tokens-of-ones-own
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]
