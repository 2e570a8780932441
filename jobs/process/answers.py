# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the worker's answers: their results, or the errors that they report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...providers import Failed, ImageToMeshError, Message, decode_message, error_of_kind


def outcome_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result in an answer, with its notes decoded, or raise the error that it reports.

    An answer that reports neither raises Failed.
    """
    if isinstance(done := answer.get("done"), dict):
        notes = done.get("notes")
        return {**done, "notes": [text_of(note) for note in notes]} if notes else done
    raise _error_in(answer)


def text_of(value: Any) -> str:
    """Return text that the worker sent as a string, or as a template with values.

    Invalid values become an empty string.
    """
    try:
        return decode_message(value)
    except ValueError:
        return ""


def _error_in(answer: Mapping[str, Any]) -> ImageToMeshError:
    if isinstance(refused := answer.get("refused"), dict):
        message, hint = (text_of(refused.get(field)) for field in ("message", "hint"))
        return error_of_kind(str(refused.get("kind", "")), message, hint)
    crashed = answer.get("crashed")
    reason = crashed.get("message") if isinstance(crashed, dict) else None
    return Failed(
        Message(
            "The background Blender failed: {reason}",
            reason=reason or Message.of("no reason was given"),
        )
    )
