# SPDX-License-Identifier: GPL-3.0-or-later
"""Uncertain orders: those that the service may or may not have received."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ...providers import LibraryProblem, Message, all_providers, os_reason
from ..values import Record, State
from .store import Library

GIVEN_UP = (
    "Discarded: the service may have received the job at {time}, and may still charge for it."
)


def submission_time(record: Record) -> str:
    """Return when a job's order was sent, in local time: "2026-11-30 14:05"."""
    try:
        time = datetime.fromisoformat(record.submitted or "").astimezone()
    except (ValueError, OverflowError, OSError):
        return Message.of("an unknown time")
    return time.strftime("%Y-%m-%d %H:%M")


def describe_uncertain(record: Record) -> tuple[str, ...]:
    """Return sentences about an uncertain order: what is known, and what to check."""
    provider = all_providers().get(record.provider)
    label = provider.label if provider else record.provider
    when = submission_time(record)
    sentences: list[str] = [
        Message("Submitted to {provider} at {when}.", provider=label, when=when)
    ]
    if record.request_hash:
        sentences = [
            Message(
                "Submitted to {provider} at {when} (request {mark}).",
                provider=label,
                when=when,
                mark=record.request_hash[:12],
            )
        ]
    if record.failure is not None:
        sentences += [record.failure.message, record.failure.hint]
    else:
        sentences.append(
            Message("No response arrived: {provider} may charge for this job.", provider=label)
        )
    sentences += record.notes
    if provider is not None and provider.lookup_name:
        sentences.append(
            Message(
                "If {provider} lists the task, attach its {id}.",
                provider=label,
                id=Message.of(provider.lookup_name),
            )
        )
    return tuple(sentence for sentence in sentences if sentence)


def is_uncertain(record: Record) -> bool:
    """Return whether the user has to resolve the job's order."""
    return record.state is State.UNCERTAIN


def was_submitted(record: Record) -> bool:
    """Return whether the job's order was sent, so that it may be charged."""
    return bool(record.submitted or record.ticket)


def give_up(library: Library, job: str) -> Record:
    """Mark an uncertain or unfinished job as canceled.

    If its order was sent, a note says that it may still be charged. Returns the new record. Raises
    LibraryProblem if the job has another end, a process is working on it, or the library cannot be
    written to.
    """
    # Under the lock, because another process may be searching for the task right now.
    lock = library.lock(job)
    try:
        if not lock.take():
            raise lock.problem(
                Message("Job “{job}” is still running.", job=job), "Wait until it is finished."
            )
        record = library.load(job)
        if record.state.over and not is_uncertain(record):
            raise LibraryProblem(
                Message(
                    "Job “{job}” has already ended (state: {state}).",
                    job=job,
                    state=Message.of(record.state.shown),
                ),
                "Delete it if you do not need it.",
            )
        note = Message(GIVEN_UP, time=submission_time(record))
        notes = (*record.notes, note) if was_submitted(record) else record.notes
        record = replace(record, state=State.CANCELLED, failure=None, notes=notes)
        library.save(record)
    except OSError as error:
        raise LibraryProblem(
            Message("The library cannot be written to: {reason}.", reason=os_reason(error)),
            "Choose another library folder, or free up disk space.",
        ) from error
    finally:
        lock.release()
    return record
