# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the tests that take too long for every change: `nightly.py [PART…]`, all parts by default.

`soak` and `fuzz` (ten minutes each), `mutants` (all guards, also those whose tests need a window),
`versions` (releases of Python and Blender that do not run for every change), `files` (every
sample mesh), `servers` (other versions of the servers that users run), and `windows` (all window
tests in both Blenders). Seeds are printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import places

TOOLS = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Part:
    """A script in tools/, its arguments, and the environment variables it gets."""

    script: str
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)


NIGHTLY_RUNS = {
    "soak": Part("soak.py", ("--seconds", "600", "--pictures", "200")),
    "fuzz": Part("fuzz.py", ("--seconds", "600")),
    "mutants": Part("mutants.py", ("--gui",)),
    "versions": Part("tests.py", ("unit-3.12", "unit-3.13", "blender-4.5.15")),
    "files": Part("tests.py", ("files",), {"SAMPLES": "all"}),
    "servers": Part("tests.py", ("servers",), {"SERVERS": "all"}),
    "windows": Part("tests.py", ("gui",), {"GUI": "trixie sid"}),
}


@dataclass(frozen=True)
class Outcome:
    """A part's exit code, how long it took, and the last line that it printed."""

    name: str
    code: int
    seconds: float
    last: str

    def row(self) -> str:
        """Return the part's line in the final table."""
        verdict = "FAILED" if self.code else "ok"
        return f"{self.name:8}  {verdict:6}  {self.seconds:6.0f} s  {self.last}"


def run(name: str, part: Part) -> Outcome:
    """Run a part, show its output, and save it in `build/nightly`; return the outcome."""
    print(f"\n== {name}", flush=True)
    started, last = time.monotonic(), ""
    log = places.BUILD / "nightly" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-B", str(TOOLS / part.script), *part.arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **part.environment}
    with log.open("w", encoding="utf-8") as kept, subprocess.Popen(
        command, cwd=places.ROOT, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            kept.write(line)
            last = line.strip() or last
    return Outcome(name, process.returncode, time.monotonic() - started, last)


def main() -> int:
    wanted = sys.argv[1:] or list(NIGHTLY_RUNS)
    if unknown := [name for name in wanted if name not in NIGHTLY_RUNS]:
        print(f"There is no {unknown[0]!r}: {', '.join(NIGHTLY_RUNS)}", file=sys.stderr)
        return 2
    outcomes = [run(name, part) for name, part in NIGHTLY_RUNS.items() if name in wanted]
    print("\n" + "\n".join(outcome.row() for outcome in outcomes))
    failed = sum(bool(outcome.code) for outcome in outcomes)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
