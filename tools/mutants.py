# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove the product's guards one at a time, run tests that should fail, and list the survivors.

`mutants.py [NAME…]`; `mutation.py` explains what a guard is. Works in copies of the checkout. A
failure does not count if the test also fails with every guard in place, or if removing the guard
left a name undefined. Tests with a window run only with --gui. Exits with 1 if a guard survives or
there are too few.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import environments
import mutation
import package
import places
from mutation import Guard

LEAST = 60
RELEASE = "5.0.1"
COPIES = places.BUILD / "mutants"
TIERS = {"unit": 90.0, "blender": 180.0, "files": 180.0, "gui": 600.0}
"""Seconds that one run of a tier's tests may take."""

_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
_BROKEN = re.compile(r"\b(NameError|UnboundLocalError|SyntaxError|IndentationError)\b.*")
_TESTS_FAILED = 1


@dataclass(frozen=True)
class Outcome:
    """The result for one guard.

    `verdict` is "caught", "SURVIVED", "no end" (a timeout), or "broken". `why` names the test that
    failed, the tests that did not, or the error.
    """

    name: str
    verdict: str
    why: str
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether a test failed without the guard."""
        return self.verdict == "caught"

    def row(self) -> str:
        """Return the guard's line in the output."""
        return f"{self.verdict:9}  {self.name:40}  {self.seconds:5.1f} s  {self.why}"


@dataclass(frozen=True)
class Run:
    """How a run of tests ended: its output, and its exit code, which is None after a timeout."""

    code: int | None
    output: str

    @property
    def failed(self) -> list[str]:
        """The tests that failed."""
        return _FAILED.findall(self.output)


class Copy:
    """A copy of the checkout in which one guard at a time is removed."""

    def __init__(self, number: int, root: Path = COPIES) -> None:
        self.root = root / str(number)
        shutil.rmtree(self.root, ignore_errors=True)
        for file in package.known_files():
            target = self.root / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(places.ROOT / file, target)
        # Tests ask git which files there are.
        for arguments in (("init", "--quiet"), ("add", "--all")):
            subprocess.run(["git", "-C", str(self.root), *arguments], check=True)
        self._stamp = time.time()

    def write(self, file: str, text: str) -> None:
        """Replace a file's text, with a time so late that Python does not use the old .pyc."""
        self._stamp += 2.0
        path = self.root / file
        path.write_text(text, encoding="utf-8")
        os.utime(path, (self._stamp, self._stamp))

    def test(self, tests: list[str], *options: str, runs: int = 1) -> Run:
        """Run tests of one tier, and return the result.

        The time limit is `runs` times that of the tier. For tests with a window, the zip is built
        first.
        """
        tier = tier_of(tests[0])
        if tier == "gui":
            self._pack()
        command = [str(python_for(tier)), "-B", "-m", "pytest", "-q", "--tb=short", "-rfE",
                   "-p", "no:cacheprovider", *options, *tests]  # fmt: skip
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        environment.setdefault("SANDBOX_SUITE", "trixie")
        return _run_limited(command, self.root, environment, TIERS[tier] * runs)

    def _pack(self) -> None:
        code = "import package; package.build('linux-x64')"
        subprocess.run([sys.executable, "-B", "-c", code], cwd=self.root / "tools", check=True)


def _run_limited(
    command: list[str], folder: Path, environment: dict[str, str], limit: float
) -> Run:
    """Run a program in its own process group, and return how it ended.

    After `limit` seconds, the group is killed. Raises OSError on Windows.
    """
    if sys.platform == "win32":
        raise OSError("only on Unix")
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return Run(None, process.communicate()[0])
    return Run(process.returncode, output)


def tier_of(test: str) -> str:
    """Return the tier of a test, which is its folder below tests/: unit, blender, files, or gui."""
    return test.split("/")[1]


def python_for(tier: str) -> Path:
    """Return the interpreter that runs a tier's tests."""
    in_blender = tier in ("blender", "files")
    return environments.for_blender(RELEASE) if in_blender else environments.for_unit("3.11")


def by_tier(tests: tuple[str, ...], *, gui: bool) -> dict[str, list[str]]:
    """Return tests by tier, the fastest tier first.

    Tests with a window are left out unless `gui` is True.
    """
    wanted = [tier for tier in TIERS if gui or tier != "gui"]
    found = {tier: [test for test in tests if tier_of(test) == tier] for tier in wanted}
    return {tier: some for tier, some in found.items() if some}


def take_out(guard: Guard, copy: Copy, failing: set[str], *, gui: bool) -> Outcome:
    """Remove one guard, run its tests until one fails, restore it, and return the outcome."""
    started = time.monotonic()
    text = (copy.root / guard.file).read_text("utf-8")
    try:
        copy.write(guard.file, mutation.without(text, guard))
        verdict, why = _verdict(guard, copy, failing, gui=gui)
    except mutation.Unusable as problem:
        verdict, why = "broken", str(problem)
    finally:
        copy.write(guard.file, text)
    return Outcome(guard.name, verdict, why, time.monotonic() - started)


