# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command line says: printable, in any encoding, whether or not anybody reads it.

A terminal that knows no such letter, a pipe whose reader has gone, a full disk: none of them may
end a command that has paid work in its hands. `finish` says whether all could be written.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from ..providers._shared.redaction import SHORT, Redactor
from ..providers._shared.untrusted_text import clean, json_line

LONGEST = 20_000
"""Letters of a line, at most."""

_lost: list[str] = []
_kept_secret: list[Redactor] = []


def redact_keys(keys: Iterable[str]) -> None:
    """See to it that none of these keys is printed, whatever text it comes in."""
    _kept_secret[:] = [Redactor(key for key in keys if len(key) >= SHORT)]


def say(text: str) -> None:
    """Print a line of the answer, on standard output."""
    _answer(clean(_blanked(text), LONGEST))


def say_json(value: Any) -> None:
    """Print the answer as one line of JSON, on standard output."""
    _answer(json_line(_blanked(value), getattr(sys.stdout, "encoding", None)))


def tell(text: str) -> None:
    """Print a line beside the answer, on standard error."""
    put(sys.stderr, text)


def put(out: TextIO | None, text: str, end: str = "\n") -> None:
    """Print a line on a stream that may be missing, closed or full: then nobody reads it."""
    with contextlib.suppress(OSError, ValueError):
        _write(out, clean(_blanked(text), LONGEST) + end)


def is_terminal(out: TextIO | None) -> bool:
    """Say whether a stream, which may be missing or closed, shows what is written to a person."""
    try:
        return out is not None and out.isatty()
    except ValueError:
        return False


def finish() -> bool:
    """See to it that the answer is written; say on standard error where it is not."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        _lost.append(_words(error))
    if not _lost:
        return True
    tell(f"The answer cannot be written: {_lost[0]}.")
    _lost.clear()
    # Python flushes once more when it ends, and would print a traceback of its own.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return False


def _blanked(value: Any) -> Any:
    for secrets in _kept_secret:
        value = secrets.redact_json(value)
    return value


def _answer(line: str) -> None:
    try:
        _write(sys.stdout, line + "\n")
    except (OSError, ValueError) as error:
        _lost.append(_words(error))


def _write(out: TextIO | None, text: str) -> None:
    """Write; what the stream's encoding lacks is written as Python escapes it."""
    if out is None:  # as under Windows without a console
        return
    try:
        out.write(text)
    except UnicodeEncodeError:
        encoding = out.encoding or "ascii"
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))
    out.flush()


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
