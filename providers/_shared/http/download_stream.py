# SPDX-License-Identifier: GPL-3.0-or-later
"""An open download, and the exception for a download that breaks off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..errors import ImageToMeshError


@dataclass(frozen=True, slots=True)
class Stream:
    """The response to a download: status, lower-case headers, and the body in chunks."""

    status: int
    headers: Mapping[str, str]
    pieces: Iterator[bytes]


class Interrupted(Exception):
    """A download could not be opened, broke off, or did not deliver what was requested.

    `lasting` is the error to raise if retrying cannot help, such as a certificate problem.
    """

    def __init__(self, reason: str, lasting: ImageToMeshError | None = None) -> None:
        super().__init__(reason)
        self.lasting = lasting
