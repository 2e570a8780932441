# SPDX-License-Identifier: GPL-3.0-or-later
"""Encodes job records as JSON, even with invalid Unicode, and decodes records of all schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from ...providers import LibraryProblem, Message, encode_templates, restore_message
from ...providers._shared.adapters import convert
from ...providers._shared.untrusted_text import json_bytes, map_texts, replace_surrogates
from ..disk import signatures
from ..disk.file_names import is_portable
from ..import_plan import ImportPlan
from ..values import Record
from .file_names import RECORD
from .migrations import REPAIR, migrate

TEMPLATES = "templates"
"""The field with the templates and values of a record's sentences, keyed by English sentence."""


def encode_record(record: Record) -> bytes:
    """Return a record as JSON bytes, even if its texts contain invalid Unicode.

    A record of this user's own gets the user's mark.
    """
    data = {"place" if name == "plan" else name: value for name, value in asdict(record).items()}
    data["place"] = record.plan.as_json()
    data[TEMPLATES] = encode_templates(_sentences(record))
    if data.pop("own"):  # guard: strangers-stay-strangers
        data[signatures.MARK] = signatures.mark_of(json.loads(json_bytes(data)))
    return json_bytes(data, indent=2)  # guard: records-are-always-written


def decode_record(data: Any, job: str) -> Record:
    """Build the record from a job's parsed `job.json`, in this schema or an older one.

    Raises LibraryProblem if it is not valid, belongs to another job, needs a newer version of the
    add-on, or refers to files in other folders.
    """
    if not isinstance(data, dict):
        raise LibraryProblem(Message("The record of job “{job}” is not valid.", job=job), REPAIR)
    data = migrate(data, job)
    try:
        # The plan is read before surrogates are replaced: the name of a scene or file may be
        # invalid Unicode, and is only found again if it stays unchanged.
        plan = ImportPlan.from_json(data.pop("place", None))
        templates = data.pop(TEMPLATES, None)
        data = map_texts(data, replace_surrogates)  # guard: records-are-read
        record = replace(convert(Record, data), plan=plan)
    except (ValueError, RecursionError) as error:
        raise LibraryProblem(
            Message("The record of job “{job}” is not valid: {reason}.", job=job, reason=error),
            REPAIR,
        ) from error
    if record.id != job:
        raise LibraryProblem(
            Message(
                "The record in “{job}” belongs to another job ({other}).", job=job, other=record.id
            ),
            REPAIR,
        )
    for name in record.names():
        if not is_portable(name) or name.lower() == RECORD:  # guard: names-in-records
            raise LibraryProblem(
                Message(
                    "The record of job “{job}” refers to a file in another folder: {name}.",
                    job=job,
                    name=name[:80],
                ),
                REPAIR,
            )
    return _with_templates(record, templates)


def _sentences(record: Record) -> Iterator[str]:
    """Yield the sentences in a record that are shown to the user, and so may have templates."""
    yield from record.notes
    if record.failure is not None:
        yield from (record.failure.message, record.failure.hint)


def _with_templates(record: Record, templates: Any) -> Record:
    """Return a copy of a record whose sentences have their templates, for translation.

    Sentences without a template, as in older records, stay plain text.
    """
    notes = tuple(restore_message(note, templates) for note in record.notes)
    failure = record.failure
    if failure is not None:
        message, hint = (restore_message(text, templates) for text in
                         (failure.message, failure.hint))  # fmt: skip
        failure = replace(failure, message=message, hint=hint)
    return replace(record, notes=notes, failure=failure)
