# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of job.json agrees with the code, and accepts records of today and of 0.1.0."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import job_schema
import places
import pytest
from fakes.running import Orders, end_of, spec_for
from jsonschema import Draft202012Validator

from image_to_mesh.jobs import Session, State
from image_to_mesh.jobs.import_plan import ImportPlan, Placement
from image_to_mesh.jobs.values import JobView, Record

OLD = sorted((places.ROOT / "tests/data/0.1.0/library").glob("*/job.json"))
PLAN = ImportPlan("token", "Scene", Placement((1.0, 2.0, 3.0), spacing=0.5), {"weld": True}, True)
AGAIN = "differs from the code: run make schema"


@cache
def schema() -> dict[str, Any]:
    """Return the schema in the repository."""
    read: dict[str, Any] = json.loads(job_schema.SCHEMA_FILE.read_text("utf-8"))
    return read


def problems_of(record: Any) -> list[str]:
    """Return the schema's objections to a record."""
    errors = Draft202012Validator(schema()).iter_errors(record)
    return [f"{error.json_path}: {error.message}" for error in errors]


def read_record(library: Path, view: JobView) -> dict[str, Any]:
    """Return a job's record as it is on disk."""
    read: dict[str, Any] = json.loads((library / view.job / "job.json").read_text("utf-8"))
    return read


def assert_all_keys_are_described(record: dict[str, Any]) -> None:
    """Compare the keys of a whole record with the schema's, on both levels."""
    assert set(record) == set(schema()["properties"])
    assert set(record["place"]) in (set(), set(schema()["properties"]["place"]["properties"]))


def test_the_schema_and_the_table_are_those_of_the_code() -> None:
    generated = job_schema.job_schema()
    text = job_schema.SCHEMA_FILE.read_text("utf-8")
    assert text == job_schema.schema_text(generated), f"docs/dev/job.schema.json {AGAIN}"
    page = job_schema.page_with(job_schema.key_table(generated))
    assert job_schema.PAGE.read_text("utf-8") == page, f"docs/dev/job-json.md {AGAIN}"


def test_the_schema_is_valid_itself_and_describes_every_key() -> None:
    Draft202012Validator.check_schema(schema())
    assert [path for path, _ in job_schema.keys_of(schema())] == list(job_schema.DESCRIPTIONS)


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.parent.name)
def test_records_of_0_1_0_are_valid(path: Path) -> None:
    assert problems_of(json.loads(path.read_text("utf-8"))) == []


def test_there_is_a_record_of_0_1_0_in_every_state() -> None:
    assert {json.loads(path.read_text("utf-8"))["state"] for path in OLD} == set(State)


def test_the_record_of_a_finished_job_is_valid(orders: Orders) -> None:
    record = read_record(orders.library, orders.end(plan=PLAN))
    assert record["state"] == "ready"
    assert record["place"]["mending"] == {"weld": True}
    assert problems_of(record) == []
    assert_all_keys_are_described(record)


def test_the_record_of_a_local_job_is_valid(running: Session, tmp_path: Path, png: bytes) -> None:
    record = read_record(tmp_path, end_of(running, running.start(spec_for(tmp_path, png))))
    assert problems_of(record) == []
    assert_all_keys_are_described(record)


def test_a_failure_with_its_template_is_valid(orders: Orders) -> None:
    orders.service.submit_errors = [500]
    record = read_record(orders.library, orders.end())
    assert record["failure"]["kind"] == "failed"
    assert problems_of(record) == []


def test_sentences_in_sentences_are_valid(tmp_path: Path) -> None:
    from image_to_mesh.jobs.library.record_json import encode_record
    from image_to_mesh.providers import Message

    note = Message("{a} and {b}", a=Message("{n} faces", n=3), b=True)
    record = Record("a", State.READY, "local", "cup", "2026-01-01T00:00:00+00:00", notes=(note,))
    encoded = json.loads(encode_record(replace(record, own=False)))
    assert encoded["templates"]["3 faces and True"]["values"]["a"]["values"] == {"n": 3}
    assert problems_of(encoded) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", None),
        ("state", "sleeping"),
        ("schema", 99),
        ("pictures", [{"name": "cup"}]),
        ("pictures", [{"view": "front", "name": "cup", "file": None, "info": {"width": "64"}}]),
        ("place", {"location": [0.0, 1.0]}),
        ("place", {"measure": "width"}),
        ("files", [{"url": "https://example.com/a.glb", "role": "texture"}]),
        ("faces", 1.5),
        ("notes", [3]),
        ("failure", {"kind": "failed"}),
        ("templates", {"A note.": {"template": "A note."}}),
        ("templates", {"A note.": {"template": "{a}", "values": {"a": []}}}),
    ],
)
def test_what_is_no_record_is_not_valid(key: str, value: Any) -> None:
    record = json.loads(OLD[0].read_text("utf-8"))
    assert problems_of(record) == []
    assert problems_of({**record, key: value})


def test_only_what_every_version_wrote_is_required() -> None:
    record = json.loads(OLD[0].read_text("utf-8"))
    required = schema()["required"]
    assert required == ["id", "state", "provider", "name", "created"]
    assert problems_of({name: record[name] for name in required}) == []
