# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every tier of tests that this machine can run; report which ones could not run, and why.

`tests.py [TIER…]` takes prefixes of names, such as `unit` or `blender-5.0`. GUI=1 also builds the
sandboxes for the tests with a window; otherwise these run only if the sandboxes exist already. All
of them run in Blender 4.3 (trixie), some in 5.2 (sid), or all in both with GUI="trixie sid".
SERVERS=all also runs the versions of real servers that are not part of the unit tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import blenders
import environments
import package
import places
import system

import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPORTS = places.BUILD / "reports"
_NO_TESTS = 5
_LONGEST = 7200.0 if os.environ.get("SAMPLES") == "all" else 3000.0
"""Seconds that one tier may take; testing every sample mesh takes about an hour."""

_FIRST_PYTHON = "3.11"
_FILES_IN = "5.0.1"
_ONCE = ("-m", "not once")
"""Options that skip tests that do not depend on the Python version, such as those that kill
processes."""

_WHOLE = "trixie"
_IN_BOTH = ("session/test_install", "jobs/test_generate", "interface/test_appearance",
            "jobs/test_first_sight", "interface/test_panel",
            "interface/test_image_sources")  # fmt: skip
"""Window tests that also run in the other Blender: those that depend most on its version."""

_SERVERS = "unit/providers/gradio"
"""Tests with real servers, whose usual version is part of the unit tests."""

_HANDS = {
    "unit": ("4", "worksteal"),
    "blender": ("2", "worksteal"),
    # The tests of a file share a Blender.
    "gui": ("2", "loadfile"),
}
"""Number of parallel tests, and how pytest-xdist distributes them. Tests mostly wait."""


@dataclass(frozen=True)
class Tier:
    """One folder of tests in one environment.

    `tests` is the folder below tests/. `prepare` returns the interpreter of the environment.
    `files` are the only files to run; if empty, all are run.
    """

    name: str
    tests: str
    prepare: Callable[[], Path]
    environment: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def paths(self) -> list[str]:
        """Return the paths for pytest: the folder of the tier, or some of its files."""
        return [f"tests/{self.tests}/{file}" for file in self.files] or [f"tests/{self.tests}"]


@dataclass(frozen=True)
class Outcome:
    """A tier's counts of tests; `why` says why it could not run."""

    tier: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    why: str = ""
    failures: tuple[str, ...] = ()

    def row(self) -> str:
        """Return the tier's line in the final table, followed by its failures."""
        if self.why:
            return f"{self.tier:16}  {'FAILED' if self.failed else 'could not run'}: {self.why}"
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        counts = f"{self.passed} passed, {self.failed} failed{skipped}"
        return "\n".join((f"{self.tier:16}  ran: {counts}, {self.seconds:.0f} s", *self.failures))


def _unit(version: str) -> Tier:
    options = () if version == _FIRST_PYTHON else _ONCE
    return Tier(f"unit-{version}", "unit", lambda: _prepare_unit(version), options=options)


def _prepare_unit(version: str) -> Path:
    """Return the environment of the unit tests.

    First install gettext, which checks the translations, and a program that decodes HEIC photos,
    if possible. Tests that need a missing one are skipped.
    """
    system.find_gettext()
    system.find_photo_decoder()
    return environments.for_unit(version)


def _blender(release: str) -> Tier:
    options = () if release == _FILES_IN else _ONCE
    return Tier(f"blender-{release}", "blender", lambda: _prepare_blender(release), options=options)


def _prepare_blender(release: str) -> Path:
    system.find_photo_decoder()
    return environments.for_blender(release)


def _files(release: str) -> Tier:
    return Tier(f"files-{release}", "files", lambda: _prepare_files(release))


def _prepare_files(release: str) -> Path:
    """Fetch the sample meshes of public packages, which needs a network; return the environment."""
    for listed in samples.list_packages():
        samples.fetch(listed)
    return _prepare_blender(release)


def _servers() -> Tier:
    files = ("test_real_servers.py",)
    return Tier("servers", _SERVERS, _prepare_servers, files=files)


def _prepare_servers() -> Path:
    """Return the environment of the unit tests; the tests set up those of the servers.

    Raises Missing unless the other versions are asked for.
    """
    if not os.environ.get("SERVERS"):
        raise environments.Missing("SERVERS=all runs versions of servers that take minutes")
    return environments.for_unit(_FIRST_PYTHON)


def _browser() -> Tier:
    return Tier("browser", "browser", environments.for_browser)


def _gui(suite: str, files: tuple[str, ...] = ()) -> Tier:
    return Tier(
        f"gui-{suite}",
        "gui",
        lambda: _prepare_gui(suite),
        {"SANDBOX_SUITE": suite},
        files=tuple(f"{name}.py" for name in files),
    )


def _prepare_gui(suite: str) -> Path:
    """Build the zip that the tests install, and a sandbox if needed; return the environment.

    Raises Missing if there is no sandbox and none may be built.
    """
    if not blenders.find_sandbox(suite):
        if missing := blenders.why_no_sandbox():
            raise environments.Missing(missing)
        if not os.environ.get("GUI"):
            raise environments.Missing("no sandbox yet: GUI=1 builds it, which takes some minutes")
        _build_sandbox(suite)
    package.build("linux-x64")
    return environments.for_unit("3.11")


