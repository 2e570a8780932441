# SPDX-License-Identifier: GPL-3.0-or-later
"""The exception for work that cannot be done. The user sees its message and hint."""

from __future__ import annotations

OTHER_FORMAT = "Download it again, or choose another format where the provider has one."


class Refusal(Exception):
    """The work cannot be done, for a reason that the user can act on.

    `kind` is the snake_case name of one of the providers' errors, such as "bad_image"; the add-on
    raises that error.
    """

    def __init__(self, kind: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
