# SPDX-License-Identifier: GPL-3.0-or-later
"""Migrations of records from older schemas, one function for each schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...providers import LibraryProblem, Message

SCHEMA = 2
REPAIR = "Delete the job's folder, or repair the file."


def _from_1(record: dict[str, Any]) -> None:
    """Convert a record from schema 1 to 2, in place.

    Results of jobs with schema 1 were never offered to the user, so finished jobs are marked as
    seen. Schema 1 kept the time of submission of refused orders. It is removed from queued jobs,
    because in schema 2 it means that the order may have been sent.
    """
    if record.get("state") == "ready":
        record["dismissed"] = True
    if record.get("state") == "queued":
        record["submitted"] = record["request_hash"] = None


STEPS: Mapping[int, Callable[[dict[str, Any]], None]] = {1: _from_1}
"""For each schema, a function that converts a decoded record to the next schema, in place."""


def migrate(record: dict[str, Any], job: str) -> dict[str, Any]:
    """Return a copy of a decoded record, converted to the current schema.

    A record that names no schema has schema 1. Raises LibraryProblem if the schema is newer than
    the current one, or not valid.
    """
    schema = record.get("schema", 1)
    if type(schema) is not int or schema < 1:  # not `isinstance`, which takes True for 1
        raise LibraryProblem(
            Message(
                "The record of job “{job}” has the invalid schema “{schema}”.",
                job=job,
                schema=schema,
            ),
            REPAIR,
        )
    if schema > SCHEMA:
        raise LibraryProblem(
            Message("Job “{job}” was created by a newer version of Image to Mesh.", job=job),
            "Update the add-on.",
        )
    record = dict(record)
    for step in range(schema, SCHEMA):
        STEPS[step](record)
    return {**record, "schema": SCHEMA}
