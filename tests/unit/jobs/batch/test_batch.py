# SPDX-License-Identifier: GPL-3.0-or-later
"""`batch`: many images, each paid for once, also after an interruption."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import places
import pytest
from fakes import FAKES, WORKER
from fakes.crowd import Crowd

from image_to_mesh.cli import entry
from image_to_mesh.jobs import Library, Record, Session, State
from image_to_mesh.jobs.steps import system_decoders
from image_to_mesh.providers import Provider

DRIVER = """
import sys
from image_to_mesh import providers
from image_to_mesh.cli import entry
providers.__path__.append({services!r})
entry.find_blender = lambda environment: None
sys.exit(entry.main(sys.argv[1:]))
"""
Told = tuple[int, dict[str, Any]]


@pytest.fixture
def pictures(tmp_path: Path, png: bytes) -> Callable[[int], Path]:
    """A function that writes this many different images and returns their folder."""

    def make(number: int) -> Path:
        folder = tmp_path / "pictures"
        folder.mkdir(exist_ok=True)
        for item in range(number):
            (folder / f"cup{item:03}.png").write_bytes(png + str(item).encode())
        return folder

    return make


@pytest.fixture
def batch(
    tmp_path: Path, rehearsal: Provider[Any], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Told]:  # fmt: skip
    """`image-to-mesh batch … --json` in this process: the exit code and the last line."""
    monkeypatch.setattr(entry, "find_blender", lambda environment: WORKER)

    def run(*words: object, provider: str = "rehearsal") -> Told:
        own = Session()
        monkeypatch.setattr("image_to_mesh.cli.batch.session", lambda: own)
        library = ("--library", str(tmp_path / "library"))
        code = entry.main(
            ["batch", *map(str, words), "--provider", provider, *library, "--json", "--quiet"]
        )
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def library(folder: Path) -> Library:
    """The library of a test."""
    return Library(folder / "library")


def change(folder: Path, name: str, **changes: Any) -> Record:
    """Change the record of a picture's job; return the record as it was."""
    (record,) = [row for row in library(folder).all()[0] if row.name == name]
    library(folder).save(replace(record, **changes))
    return record


def test_a_batch_orders_each_image_once_and_never_again(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd, tmp_path: Path
) -> None:
    folder = pictures(12)
    code, said = batch(folder, "--output", tmp_path / "out")
    assert code == 0
    assert (said["pictures"], said["done"], said["ordered"], said["credits"]) == (12, 12, 12, 24.0)
    assert (len(crowd.tasks), len(set(crowd.pictures)), crowd.refused) == (12, 12, [])
    assert len(list((tmp_path / "out").glob("cup*.glb"))) == 12
    with Path(said["csv"]).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["image"]).name for row in rows] == [
        f"cup{number:03}.png" for number in range(12)
    ]
    assert {(row["state"], row["credits"]) for row in rows} == {("ready", "2.0")}

    code, said = batch(folder)
    assert (code, said["done"], said["ordered"], said["credits"]) == (0, 12, 0, 0)
    pictures(13)
    code, said = batch(folder)
    assert (code, said["done"], said["ordered"], len(crowd.tasks)) == (0, 13, 1, 13)
    code, said = batch(folder, "--set", "pbr=true")
    assert (code, said["ordered"], len(crowd.tasks)) == (0, 13, 26)


def test_the_same_picture_under_two_names_is_two_meshes(
    batch: Callable[..., Told], crowd: Crowd, tmp_path: Path, png: bytes
) -> None:
    folder = tmp_path / "same"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (folder / name).write_bytes(png)
    assert batch(folder, folder / "a.png")[1]["ordered"] == 3
    assert batch(folder)[1]["ordered"] == 0
    (folder / "d.png").write_bytes(png)
    assert batch(folder)[1]["ordered"] == 1
    assert len(crowd.tasks) == 4


