# SPDX-License-Identifier: GPL-3.0-or-later
"""Images as data URLs, for services that take them as part of an order."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import Picture


def data_url(picture: Picture) -> str:
    """Return the URL of an image, or its file as a data URL if it has no URL."""
    if picture.url is not None:
        return picture.url
    return data_url_of(picture.data(), picture.info.format if picture.info else "png")


def data_url_of(data: bytes, kind: str) -> str:
    """Return the bytes of an image of a format, such as "png", as a data URL."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