def _verdict(guard: Guard, copy: Copy, failing: set[str], *, gui: bool) -> tuple[str, str]:
    for tests in by_tier(guard.tests, gui=gui).values():
        run = copy.test(tests, "-x", *map(_deselect, sorted(failing)))
        if run.code is None:
            return "no end", " ".join(tests)
        # Such an error comes from the removal itself, so it does not show that a test noticed.
        if broken := _BROKEN.search(run.output):
            return "broken", f"it needs `becomes`: {broken.group()[:80]}"
        if run.code == _TESTS_FAILED and run.failed:
            return "caught", run.failed[0]
        if run.code:
            return "broken", run.output.strip().splitlines()[-1][:100]
    return "SURVIVED", f"{guard.file}:{guard.line}, {' '.join(guard.tests)}"


def _deselect(test: str) -> str:
    """Return the option that skips a test. pytest names tests relative to its root, tests/."""
    return f"--deselect={test.removeprefix('tests/')}"


def baseline(chosen: list[Guard], copy: Copy, *, gui: bool) -> set[str]:
    """Run the tests of all chosen guards with every guard in place; return those that fail.

    Exit if pytest cannot run them.
    """
    named = tuple(dict.fromkeys(test for guard in chosen for test in guard.tests))
    failing: set[str] = set()
    for tier, tests in by_tier(named, gui=gui).items():
        hands = ("-n", "2") if tier in ("unit", "blender") else ("-v",)
        run = copy.test(tests, *hands, runs=5)
        if run.code not in (0, _TESTS_FAILED):
            raise SystemExit(f"The tests do not run as they are:\n{run.output[-2000:]}")
        failing |= set(run.failed)
    return failing


def sample_guards(guards: list[Guard], count: int, seed: int) -> list[Guard]:
    """Return about `count` guards, evenly spread; each seed selects different ones."""
    step = max(1, len(guards) // count)
    return guards[seed % step :: step]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="guards to take out")
    parser.add_argument("--sample", type=int, metavar="N", help="take out about N of them")
    today = date.today().toordinal()  # noqa: DTZ011 - the local date
    parser.add_argument("--seed", type=int, default=today, help="which ones those are")
    parser.add_argument("-j", type=int, default=2, metavar="N", help="how many at once")
    parser.add_argument("--gui", action="store_true", help="run tests with a window too")
    parser.add_argument("--list", action="store_true", help="only list the guards")
    return parser.parse_args()


def _select_guards(guards: list[Guard], asked: argparse.Namespace) -> list[Guard]:
    known = {guard.name for guard in guards}
    if unknown := [name for name in asked.names if name not in known]:
        raise SystemExit(f"There is no guard {', '.join(unknown)}")
    chosen = [guard for guard in guards if not asked.names or guard.name in asked.names]
    chosen = [guard for guard in chosen if asked.gui or not guard.needs_window]
    if asked.sample:
        print(f"A sample of about {asked.sample}, seed {asked.seed}", flush=True)
        chosen = sample_guards(chosen, asked.sample, asked.seed)
    return chosen


def run(chosen: list[Guard], hands: int, *, gui: bool) -> list[Outcome]:
    """Test the guards, `hands` of them at a time, each in its own copy of the checkout.

    Print tests that fail with every guard in place, then each outcome. Return the outcomes in
    order.
    """
    copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
    for number in range(max(1, min(hands, len(chosen)))):
        copies.put(Copy(number))
    first = copies.get()
    failing = baseline(chosen, first, gui=gui)
    copies.put(first)
    for test in sorted(failing):
        print(f"Fails by itself, so that it catches nothing: {test}", flush=True)
    with ThreadPoolExecutor(hands) as pool:
        return list(pool.map(partial(_one, copies, failing, gui), chosen))


def _one(copies: queue.SimpleQueue[Copy], failing: set[str], gui: bool, guard: Guard) -> Outcome:
    copy = copies.get()
    try:
        outcome = take_out(guard, copy, failing, gui=gui)
    finally:
        copies.put(copy)
    print(outcome.row(), flush=True)
    return outcome


def main() -> int:
    asked = _arguments()
    guards = mutation.guards()
    wrong = mutation.problems(mutation.markers(), mutation.entries())
    print("".join(f"Does not fit: {problem}\n" for problem in wrong), end="")
    if asked.list:
        print("\n".join(f"{guard.name:40}  {guard.file}:{guard.line}" for guard in guards))
        return 0
    chosen = _select_guards(guards, asked)
    outcomes = run(chosen, asked.j, gui=asked.gui)
    if unseen := [guard.name for guard in guards if guard.needs_window and not asked.gui]:
        print(f"Left out, as they need a window (--gui): {', '.join(unseen)}")
    bad = [outcome for outcome in outcomes if not outcome.is_good]
    if bad:
        print("\nNot caught:\n" + "\n".join(outcome.row() for outcome in bad))
    too_few = len(guards) < LEAST
    print(f"\n{len(guards)} guards" + (f", fewer than {LEAST}" if too_few else ""))
    failed = len(bad) + len(wrong)
    print(f"{len(outcomes) - len(bad)} passed, {failed} failed")
    return 1 if failed or too_few or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