def test_one_failure_does_not_stop_the_others(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd, tmp_path: Path
) -> None:
    folder = pictures(6)
    (folder / "cup002.png").write_text("no picture")
    crowd.fails = {3}
    code, said = batch(folder, tmp_path / "gone.png")
    assert (said["done"], said["failed"], said["pictures"]) == (4, 3, 7)
    errors = {Path(job["image"]).name: job["error"] for job in said["jobs"] if job["error"]}
    assert sorted(errors.values()) == ["bad_image", "bad_image", "failed"]
    assert code in (1, 2)
    again = batch(folder)[1]
    assert (again["failed"], again["ordered"], len(crowd.tasks)) == (2, 0, 5)  # it may have cost
    again = batch(folder, "--retry-failed")[1]
    assert (again["failed"], again["ordered"], len(crowd.tasks)) == (1, 1, 6)


def test_a_refused_order_costs_nothing_and_is_ordered_again(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd
) -> None:
    crowd.refuse = {2: 402}
    code, said = batch(pictures(4))
    assert (code, said["done"], said["failed"]) == (4, 3, 1)
    code, said = batch(pictures(4))
    assert (code, said["done"], said["ordered"], len(crowd.tasks)) == (0, 4, 1, 4)


def test_a_batch_stops_when_every_order_would_be_refused(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd
) -> None:
    crowd.refuse = dict.fromkeys(range(1000), 402)
    code, said = batch(pictures(60), "--jobs", "2")
    assert (code, said["failed"], said["done"]) == (4, 60, 0)
    assert crowd.asked < 20
    crowd.refuse = {}
    assert batch(pictures(60))[1]["ordered"] == 60


def test_an_uncertain_order_is_reported_and_never_sent_again(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd, tmp_path: Path
) -> None:
    batch(pictures(3))
    change(tmp_path, "cup001", state=State.UNCERTAIN, ticket=None)
    change(
        tmp_path, "cup002", state=State.SUBMITTING, ticket=None, submitted="2026-01-01T00:00:00Z"
    )
    for mesh in library(tmp_path).root.glob("*cup00[12]*/mesh.glb"):
        mesh.unlink()  # what came with an answer would be taken
    for words in ((), ("--retry-failed",)):
        code, said = batch(pictures(3), *words)
        assert (code, said["done"], said["uncertain"], said["ordered"]) == (6, 1, 2, 0)
    assert len(crowd.tasks) == 3


def test_a_batch_resumes_its_unfinished_jobs(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd, tmp_path: Path
) -> None:
    batch(pictures(3))
    change(tmp_path, "cup000", state=State.RUNNING, mesh=None, files=())
    change(tmp_path, "cup001", state=State.PREPARING)
    code, said = batch(pictures(3))
    assert (code, said["done"], len(crowd.tasks)) == (0, 3, 3)


def test_a_table_gives_settings_per_row_and_reports_its_errors(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd, tmp_path: Path
) -> None:
    pictures(4)
    table = tmp_path / "list.csv"
    table.write_text(
        "image,provider,face_limit,left\n"
        "pictures/cup000.png,rehearsal,500,pictures/cup003.png\n"
        "pictures/cup001.png,,,\n"
        "pictures/cup002.png,nobody,,\n"
        "pictures/cup003.png,rehearsal,3,\n"
    )
    code, said = batch(table, provider="rehearsal")
    kinds = [job["error"] for job in said["jobs"]]
    assert (code, kinds) == (2, [None, None, "invalid_settings", "invalid_settings"])
    assert (said["ordered"], len(crowd.tasks)) == (2, 2)
    record = library(tmp_path).load(said["jobs"][0]["job"])
    assert (record.settings["face_limit"], len(record.pictures)) == (500, 2)


def test_a_batch_respects_a_lower_limit_of_the_service(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd
) -> None:
    crowd.places, crowd.takes = 3, 0.5  # longer than a slow machine takes to order the next
    code, said = batch(pictures(24))
    assert (code, said["done"], len(crowd.tasks)) == (0, 24, 24)
    assert 1 <= len(crowd.refused) <= 20


def test_the_jobs_option_limits_parallel_jobs(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd
) -> None:
    crowd.places = 2
    assert batch(pictures(8), "--jobs", "2")[0] == 0
    assert not crowd.refused, "the service refused orders"


