# SPDX-License-Identifier: GPL-3.0-or-later
"""Records that are cut, garbled, mistyped, newer, huge, or links: none affects another."""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.running import end_of, order_for
from fakes.service import Service

from image_to_mesh.jobs import Failure, Library, Record, Session, State
from image_to_mesh.jobs.import_plan import ImportPlan, Placement
from image_to_mesh.jobs.library import migrations
from image_to_mesh.jobs.library.file_names import RECORD
from image_to_mesh.jobs.library.migrations import SCHEMA, STEPS
from image_to_mesh.jobs.library.recovery import ResumeContext
from image_to_mesh.jobs.library.store import MAX_RECORD
from image_to_mesh.providers import LibraryProblem, Message, Provider, RemoteFile

COUNT = 200
SEED = 7
ODD: tuple[Any, ...] = (
    *(None, True, -1, 2**70, 1e308, float("nan"), "", "x", "\u0000", "..", "../../etc/passwd"),
    *([], {}, [[]], {"a": {}}, "2026", ["a"] * 50, {"url": 3}, "ready", "submitting"),
)


def record(job: str, **changes: Any) -> Record:
    """Return a record that is whole."""
    made = Record(
        id=job,
        state=State.RUNNING,
        provider="tripo",
        name="cup",
        created="2026-01-01T00:00:00+00:00",
        ticket={"task": "t"},
        files=(RemoteFile("https://example.com/a.glb"),),
        plan=ImportPlan("f", placement=Placement((0.0, 1.0, 2.0))),
    )
    return replace(made, **changes)


# -- what can become of a file -------------------------------------------------------------------


def _cut(path: Path, chance: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data) - 1)])


def _garble(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 40)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(data)


def _wrong_type(path: Path, chance: random.Random) -> None:
    data = json.loads(path.read_text())
    for name in chance.sample(sorted(data), chance.randint(1, 4)):
        data[name] = chance.choice(ODD)
    path.write_text(json.dumps(data))


def _missing(path: Path, chance: random.Random) -> None:
    data = json.loads(path.read_text())
    for name in chance.sample(sorted(data), chance.randint(1, 10)):
        del data[name]
    path.write_text(json.dumps(data))


def _of_the_future(path: Path, chance: random.Random) -> None:
    data = json.loads(path.read_text())
    data["schema"] = chance.choice([SCHEMA + 1, 99, 2**80, -1, 0, "2", 1.5, True, None])
    path.write_text(json.dumps(data))


def _other_json(path: Path, chance: random.Random) -> None:
    path.write_text(chance.choice(["null", "[]", "3", '"a"', "{}", "", "[" * 50_000, "1" * 5000]))


def _huge(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.truncate(MAX_RECORD + chance.randint(1, 10**9))


def _link(path: Path, chance: random.Random) -> None:
    path.unlink()
    path.symlink_to(chance.choice(["/dev/zero", "/etc/hostname", "job.json", "nowhere"]))


def _pipe(path: Path, chance: random.Random) -> None:
    if sys.platform == "win32":
        pytest.skip("not on Windows")
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path, chance: random.Random) -> None:
    path.unlink()
    path.mkdir()


SPOILED: tuple[Callable[[Path, random.Random], None], ...] = (
    *(_cut, _garble, _wrong_type, _missing, _of_the_future),
    *(_other_json, _huge, _link, _folder),
    *(() if sys.platform == "win32" else (_pipe,)),
)


@pytest.mark.once
def test_damaged_records_are_reported_and_the_others_are_listed(tmp_path: Path) -> None:
    library, chance = Library(tmp_path), random.Random(SEED)
    whole = [f"whole-{number:03}" for number in range(COUNT // 10)]
    for job in whole:
        library.create(record(job), {})
    for number in range(COUNT):
        job = f"spoiled-{number:03}"
        library.create(record(job), {"front.png": b"picture"})
        spoil = SPOILED[number % len(SPOILED)]
        spoil(tmp_path / job / RECORD, chance)
    before = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*"))
    records, problems = library.all()
    read = {item.id for item in records}
    assert read >= set(whole)
    assert len(records) + len(problems) == COUNT + len(whole)
    assert len(problems) > COUNT // 2
    assert [text for text in problems if "Traceback" in text or len(text) >= 400] == []
    assert {item.id for item in library.open_jobs()} >= set(whole)
    for item in records:
        assert [name for name in item.names() if "/" in name] == []
        library.save(item)
    library.sweep()
    assert sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*")) == before


@pytest.mark.once
def test_damaged_records_do_not_stop_other_jobs_from_being_resumed(
    running: Session, tmp_path: Path, png: bytes, rehearsal: Provider[Any], service: Service
) -> None:
    spec = order_for(tmp_path, png, service)
    view = end_of(running, running.start(spec))
    running.join(5.0)
    library, chance = Library(tmp_path), random.Random(SEED)
    library.save(replace(library.load(view.job), state=State.RUNNING, blend=None))
    for spoil in SPOILED:
        library.create(record(f"spoiled-{spoil.__name__}"), {})
        spoil(tmp_path / f"spoiled-{spoil.__name__}" / RECORD, chance)
    again = Session()
    keys = {"rehearsal": spec.keys}
    again.recovery.scan(
        ResumeContext(tmp_path, keys, {"rehearsal": service.url}, blender=spec.blender)
    )
    assert end_of(again, view.job).state is State.READY
    again.close(2.0)
    assert len(service.submits) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mesh", "../../secret"),
        ("mesh", "job.json"),
        ("blend", "/etc/passwd"),
        ("preview", "a/b.png"),
        ("files", [{"url": "", "file": "../x"}]),
        ("pictures", [{"view": "front", "name": "a", "file": ".."}]),
    ],
)
def test_a_record_never_leads_out_of_its_folder(tmp_path: Path, name: str, value: Any) -> None:
    library = Library(tmp_path)
    library.create(record("a"), {})
    path = tmp_path / "a" / RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), name: value}))
    with pytest.raises(LibraryProblem, match="refers to a file in another folder"):
        library.load("a")


