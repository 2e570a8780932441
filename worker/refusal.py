# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that background work hands back to the person as a sentence."""

from __future__ import annotations

OTHER_FORMAT = "Download it again, or choose another format where the provider has one."


class Refusal(Exception):
    """Say that the work cannot be done, and what the person can do about it.

    `kind` is the name of one of the project's errors, such as "BadImage".
    """

    def __init__(self, kind: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