@pytest.mark.parametrize(
    ("words", "code"),
    [(["nowhere"], 2), ([], 2), ([".", "--jobs", "0"], 2), ([".", "--provider", "nobody"], 2)],
)
def test_wrong_usage_sends_nothing(
    words: list[str], code: int, crowd: Crowd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert entry.main(["batch", *words, "--library", str(tmp_path / "library")]) == code
    assert "Traceback" not in capsys.readouterr().err
    assert not crowd.asked, "an order was sent"


def test_every_mesh_is_prepared_for_blender(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd, tmp_path: Path
) -> None:
    assert batch(pictures(6))[1]["done"] == 6
    assert batch(pictures(6), provider="local")[1]["done"] == 6
    assert len(list(library(tmp_path).root.glob("*/model.blend"))) == 12


def test_only_one_batch_works_in_a_library(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd, tmp_path: Path
) -> None:
    lock = library(tmp_path).lock("batch")
    assert lock.take()
    folder = pictures(2)
    code, said = batch(folder)
    assert (code, said["error"]["kind"], crowd.asked) == (2, "library", 0)
    lock.release()
    assert batch(folder)[0] == 0


def test_without_a_key_nothing_is_started(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("REHEARSAL_API_KEY")
    code, said = batch(pictures(2))
    assert (code, {job["error"] for job in said["jobs"]}) == (3, {"missing_key"})
    assert not crowd.asked, "an order was sent"


def test_an_answered_order_is_not_reported_as_uncertain(
    batch: Callable[..., Told], pictures: Callable[[int], Path], crowd: Crowd
) -> None:
    """The batch ends between the answer to an order and the first look at its task."""
    crowd.silent.set()

    def interrupt() -> None:
        while crowd.polls < 4:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    code, said = batch(pictures(4))
    crowd.silent.clear()
    assert (code, said["uncertain"], said["unfinished"], said["ordered"]) == (130, 0, 4, 4)
    code, said = batch(pictures(4))
    assert (code, said["done"], said["ordered"], len(crowd.tasks)) == (0, 4, 0, 4)


def _command(folder: Path, place: Path) -> list[str]:
    code = DRIVER.format(services=str(FAKES / "services"))
    return [sys.executable, "-B", "-c", code, "batch", str(folder), "--provider", "rehearsal",
            "--library", str(place), "--quiet", "--json"]  # fmt: skip


@pytest.mark.once
@pytest.mark.timeout(180)
def test_200_pictures_interrupted_at_random_and_run_again_are_200_orders(
    pictures: Callable[[int], Path], crowd: Crowd, tmp_path: Path
) -> None:
    crowd.takes = 0.2
    folder, place = pictures(200), tmp_path / "library"
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    chance = random.Random(seed)
    print(f"SEED={seed}")
    for word in (signal.SIGINT, signal.SIGTERM):
        stop_at = len(crowd.tasks) + chance.randrange(1, 60)
        process = subprocess.Popen(
            _command(folder, place),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until = time.monotonic() + 60
        while len(crowd.tasks) < stop_at and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(chance.random() * 0.1)
        process.send_signal(word)
        out, complaints = process.communicate(timeout=60)
        assert process.returncode == 130, (word, complaints, out)
        said = json.loads(out.splitlines()[-1])
        assert said["uncertain"] == 0, [job for job in said["jobs"] if job["error"]]
        assert said["unfinished"] > 0
    done = subprocess.run(_command(folder, place), stdout=subprocess.PIPE, text=True, timeout=100)
    said = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, said["done"]) == (0, 200)
    assert (len(crowd.tasks), len(set(crowd.pictures))) == (200, 200)


@pytest.mark.parametrize("decoders", ["system", "none"])
def test_a_photo_of_a_phone_is_converted_or_says_what_to_do(
    batch: Callable[..., Told],
    crowd: Crowd,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    decoders: str,
) -> None:
    """A folder with a HEIC photo: it is found, and decoded if the system can do that."""
    if decoders == "none":
        monkeypatch.setattr(system_decoders, "DECODERS", {"linux": ()})
    elif not any(shutil.which(name) for name in ("heif-dec", "heif-convert")):
        pytest.skip("libheif's heif-convert is not installed")
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(places.ROOT / "tests" / "data" / "dahlia.heic", folder)
    code, told = batch(folder)
    records = Library(tmp_path / "library").all()[0]
    if decoders == "system":
        assert (code, told["done"]) == (0, 1)
        assert [record.state for record in records] == [State.READY]
    else:
        assert code != 0
        assert "JPEG" in json.dumps(told), told
        assert not records