def _build_sandbox(suite: str) -> None:
    """Build a sandbox. Raise CalledProcessError if that fails.

    Debian unstable is broken at times: for it, raise Missing instead, unless GUI names it.
    """
    try:
        blenders.build(suite)
    except subprocess.CalledProcessError as reason:
        if _is_named(suite) or suite == _WHOLE:
            raise
        raise environments.Missing(f"Debian {suite} cannot be set up now: {reason}") from reason


def _is_named(suite: str) -> bool:
    return suite in os.environ.get("GUI", "").split()


def tiers() -> list[Tier]:
    """Return all tiers in the order in which they run."""
    whole = list(filter(_is_named, blenders.SUITES))
    suites = [] if whole else [suite for suite in blenders.SUITES if suite != _WHOLE]
    return [
        *map(_unit, (_FIRST_PYTHON, "3.12", "3.13")),
        *map(_blender, environments.BPY),
        _files(_FILES_IN),
        _browser(),
        _servers(),
        *map(_gui, whole or [_WHOLE]),
        *(_gui(suite, _IN_BOTH) for suite in suites),
    ]


def _run(tier: Tier, prepared: Future[Path]) -> Outcome:
    try:
        python = prepared.result()
    except environments.Missing as lack:
        return Outcome(tier.name, failed=int(_is_asked_for(tier)), why=str(lack))
    except (environments.SetupFailed, subprocess.CalledProcessError, OSError) as reason:
        return Outcome(tier.name, failed=1, why=f"set-up: {reason}")
    report = REPORTS / f"{tier.name}.xml"
    report.unlink(missing_ok=True)
    print(f"\n== {tier.name}", flush=True)
    started = time.monotonic()
    command = [str(python), "-B", "-m", "pytest", *tier.paths(), f"--junit-xml={report}"]
    command += tier.options
    if tier.tests in _HANDS:
        hands, distribution = _HANDS[tier.tests]
        command += ["-n", hands, "--dist", distribution]
    environment = {**os.environ, **tier.environment}
    try:
        code = subprocess.call(command, cwd=places.ROOT, env=environment, timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        return Outcome(tier.name, failed=1, why=f"no end within {_LONGEST} s")
    # pytest's exit code for an empty selection.
    if code == _NO_TESTS:
        return Outcome(tier.name, why="it has no tests")
    return _read(report, tier.name, code, time.monotonic() - started)


def _is_asked_for(tier: Tier) -> bool:
    """Return whether a tier was requested, by its name or with GUI.

    If such a tier cannot run, that is a failure.
    """
    return tier.name in sys.argv[1:] or (
        tier.tests == "gui" and "GUI" in os.environ and not tier.files
    )


def _read(report: Path, name: str, code: int, seconds: float) -> Outcome:
    """Return the counts in pytest's report; an error outside of any test counts as a failed one.

    If there is no report, return one failed test.
    """
    suite = ET.parse(report).getroot().find("testsuite") if report.exists() else None
    if suite is None:
        return Outcome(name, failed=1, seconds=seconds)
    total, skipped = int(suite.attrib["tests"]), int(suite.attrib["skipped"])
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    passed = max(0, total - skipped - failed)
    failures = tuple(_failures(suite))
    return Outcome(name, passed, max(failed, int(code != 0)), skipped, seconds, failures=failures)


def _failures(suite: ET.Element) -> Iterator[str]:
    """Yield a line for each failed test, for the final table."""
    for case in suite.iter("testcase"):
        for problem in (*case.findall("failure"), *case.findall("error")):
            message = " ".join(problem.attrib.get("message", "").split())[:200]
            yield f"    {case.attrib['classname']}::{case.attrib['name']}: {message}"


def run(chosen: list[Tier]) -> list[Outcome]:
    """Prepare all tiers, two at a time, then run their tests one tier after another.

    Return the outcomes in order. Sandboxes take longest, so they are prepared first. The tests
    start only afterwards, on an otherwise idle machine.
    """
    with ThreadPoolExecutor(2) as hands:
        longest_first = sorted(chosen, key=lambda tier: tier.tests != "gui")
        prepared = {tier.name: hands.submit(tier.prepare) for tier in longest_first}
    return [_run(tier, prepared[tier.name]) for tier in chosen]


def main() -> int:
    wanted = tuple(sys.argv[1:])
    chosen = [tier for tier in tiers() if not wanted or tier.name.startswith(wanted)]
    if not chosen:
        print(f"No tier begins with {' or '.join(wanted)}", file=sys.stderr)
        return 2
    places.link_checkout()
    REPORTS.mkdir(parents=True, exist_ok=True)
    outcomes = run(chosen)
    print("\n== All tiers\n" + "\n".join(outcome.row() for outcome in outcomes))
    passed, failed = (
        sum(getattr(outcome, count) for outcome in outcomes) for count in ("passed", "failed")
    )
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
