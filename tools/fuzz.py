# SPDX-License-Identifier: GPL-3.0-or-later
"""Feed randomly corrupted input to the product: it may raise its own errors only.

`fuzz.py [TARGET…] [--seconds N] [--seed N]`. The targets are image headers, mesh files, records,
tables, and every call of each service. Failures are printed with the arguments that repeat them.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import environments
import places

if TYPE_CHECKING:
    from fakes.fuzzed import Target

INSIDE = "FUZZ_INSIDE"
"""Set in the environment of the inner process, which has the product's packages."""
LONGEST = 10.0
"""CPU seconds that one round may take."""


@dataclass
class Found:
    """The result of one target: the number of rounds, and its failures by error and line."""

    name: str
    rounds: int = 0
    broken: dict[str, str] = field(default_factory=dict)

    def row(self) -> str:
        """Return the target's line in the final table."""
        return f"{self.name:14}  {self.rounds:7} rounds, {len(self.broken)} broken"


def run(name: str, target: Target, seed: int, numbers: Iterator[int], seconds: float) -> Found:
    """Run rounds of a target until `seconds` are over or `numbers` end; return what was found.

    Each round has its own random numbers and folder.
    """
    from fakes.fuzzed import ALLOWED

    found, end = Found(name), time.monotonic() + seconds
    for number in numbers:
        if time.monotonic() > end:
            break
        found.rounds += 1
        started = time.thread_time()
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            try:
                target(random.Random(f"{name} {seed} {number}"), Path(folder))
            except ALLOWED:
                pass
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                where = traceback.extract_tb(error.__traceback__)[-1]
                told = f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}"
                again = f"{name} --seed {seed} --only {number}"
                found.broken.setdefault(told, f"{again}: {''.join(traceback.format_exc())[-1500:]}")
        if time.thread_time() - started > LONGEST:
            found.broken.setdefault("too long", f"{name} --seed {seed} --only {number}")
    return found


@contextlib.contextmanager
def targets() -> Iterator[dict[str, Target]]:
    """Yield all targets by name; fakes of the services run until the block ends."""
    from fakes.fuzzed import TARGETS, answers
    from fakes.ordered import lanes

    with lanes(0.0, 1) as served:
        yield {**TARGETS, **{lane.provider: answers(lane) for lane in served}}


def _main(asked: argparse.Namespace) -> int:
    counting = range(asked.only, asked.only + 1) if asked.only is not None else range(10**9)
    logging.disable()  # Answers of services are logged, and here most of them are garbage.
    print(f"seed {asked.seed}", flush=True)
    with targets() as known:
        chosen = {name: known[name] for name in asked.target or known}
        share = asked.seconds / len(chosen)
        outcomes = [
            run(name, target, asked.seed, iter(counting), share) for name, target in chosen.items()
        ]
    for outcome in outcomes:
        print(outcome.row())
        for told, again in outcome.broken.items():
            print(f"FAILED: {told}\n  {again}")
    broken = sum(len(outcome.broken) for outcome in outcomes)
    print(f"{sum(not outcome.broken for outcome in outcomes)} passed, {broken} failed")
    return 1 if broken else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", type=int, metavar="N", help="this round alone")
    asked = parser.parse_args()
    if not os.environ.get(INSIDE):
        command = [str(environments.for_unit("3.11")), "-B", *sys.argv, f"--seed={asked.seed}"]
        return subprocess.call(command, env={**os.environ, INSIDE: "1"})
    sys.path[:0] = [str(places.link_checkout()), str(places.ROOT / "tests")]
    return _main(asked)


if __name__ == "__main__":
    sys.exit(main())
