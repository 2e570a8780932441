# SPDX-License-Identifier: GPL-3.0-or-later
"""The soak test detects each kind of fault that it exists for, and nothing else."""

from __future__ import annotations

import http.client
import json
import random
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import soak
from fakes import hostile, ordered
from fakes.ordered import Lane, Ordered
from fakes.tripo import TripoV3
from fakes.tripo_server import KEY, serving

MESH = b"glTF mesh"


def _record(root: Path, number: int, state: str = "ready", **more: Any) -> Path:
    folder = root / "library" / f"job-{number}"
    folder.mkdir(parents=True)
    record = {"id": folder.name, "name": f"{number:04d}", "state": state, "provider": "tripo",
              "mesh": "mesh.glb", "ticket": {"task": f"task-{number}"}, **more}  # fmt: skip
    (folder / "job.json").write_text(json.dumps(record), "utf-8")
    (folder / "mesh.glb").write_bytes(MESH)
    return folder


def _verdicts(root: Path, orders: list[Ordered], *, names: bool = True) -> list[str]:
    (root / "tmp").mkdir(exist_ok=True)
    lane = Lane("tripo", {}, lambda: orders, MESH, names, ())
    run = soak.Soak(root, (lane,), ["tripo", "tripo"], random.Random(1))
    run.judge()
    return run.problems


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A library with the meshes of two pictures."""
    _record(tmp_path, 0)
    _record(tmp_path, 1)
    return tmp_path


BOTH = [Ordered(0, "task-0"), Ordered(1, "task-1")]


def test_a_valid_library_reports_no_problem(two: Path) -> None:
    assert _verdicts(two, BOTH) == []


def test_an_image_that_was_ordered_twice_is_reported(two: Path) -> None:
    told = _verdicts(two, [*BOTH, Ordered(1, "task-2")])
    assert told[0] == "tripo took picture 1 2 times"
    assert "its record: " in told[1]
    assert "its order: " in told[2]
    assert "no record knows" in told[-1]


def test_a_missing_or_wrong_mesh_is_reported(tmp_path: Path) -> None:
    _record(tmp_path, 0).joinpath("mesh.glb").write_bytes(MESH[:4])
    told = _verdicts(tmp_path, BOTH[:1])
    assert told == ["tripo gave no mesh of picture 1", "the mesh of picture 0 is not what was sent"]


def test_an_order_that_cannot_be_found_may_stay_uncertain(tmp_path: Path) -> None:
    _record(tmp_path, 0)
    _record(tmp_path, 1, "uncertain", ticket=None)
    nameless = [Ordered(0, ""), Ordered(1, "")]
    assert _verdicts(tmp_path, nameless, names=False) == []
    assert len(_verdicts(tmp_path, BOTH)) == 2


@pytest.mark.parametrize(
    "leftover", ["tmp/tmpabc", "library/.new-1/a", "library/job-0/.job.json.new"]
)
def test_leftover_files_and_processes_are_reported(two: Path, leftover: str) -> None:
    (two / leftover).parent.mkdir(parents=True, exist_ok=True)
    (two / leftover).write_bytes(b"")
    assert len(_verdicts(two, BOTH)) == 1


def _rounds(**change: Callable[[int], float]) -> list[dict[str, float]]:
    usual = {"memory": 50.0, "handles": 4.0, "threads": 2.0, "temporary": 1.0}
    return [{**usual, **{name: at(number) for name, at in change.items()}} for number in range(10)]


def test_steady_growth_is_reported_and_mere_variation_is_not() -> None:
    assert soak.growth(_rounds()) == []
    assert soak.growth(_rounds(memory=lambda number: 50.0 + number % 3)) == []
    for name in ("handles", "threads", "temporary"):
        assert len(soak.growth(_rounds(**{name: float}))) == 1
    assert len(soak.growth(_rounds(memory=lambda number: 50.0 + 2.0 * number))) == 1
    assert len(soak.growth(_rounds()[:4])) == 1


def test_images_are_recognized_in_the_results() -> None:
    numbers = (0, 1, 255, 256, 65535)
    assert [ordered.number_of(ordered.numbered_picture(number)) for number in numbers] == list(
        numbers
    )
    assert len({ordered.numbered_picture(number) for number in range(50)}) == 50


def test_every_kind_of_fault_happens_to_a_share_of_requests() -> None:
    way = hostile.Hostile("", soak.SHARE, 1)
    drawn = [way.draw() for _ in range(5000)]
    assert 0.07 < sum(map(bool, drawn)) / 5000 < 0.09
    assert {fault for fault in drawn if fault} == {*hostile.UNSENT, *hostile.SPOILED}
    again = hostile.Hostile("", soak.SHARE, 1)
    assert [again.draw() for _ in range(5000)] == drawn


@pytest.mark.parametrize("fault", [*hostile.UNSENT, *hostile.SPOILED])
def test_faults_before_the_request_reach_no_service_and_later_ones_do(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostile.Hostile, "draw", lambda self: fault)
    monkeypatch.setattr(hostile, "DRIP", 0.0)
    with serving(TripoV3()) as fake, hostile.between(fake.url, 1.0, 1) as way:
        headers = {"Authorization": f"Bearer {KEY}"}
        request = urllib.request.Request(f"{way.url}/v3/account/balance", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=5.0) as answer:
                whole = "balance" in json.loads(answer.read())["data"]
        except (OSError, ValueError, http.client.HTTPException):
            whole = False
        assert whole == (fault == "drip")
        assert len(fake.requests) == (fault not in hostile.UNSENT)
