# SPDX-License-Identifier: GPL-3.0-or-later
"""Decodes base64 in all the variants that services send."""

from __future__ import annotations

import base64

PIECE = 4 * 1024 * 1024
"""Characters decoded at a time, so that no second copy of a whole mesh is in memory."""
URL_SAFE = str.maketrans("-_", "+/")


def decode_base64(text: str) -> bytearray:
    """Decode base64 or a data URL. Raises ValueError if it is not valid.

    Both alphabets are accepted, with or without white space and padding. The text is decoded in
    pieces, since a mesh may be 200 MB.
    """
    # A data URL's header is short; a comma further on would not be the end of it.
    start = text.find(",", 0, 200) + 1 if text.lstrip()[:5].lower() == "data:" else 0
    data, rest = bytearray(), ""
    for at in range(start, len(text), PIECE):
        piece = rest + "".join(text[at : at + PIECE].split()).translate(URL_SAFE)
        # Four characters decode to three bytes; the remaining ones wait for the next piece.
        whole = len(piece) - len(piece) % 4
        padded = piece.find("=")
        if padded >= 0:
            if piece[padded:].strip("=") or text[at + PIECE :].strip(" \t\r\n="):
                raise ValueError("there is data after the padding")
            rest = piece[:padded]
            break
        data += base64.b64decode(piece[:whole], validate=True)
        rest = piece[whole:]
    if len(rest) % 4 == 1 or not (data or rest):
        raise ValueError("it is truncated")
    data += base64.b64decode(rest + "=" * (-len(rest) % 4), validate=True)
    return data
