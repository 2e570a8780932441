# SPDX-License-Identifier: GPL-3.0-or-later
"""A batch always ends with its summary, JSON and a table that names the files it wrote."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import WORKER
from fakes.crowd import Crowd

from image_to_mesh.cli import batch as command
from image_to_mesh.cli import entry
from image_to_mesh.cli.batch_report import as_cell
from image_to_mesh.jobs import Library, Session
from image_to_mesh.jobs.batch.plan import Batch
from image_to_mesh.jobs.disk import plain_files as files
from image_to_mesh.jobs.steps.inputs import picture_from
from image_to_mesh.providers import Provider

Told = tuple[int, dict[str, Any], str]


@pytest.fixture
def batch(
    tmp_path: Path, rehearsal: Provider[Any], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Told]:  # fmt: skip
    """`image-to-mesh batch … --json`: the exit code, the last line, and standard error."""
    monkeypatch.setattr(entry, "find_blender", lambda environment: WORKER)

    def run(*words: object, provider: str = "rehearsal") -> Told:
        own = Session()
        monkeypatch.setattr("image_to_mesh.cli.batch.session", lambda: own)
        place = ("--library", str(tmp_path / "library"))
        code = entry.main(["batch", *map(str, words), "--provider", provider, *place, "--json"])
        out, errors = capsys.readouterr()
        return code, json.loads(out.splitlines()[-1]), errors

    return run


def table_of(folder: Path) -> list[dict[str, str]]:
    """The table that a batch wrote into the library."""
    with (folder / "library" / "batch.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def pictures(folder: Path, png: bytes, *names: str) -> list[Path]:
    """Make different pictures of these names."""
    made = []
    for number, name in enumerate(names):
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png + str(number).encode())
        made.append(path)
    return made


# -- one item's trouble is its own ---------------------------------------------------------------

ODD_NAMES = [
    b"bad-\xff\xfe.png",
    b"new\nline.png",
    b"\x1b[31mred.png",
    "\u202egnp.exe.png".encode(),
    "🐈👩\u200d🚀.png".encode(),
    b"x" * 251 + b".png",
    b"=cmd|'x'!A1.png",
    b'a,b;"c".png',
]


def is_shown_whole(text: str) -> bool:
    """Whether a terminal shows every character; the joiner of an emoji is part of the emoji."""
    return text.replace("👩\u200d🚀", "🚀").isprintable()


def test_files_with_undecodable_names_are_ordered_listed_and_printed(
    tmp_path: Path, crowd: Crowd, batch: Callable[..., Told], png: bytes
) -> None:
    (tmp_path / "in").mkdir()
    for number, name in enumerate(ODD_NAMES):
        Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/" + name)).write_bytes(
            png + str(number).encode()
        )
    code, said, errors = batch(tmp_path / "in", "--output", tmp_path / "out")
    assert (code, said["done"], said["ordered"]) == (0, len(ODD_NAMES), len(ODD_NAMES))
    rows = table_of(tmp_path)
    assert len({row["file"] for row in rows}) == len(ODD_NAMES)
    assert [row["file"] for row in rows if not Path(row["file"]).is_file()] == []
    assert [cell for row in rows for cell in row.values() if not is_shown_whole(cell)] == []
    assert [line for line in errors.splitlines() if not is_shown_whole(line)] == []
    code, again, _ = batch(tmp_path / "in", "--output", tmp_path / "out")
    assert (again["done"], again["ordered"]) == (len(ODD_NAMES), 0)
    assert [row["file"] for row in again["jobs"]] == [row["file"] for row in said["jobs"]]


def test_an_item_that_cannot_be_planned_fails_alone(
    tmp_path: Path, crowd: Crowd, batch: Callable[..., Told], png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    good, bad = pictures(tmp_path, png, "good.png", "bad.png")
    found = picture_from

    def odd(file: str, view: str) -> Any:
        if "bad" in file:
            raise RecursionError("what nobody thought of")
        return found(file, view)

    monkeypatch.setattr(command, "picture_from", odd)
    code, said, _ = batch(
        good, bad, "~nobody-at-all/x.png", "https://[::1/x.png", tmp_path / "none"
    )
    assert code != 0
    assert [row["error"] for row in said["jobs"]] == [
        None, "unexpected", "bad_image", "bad_image", "bad_image",
    ]  # fmt: skip
    assert (said["done"], said["failed"], len(crowd.pictures)) == (1, 4, 1)
    assert [row["error"] for row in table_of(tmp_path)] == ["", "unexpected", *["bad_image"] * 3]


def test_an_item_that_cannot_be_started_fails_alone(
    tmp_path: Path, crowd: Crowd, batch: Callable[..., Told], png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = pictures(tmp_path, png, "a.png", "b.png", "c.png")
    start = Session.start

    def odd(self: Session, spec: Any, **how: Any) -> str:
        if spec.pictures[0].name == "b":
            raise RuntimeError("can't start new thread")
        return start(self, spec, **how)

    monkeypatch.setattr(Session, "start", odd)
    _, said, _ = batch(*made)
    assert [row["error"] for row in said["jobs"]] == [None, "unexpected", None]
    assert "can't start new thread" in said["jobs"][1]["message"]
    assert said["done"] == 2


def test_an_aborted_batch_still_reports_what_was_ordered(
    tmp_path: Path, crowd: Crowd, batch: Callable[..., Told], png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = pictures(tmp_path, png, "a.png", "b.png")
    take = Batch._take

    def odd(self: Batch, item: Any, view: Any) -> None:
        take(self, item, view)
        raise ZeroDivisionError("within")

    monkeypatch.setattr(Batch, "_take", odd)
    _, said, _ = batch(*made)
    assert said["pictures"] == len(said["jobs"]) == 2
    assert [row for row in said["jobs"] if not row["job"]] == []
    assert [row for row in said["jobs"] if row["state"] != "ready" and not row["error"]] == []
    assert len(table_of(tmp_path)) == 2
    monkeypatch.undo()


def test_a_disk_that_is_full_for_the_table_still_gives_the_summary(
    tmp_path: Path, crowd: Crowd, batch: Callable[..., Told], png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = pictures(tmp_path, png, "a.png")
    write = files.write_whole

    def full(path: Path, data: bytes) -> None:
        if path.suffix == ".csv":
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr("image_to_mesh.cli.batch_report.write_whole", full)
    code, said, errors = batch(*made)
    assert (code, said["done"], said["csv"]) == (0, 1, None)
    assert "No space left on device" in errors


def test_a_broken_record_fails_its_item_alone(
    tmp_path: Path, crowd: Crowd, batch: Callable[..., Told], png: bytes
) -> None:
    made = pictures(tmp_path, png, "a.png", "b.png")
    batch(*made)
    kept = Library(tmp_path / "library")
    (first,) = (item.id for item in kept.all()[0] if item.name == "a")
    os.utime(kept.folder(first))  # the list looks again only at what has changed
    stamp = (kept.folder(first) / "job.json").stat()
    broken = (kept.folder(first) / "job.json").read_bytes().replace(b'"ready"', b'"\\ud83d"')
    (kept.folder(first) / "job.json").write_bytes(broken.ljust(stamp.st_size))
    _, said, _ = batch(*made)
    assert said["pictures"] == 2
    assert {row["state"] for row in said["jobs"]} == {"ready"}


def test_an_unreadable_folder_is_reported_with_the_others(
    tmp_path: Path, crowd: Crowd, batch: Callable[..., Told], png: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    made = pictures(tmp_path, png, "a.png")
    (tmp_path / "locked").mkdir()
    listing = Path.iterdir

    def raise_locked(self: Path) -> Any:
        if self.name == "locked":
            raise PermissionError(13, "Permission denied")
        return listing(self)

    monkeypatch.setattr(Path, "iterdir", raise_locked)
    code, said, _ = batch(tmp_path / "locked", *made)
    assert (code, said["done"], said["failed"]) == (2, 1, 1)
    assert "cannot be read: Permission denied" in said["jobs"][0]["message"]


# -- what is put where ---------------------------------------------------------------------------


def test_no_mesh_takes_the_place_of_another_even_when_run_again(
    tmp_path: Path, crowd: Crowd, batch: Callable[..., Told], png: bytes
) -> None:
    made = pictures(
        tmp_path, png, "a.png", "a-2.png", "sub/a.png", "x/A.PNG", "y/nul.png", "y/e:.png"
    )
    _, said, _ = batch(*made, "--output", tmp_path / "out")
    files = [Path(row["file"]).name for row in said["jobs"]]
    assert files == ["a.glb", "a-2.glb", "a-3.glb", "A-4.glb", "nul_.glb", "e_.glb"]
    assert len(list((tmp_path / "out").iterdir())) == len(made)
    assert [Path(row["file"]).name for row in table_of(tmp_path)] == files
    made[0].unlink()  # what fails keeps its place
    _, again, _ = batch(*made, "--output", tmp_path / "out")
    names = [row["file"] and Path(row["file"]).name for row in again["jobs"]]
    assert names == [None, *files[1:]]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", " =1"), ("\r=1", " =1"), ("\uff1d1", "'\uff1d1"), ("\0=1", "'=1"),
        ("\u200b=1", "'=1"), ("\x1b[31m=1", "'=1"), ("cup.png", "cup.png"), ("", ""),
        (-1.5, -1.5), (None, None), ("half\ud83d", "half�"),
    ],
)  # fmt: skip
def test_no_cell_of_the_table_is_a_formula(value: object, cell: object) -> None:
    assert as_cell(value) == cell


def test_a_formula_from_a_record_or_a_services_words_is_quoted_in_the_table(
    tmp_path: Path, crowd: Crowd, batch: Callable[..., Told], png: bytes
) -> None:
    made = pictures(tmp_path, png, "=a.png")
    batch("=nothing://x", "=1+1", *made)
    rows = table_of(tmp_path)
    assert rows[0]["image"] == "'=nothing://x"
    assert not [item for row in rows for item in row.values() if item[:1] in tuple("=+-@\t\r")]


# -- patterns ------------------------------------------------------------------------------------


def test_patterns_are_expanded_where_the_shell_does_not(
    tmp_path: Path, crowd: Crowd, batch: Callable[..., Told], png: bytes
) -> None:
    made = pictures(tmp_path, png, "b.png", "a.png", "[1].png", "sub/c.png", "notes.txt")
    place = tmp_path / "in"
    for pattern, names in (
        ("*.png", ["[1].png", "a.png", "b.png"]),
        ("[1].png", ["[1].png"]),
        ("?.png", ["a.png", "b.png"]),
        ("**/c.*", ["c.png"]),
        ("s*", ["c.png"]),
    ):
        _, said, _ = batch(place / pattern)
        assert [Path(row["image"]).name for row in said["jobs"]] == names, pattern
        assert said["failed"] == 0
    assert len(made) == 5
    code, said, _ = batch(place / "*.gif", made[0])
    assert (code, said["done"], said["failed"]) == (2, 1, 1)
    assert "No file matches" in said["jobs"][0]["message"]
