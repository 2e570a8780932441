# SPDX-License-Identifier: GPL-3.0-or-later
"""The nightly run: every part is an existing script, and a failing part is reported."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import fuzz
import nightly
import places
import pytest
from fakes import fuzzed
from fakes.ordered import lanes


@pytest.mark.parametrize("name", sorted(nightly.NIGHTLY_RUNS))
def test_every_part_is_a_script_that_knows_its_arguments(name: str) -> None:
    part = nightly.NIGHTLY_RUNS[name]
    text = (places.ROOT / "tools" / part.script).read_text("utf-8")
    options = [word for word in part.arguments if word.startswith("--")]
    missing = [option for option in options if f'"{option}"' not in text]
    assert not missing, f"the script does not know {missing}"


@pytest.mark.parametrize("code", [0, 3])
def test_a_nightly_part_reports_how_it_ended(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "part.py").write_text(f"print('7 passed')\nraise SystemExit({code})\n", "utf-8")
    monkeypatch.setattr(nightly, "TOOLS", tmp_path)
    monkeypatch.setattr(places, "BUILD", tmp_path)
    outcome = nightly.run("part", nightly.Part("part.py"))
    assert (outcome.code, outcome.last) == (code, "7 passed")
    assert ("FAILED" in outcome.row()) is bool(code)
    assert (tmp_path / "nightly/part.log").read_text("utf-8") == "7 passed\n"


# -- fuzz ------------------------------------------------------------------------------------------


@pytest.mark.once
@pytest.mark.parametrize("name", sorted(fuzzed.TARGETS))
def test_fuzzed_library_files_raise_only_our_own_errors(name: str) -> None:
    numbers = iter(range(60))
    found = fuzz.run(name, fuzzed.TARGETS[name], 20261128, numbers, 20.0)
    assert found.rounds > 20
    assert found.broken == {}


@pytest.mark.once
def test_fuzzed_service_answers_raise_only_our_own_errors() -> None:
    with lanes(0.0, 1) as served:
        for lane in served:
            found = fuzz.run(lane.provider, fuzzed.answers(lane), 20261128, iter(range(20)), 10.0)
            assert found.rounds > 5
            assert found.broken == {}


def test_a_crash_is_reported_once_with_how_to_reproduce_it() -> None:
    def target(chance: random.Random, folder: Path) -> None:
        raise OverflowError(str(chance.random()))

    found = fuzz.run("target", target, 7, itertools.islice(itertools.count(), 5), 10.0)
    assert found.rounds == 5
    ((told, again),) = found.broken.items()
    assert told.startswith("OverflowError in test_nightly.py:")
    assert again.startswith("target --seed 7 --only 0: ")
    assert "1 broken" in found.row()


def test_the_same_seed_gives_the_same_faults() -> None:
    picture = fuzzed.pictures()["rgba.png"]
    first, other = (fuzzed.damage_bytes(random.Random("a 1 2"), picture) for _ in range(2))
    assert first == other
    values = {"a": [1, {"b": "c"}], "d": None}
    first, second = (fuzzed.change_json(random.Random(3), values) for _ in range(2))
    assert repr(first) == repr(second)
