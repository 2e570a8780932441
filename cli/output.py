# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of the command line. Failing to print never stops a command.

A terminal with another encoding, a closed pipe, or a full disk must not end a command while it
waits for a paid result. At the end, `flush_answer` reports whether the answer could be written.
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
"""Maximum length of a printed line, in characters."""

# Reported once, at the end: writing to a closed pipe fails again for every line.
_write_errors: list[str] = []
_redactors: list[Redactor] = []


def redact_keys(keys: Iterable[str]) -> None:
    """Redact these keys in all later output, instead of the keys of an earlier call.

    Keys of fewer than `SHORT` characters are ignored.
    """
    # A short key would be redacted wherever it is a whole word, and the output may contain it.
    _redactors[:] = [Redactor(key for key in keys if len(key) >= SHORT)]


def print_line(text: str) -> None:
    """Print a line of the command's result on standard output, with the keys redacted."""
    _answer(clean(_redact(text), LONGEST))


def print_json(value: Any) -> None:
    """Print the command's result as a line of JSON on standard output, with the keys redacted."""
    _answer(json_line(_redact(value), getattr(sys.stdout, "encoding", None)))


def print_notice(text: str) -> None:
    """Print a notice on standard error, with the keys redacted. Errors are ignored."""
    write_line(sys.stderr, text)


def write_line(out: TextIO | None, text: str, end: str = "\n") -> None:
    """Print a line on a stream. Errors are ignored: the stream may be missing, closed, or full."""
    with contextlib.suppress(OSError, ValueError):
        _write(out, clean(_redact(text), LONGEST) + end)


def is_terminal(out: TextIO | None) -> bool:
    """Return whether a stream is a terminal; False if it is missing or closed."""
    try:
        return out is not None and out.isatty()
    except ValueError:
        return False


def flush_answer() -> bool:
    """Flush standard output, and return whether the whole answer was written.

    If not, the first error is printed on standard error.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        _write_errors.append(_words(error))
    if not _write_errors:
        return True
    print_notice(f"Cannot write the output: {_write_errors[0]}.")
    _write_errors.clear()
    # Python flushes again at exit, and would print a traceback.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return False


def _redact(value: Any) -> Any:
    for redactor in _redactors:
        value = redactor.redact_json(value)
    return value


def _answer(line: str) -> None:
    try:
        _write(sys.stdout, line + "\n")
    except (OSError, ValueError) as error:
        _write_errors.append(_words(error))


def _write(out: TextIO | None, text: str) -> None:
    """Write and flush text, with escapes for characters that the stream's encoding lacks."""
    if out is None:  # Windows programs without a console have no streams.
        return
    try:
        out.write(text)
    except UnicodeEncodeError:
        encoding = out.encoding or "ascii"
        out.write(text.encode(encoding, "backslashreplace").decode(encoding))
    out.flush()


def _words(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
