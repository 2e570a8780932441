# SPDX-License-Identifier: GPL-3.0-or-later
"""Each guard has a marker and an entry, and its removal removes exactly the marked code."""

from __future__ import annotations

from pathlib import Path

import mutants
import mutation
import pytest
from mutation import Guard, Unusable

LEAST = 60


def _without(text: str, becomes: str | None = None, *, when: bool = False) -> str:
    ((name, line),) = mutation.marked_lines(text)
    return mutation.without(text, Guard(name, "a.py", line, (), becomes, when))


def test_every_guard_has_one_marker_and_one_entry() -> None:
    assert mutation.problems(mutation.markers(), mutation.entries()) == []


def test_there_are_enough_guards() -> None:
    assert len(mutation.guards()) >= LEAST


def test_every_guard_can_be_taken_out(root: Path) -> None:
    for guard in mutation.guards():
        text = (root / guard.file).read_text("utf-8")
        assert mutation.without(text, guard) != text


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("if a:  # guard: g\n    b()\n", "if False:  # guard: g\n    b()\n"),
        ("if (\n    a\n):  # guard: g\n    b()\n", "if (\n    False\n):  # guard: g\n    b()\n"),
        ("if a: b()  # guard: g\n", "if False: b()  # guard: g\n"),
        ("if (  # guard: g\n    a\n):\n    b()\n", "if (  # guard: g\n    False\n):\n    b()\n"),
        ("if a:\n    b()\nelif c:  # guard: g\n    d()\n",
         "if a:\n    b()\nelif False:  # guard: g\n    d()\n"),
        ("try:\n    a()\nexcept B:  # guard: g\n    pass\n",
         "try:\n    a()\nexcept ():  # guard: g\n    pass\n"),
        ("with a:  # guard: g\n    b()\n", "if True:\n    b()\n"),
        ("def a():\n    raise B(  # guard: g\n        'ü'\n    )\n", "def a():\n    pass\n"),
        ("def a():\n    b(\n        c\n    )  # guard: g\n", "def a():\n    pass  # guard: g\n"),
        ("ü = 'ü'; a()  # guard: g\n", "pass; a()  # guard: g\n"),
        ("a(\n    b,\n    c=1,  # guard: g\n)\n", "a(\n    b,\n      # guard: g\n)\n"),
        ("a = [\n    b,  # guard: g\n    c\n]\n", "a = [\n      # guard: g\n    c\n]\n"),
        ("a = {\n    'b': 1,  # guard: g\n}\n", "a = {\n      # guard: g\n}\n"),
        ("a = (\n    b\n    and c  # guard: g\n)\n", "a = (\n    b\n    and True  # guard: g\n)\n"),
        ("a = (\n    b\n    or c  # guard: g\n)\n", "a = (\n    b\n    or False  # guard: g\n)\n"),
    ],
)  # fmt: skip
def test_taking_a_guard_out_changes_exactly_its_statement(text: str, changed: str) -> None:
    assert _without(text) == changed


def test_a_guard_is_replaced_by_the_given_code() -> None:
    statement = "def a():\n    b()  # guard: g\n    c()\n"
    assert _without(statement, "d()\ne()") == ("def a():\n    d()\n    e()  # guard: g\n    c()\n")
    condition = "if a and b:  # guard: g\n    c()\n"
    assert _without(condition, when=True) == "if True:  # guard: g\n    c()\n"
    assert _without(condition, "if a:") == "if a:\n    c()\n"
    assert _without("a(\n    b=1,  # guard: g\n)\n", "b=2") == "a(\n    b=2,  # guard: g\n)\n"


def test_a_guard_that_cannot_be_taken_out_is_an_error() -> None:
    with pytest.raises(Unusable, match="nothing begins"):
        _without("# guard: g\na = 1\n")
    with pytest.raises(Unusable, match="no Python"):
        _without("a()  # guard: g\n", "b(")
    assert mutation.marked_lines('a = "# guard: g"\n') == []


def test_problems_are_named() -> None:
    tests = {"tests": ["tests/unit/house/test_guards.py::test_problems_are_named"]}
    twice = [("a", "x.py", 1), ("a", "x.py", 2)]
    assert mutation.problems([("a", "x.py", 1)], [("a", tests)]) == []
    assert mutation.problems(twice, [("a", tests)]) == ["a is marked 2 times: x.py:1, x.py:2"]
    assert mutation.problems([], [("a", tests)]) == ["a is marked 0 times: "]
    assert mutation.problems([("a", "x.py", 1)], []) == ["a has 0 entries"]
    here = "tests/unit/house/test_guards.py::test_gone"
    gone = {"tests": ["tests/unit/test_gone.py"]}
    for entry in ({}, gone, {"tests": [here]}, {**tests, "other": 1}):
        assert len(mutation.problems([("a", "x.py", 1)], [("a", entry)])) == 1


def _guards(count: int) -> list[Guard]:
    return [Guard(str(number), "a.py", 1, ()) for number in range(count)]


def test_samples_are_spread_and_cover_everything() -> None:
    guards = _guards(60)
    samples = [mutants.sample_guards(guards, 10, seed) for seed in range(6)]
    assert {len(sample) for sample in samples} == {10}
    assert {guard.name for sample in samples for guard in sample} == {g.name for g in guards}
    assert mutants.sample_guards(guards, 10, 3) == mutants.sample_guards(guards, 10, 9)


class Copied(mutants.Copy):
    """A copy of one file, whose tests read it."""

    def __init__(self, folder: Path, text: str) -> None:
        self.root = folder
        self._stamp = 1e9
        self.ran: list[tuple[str, ...]] = []
        (folder / "a.py").write_text(text, "utf-8")

    def test(self, tests: list[str], *options: str, runs: int = 1) -> mutants.Run:
        self.ran.append((*options, *tests))
        text = (self.root / "a.py").read_text("utf-8")
        if "raises" in text and "False" in text:
            return mutants.Run(1, "E   NameError: name 'x' is not defined\nFAILED t.py::test_x - x")
        if "stops" in text and "False" in text:
            return mutants.Run(None, "")
        if "odd" in text:
            return mutants.Run(4, "ERROR: not found: t.py\n")
        kept = "if x:" in text or "dull" in text
        return mutants.Run(0, "") if kept else mutants.Run(1, "FAILED t.py::test_x - assert 0")


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("keeps()", "caught"),
        ("dull()", "SURVIVED"),
        ("raises()", "broken"),
        ("stops()", "no end"),
        ("odd()", "broken"),
    ],
)
def test_each_outcome_of_a_mutant_gets_its_verdict(tmp_path: Path, body: str, verdict: str) -> None:
    text = f"if x:  # guard: g\n    {body}\n"
    copy = Copied(tmp_path, text)
    guard = Guard("g", "a.py", 1, ("tests/unit/t.py",))
    outcome = mutants.take_out(guard, copy, {"tests/unit/t.py::test_y"}, gui=False)
    assert outcome.verdict == verdict
    assert outcome.is_good == (verdict == "caught")
    assert copy.ran == [("-x", "--deselect=unit/t.py::test_y", "tests/unit/t.py")]
    assert (tmp_path / "a.py").read_text("utf-8") == text


def test_quick_tests_run_first_and_windows_when_asked() -> None:
    tests = ("tests/gui/a.py", "tests/blender/b.py", "tests/unit/c.py")
    assert list(mutants.by_tier(tests, gui=False)) == ["unit", "blender"]
    assert list(mutants.by_tier(tests, gui=True)) == ["unit", "blender", "gui"]
