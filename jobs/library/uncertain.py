# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders of which nobody knows whether the service took them: what is known, and giving one up."""

from __future__ import annotations

from dataclasses import replace

from ...providers import LibraryProblem, all_providers
from ..values import Record, State
from .store import Library

GIVEN_UP = "Given up: whether the order of {} arrived was never known, and it may be charged."


def describe_uncertain(record: Record) -> tuple[str, ...]:
    """Say what is known of an uncertain order and what to look for, a sentence each."""
    provider = all_providers().get(record.provider)
    label = provider.label if provider else record.provider
    when = record.submitted or "an unknown time"
    sentences = [f"Ordered from {label} at {when}."]
    if record.request_hash:
        sentences = [f"Ordered from {label} at {when}, mark {record.request_hash[:12]}."]
    if record.failure is not None:
        sentences += [record.failure.message, record.failure.hint]
    sentences += record.notes
    if provider is not None and provider.lookup_name:
        sentences.append(f"If it is there, attach its {provider.lookup_name}.")
    return tuple(one for one in sentences if one)


def is_uncertain(record: Record) -> bool:
    """Say whether a person has to settle a job."""
    return record.state is State.UNCERTAIN


def give_up(library: Library, job: str) -> Record:
    """Give an uncertain job up, whatever became of it; return its record as it is then.

    Raises LibraryProblem for a job that is not uncertain, or that somebody works on.
    """
    lock = library.lock(job)
    try:
        if not lock.take():
            raise lock.problem(f"Job “{job}” is being worked on.", "Wait for it.")
        record = library.load(job)
        if not is_uncertain(record):
            raise LibraryProblem(f"Job “{job}” is not uncertain: it is {record.state}.")
        note = GIVEN_UP.format(record.submitted or "then")
        record = replace(record, state=State.CANCELLED, failure=None, notes=(*record.notes, note))
        library.save(record)
    except OSError as error:
        raise LibraryProblem(f"The library cannot be written to: {error.strerror}.") from error
    finally:
        lock.release()
    return record