# -- older versions ------------------------------------------------------------------------------


def test_every_older_schema_has_a_migration() -> None:
    assert set(STEPS) == set(range(1, SCHEMA))


def test_a_schema_1_record_keeps_its_meaning(tmp_path: Path) -> None:
    library = Library(tmp_path)
    for job, state in (("a", "ready"), ("b", "queued")):
        library.create(record(job, submitted="2026-01-01T00:00:00+00:00"), {})
        path = tmp_path / job / RECORD
        old = {**json.loads(path.read_text()), "schema": 1, "state": state}
        del old["dismissed"]
        path.write_text(json.dumps(old))
    assert not library.load("a").offered
    assert library.load("b").submitted is None
    assert [item.id for item in library.open_jobs()] == ["b"]
    library.save(library.load("a"))
    assert json.loads((tmp_path / "a" / RECORD).read_text())["schema"] == SCHEMA


def test_migrations_run_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def second(old: dict[str, Any]) -> None:
        old["steps"] = [*old.get("steps", []), 2]

    monkeypatch.setattr(migrations, "SCHEMA", 3)
    monkeypatch.setattr(migrations, "STEPS", {1: lambda old: old.update(steps=[1]), 2: second})
    assert migrations.migrate({"schema": 1}, "a") == {"schema": 3, "steps": [1, 2]}
    assert migrations.migrate({"schema": 3}, "a") == {"schema": 3}


# -- sentences -----------------------------------------------------------------------------------


def test_sentences_keep_their_templates(tmp_path: Path) -> None:
    library = Library(tmp_path)
    message = Message("{provider} answered {status}.", provider="Tripo", status=502)
    note = Message("{name} is sent as {format}.", name="{cup}", format=Message("a JPEG"))
    failure = Failure("unreachable", message, "Try again later.")
    library.create(record("job", failure=failure, notes=(note, "plain")), {})
    kept = json.loads((tmp_path / "job" / RECORD).read_text("utf-8"))
    assert kept["failure"]["message"] == "Tripo answered 502."
    assert kept["notes"] == ["{cup} is sent as a JPEG.", "plain"]
    assert kept["templates"]["Tripo answered 502."]["template"] == message.template
    found = library.load("job")
    assert found.failure is not None
    assert [getattr(text, "template", None) for text in (
        found.failure.message, found.failure.hint, *found.notes
    )] == [message.template, None, note.template, None]  # fmt: skip
    library.save(found)
    assert json.loads((tmp_path / "job" / RECORD).read_text("utf-8")) == kept


def test_sentences_of_older_records_stay_as_they_are(tmp_path: Path) -> None:
    library = Library(tmp_path)
    failure = Failure("unreachable", "Tripo answered 502.", "Try again later.")
    library.create(record("job", failure=failure, notes=("A note.",)), {})
    path = tmp_path / "job" / RECORD
    data = json.loads(path.read_text("utf-8"))
    del data["templates"]
    path.write_text(json.dumps(data), "utf-8")
    found = library.load("job")
    assert (found.failure, found.notes) == (failure, ("A note.",))


@pytest.mark.parametrize("templates", ODD)
def test_invalid_templates_damage_no_record(tmp_path: Path, templates: Any) -> None:
    library = Library(tmp_path)
    library.create(record("job", notes=("A note.",)), {})
    path = tmp_path / "job" / RECORD
    data = json.loads(path.read_text("utf-8"))
    for odd in (templates, {"A note.": templates}, {"A note.": {"template": "x", "values": {}}}):
        data["templates"] = odd
        path.write_text(json.dumps(data), "utf-8")
        assert library.load("job").notes == ("A note.",)
