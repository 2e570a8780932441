# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints of orders: equal if provider, settings, and images are equal.

Settings at their defaults are left out, so that an update that adds a setting changes no
fingerprint. Images are compared as the user gave them, not as they were converted for the service.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from ...providers import all_providers
from ..disk.signatures import digest_of_plain
from ..values import JSON, InputPicture, Record


def changed_settings(provider: str, settings: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the settings that differ from the defaults; all if the provider is unknown."""
    known = all_providers().get(provider)
    defaults = known.settings() if known else None
    missing = object()
    return {
        name: value
        for name, value in settings.items()
        if defaults is None or value != getattr(defaults, name, missing)
    }


def settings_text(provider: str, settings: Mapping[str, JSON]) -> str:
    """Return the settings that differ from the defaults, as JSON text with sorted names."""
    return json.dumps(changed_settings(provider, settings), sort_keys=True)


def order_mark(provider: str, settings: Mapping[str, JSON], pictures: Mapping[str, str]) -> str:
    """Return the fingerprint of an order, as 32 hex digits.

    `pictures` maps the views to the digests or URLs of their images.
    """
    order = {
        "provider": provider,
        "settings": changed_settings(provider, settings),
        "pictures": dict(pictures),
    }
    return hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()[:32]


def order_of(record: Record, folder: Path) -> str:
    """Return the fingerprint of a job's order; empty if one of its images cannot be read."""
    try:
        pictures = {picture.view: _mark(picture, folder) for picture in record.pictures}
    except OSError:
        return ""
    # The same content is the same order, no matter what its file is called.
    digests = {file.setting: file.sha256 for file in record.setting_files}
    return order_mark(record.provider, {**record.settings, **digests}, pictures)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, which may be a link, in hexadecimal.

    Raises OSError if the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mark(picture: InputPicture, folder: Path) -> str:
    if picture.url is not None:
        return picture.url
    if picture.original:
        return picture.original
    if picture.sent is None and picture.sha256:
        return picture.sha256
    return digest_of_plain(folder / (picture.file or ""))
