# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a batch on an unreliable network, killing and restarting it at random, for a given time.

`soak.py [--seconds N] [--pictures N] [--seed N]`: the command line orders from fakes of three
services on loopback. 8% of all requests fail, and processes are killed. Then the network works
again, and the batch must complete: with no order sent twice, no task without a record, and no mesh
missing. Another process runs the whole time: its memory, handles, threads, and temporary files must
not grow.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import environments
import places

sys.path.insert(0, str(places.ROOT / "tests"))
from fakes.ordered import Lane, lanes, write_pictures

SHARE = 0.08
CLIENT = "import sys; from image_to_mesh.cli import main; sys.exit(main())"
CODES = frozenset({0, 5, 6, 7, 130})
"""Exit codes that the command line may return: in all of these cases the batch can be resumed."""
RESIDENT = Path(__file__).with_name("soak_resident.py")
ALIVE = (0.5, 3.5)
"""Shortest and longest life of a process, in seconds."""
LATER = 240.0
"""Seconds in which the batch must complete once the network works."""
KEPT = frozenset({".catalogue.json", ".orders.json", ".uploads.json"})
"""Files that a library has besides its jobs."""
PROBE = re.compile("[a-z0-9_]{8}")
"""Names of the files with which Python's tempfile tests whether a folder is writable."""
AGES_AGO = 1_700_000_000.0
MEMORY = 8.0
"""Megabytes by which the long-running process may grow: an allocator's normal variation."""
WARM_UP = 3
"""Rounds after which that process has filled its caches."""


@cache
def python() -> Path:
    """Return an interpreter that has the product's packages."""
    return environments.for_unit("3.11")


@dataclass
class Soak:
    """One run: its folder, its fakes, and what it found."""

    folder: Path
    lanes: tuple[Lane, ...]
    pictures: list[str]
    """The provider of each picture."""
    chance: random.Random
    problems: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def library(self) -> Path:
        """The library of the processes that are killed."""
        return self.folder / "library"

    def environment(self) -> dict[str, str]:
        """Return the environment variables of a process.

        They set the fakes' addresses and the process's own folders, and hide any installed Blender.
        """
        found = {name: value for lane in self.lanes for name, value in lane.environment.items()}
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        path = os.pathsep.join(map(str, (places.link_checkout(), places.ROOT / "tests")))
        return {**found, "HOME": str(self.folder), "PATH": "/nonexistent", "PYTHONPATH": path,
                "TMPDIR": str(temporary), "IMAGE_TO_MESH_LIBRARY": str(self.library)}  # fmt: skip

    @contextlib.contextmanager
    def client(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run the command line while the block runs; then kill it if it still runs.

        Yield the process. Afterwards, a traceback or an unexpected exit code is added to the
        problems.
        """
        self.seen[arguments[0]] += 1
        errors = self.folder / "errors.txt"
        with errors.open("w+") as told, subprocess.Popen(
            [str(python()), "-B", "-c", CLIENT, *arguments], env=self.environment(),
            stdout=subprocess.PIPE, stderr=told, text=True, errors="replace",
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()
                process.communicate()
        printed = errors.read_text(errors="replace")
        # Python prints a traceback for Ctrl-C while it still imports, before `main` can catch it.
        loading = printed.rstrip().endswith("KeyboardInterrupt") and ", in main" not in printed
        if "Traceback" in printed and not loading:
            self.problems.append(f"{arguments[0]} broke down: {printed[-1500:]}")
        if process.returncode >= 0 and process.returncode not in CODES:
            self.problems.append(f"{arguments} ended with {process.returncode}: {printed[-500:]}")

    # -- with faults -------------------------------------------------------------------------------

    def storm(self, seconds: float) -> None:
        """Start processes and end them at random; the batch grows as time passes."""
        started = time.monotonic()
        while (passed := time.monotonic() - started) < seconds:
            share = min(1.0, (passed + ALIVE[1]) / (seconds - ALIVE[1]))
            table = self.table(share)
            command = self.chance.choice(("batch", "batch", "batch", "resume"))
            arguments = (str(table),) if command == "batch" else ()
            with self.client(command, *arguments, "--quiet") as process:
                self._end(process, min(seconds - passed, self.chance.uniform(*ALIVE)))

    def table(self, share: float) -> Path:
        """Write the batch's table with this share of all images; return its path."""
        return write_pictures(
            self.folder / "in", self.pictures[: round(share * len(self.pictures))]
        )

    def _end(self, process: subprocess.Popen[str], seconds: float) -> None:
        if sys.platform == "win32":
            raise OSError("only on Unix")
        try:
            process.wait(max(0.1, seconds))
        except subprocess.TimeoutExpired:
            # Mostly kills, which leave no chance to clean up; sometimes Ctrl-C.
            kind = self.chance.choice((*(signal.SIGKILL,) * 4, signal.SIGINT))
            self.seen[kind.name] += 1
            process.send_signal(kind)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20.0)

    # -- without faults ----------------------------------------------------------------------------

    def finish(self) -> None:
        """Complete the batch without faults; submit again the orders that never arrived."""
        for way in (way for lane in self.lanes for way in lane.ways):
            way.share = 0.0
        self._age()
        end = time.monotonic() + LATER
        self._run("batch", str(self.table(1.0)), end=end)
        self._run("resume", end=end)
        for job in self._uncertain():
            self._run("resume", job, end=end)
        taken = {(lane.provider, order.picture) for lane in self.lanes for order in lane.orders()}
        for job, record in self._uncertain().items():
            self.seen["uncertain"] += 1
            if (record["provider"], _number(record)) not in taken:
                self.seen["ordered again"] += 1
                self._run("settle", job, "--submit-again", end=end)

    def _age(self) -> None:
        """Make files of killed processes look old: new files might be in use by another process."""
        for path in self.library.glob(".*"):
            os.utime(path, (AGES_AGO, AGES_AGO))

    def _run(self, *arguments: str, end: float) -> None:
        with self.client(*arguments, "--quiet") as process:
            try:
                process.wait(max(1.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.problems.append(f"{arguments[0]} did not end within {LATER:.0f} s")

    def records(self) -> dict[str, dict[str, Any]]:
        """Return all records by job id."""
        files = sorted(self.library.glob("[!.]*/job.json"))
        return {file.parent.name: json.loads(file.read_bytes()) for file in files}

    def _uncertain(self) -> dict[str, dict[str, Any]]:
        states = ("uncertain", "submitting")
        return {job: record for job, record in self.records().items() if record["state"] in states}

    # -- judging the run ---------------------------------------------------------------------------

    def judge(self) -> None:
        """Compare the services' orders with the library's records, and look for leftover files."""
        records = list(self.records().values())
        for lane in self.lanes:
            mine = [record for record in records if record["provider"] == lane.provider]
            wanted = {number for number, name in enumerate(self.pictures) if name == lane.provider}
            self._judge_lane(lane, mine, wanted)
        for file in sorted((self.folder / "tmp").rglob("*")):
            if PROBE.fullmatch(file.name):
                continue
            self.problems.append(f"left in the folder for temporary files: {file.name}")
        for file in self.library.rglob(".*"):
            if file.name not in KEPT:
                self.problems.append(f"left in the library: {file.relative_to(self.library)}")

    def _judge_lane(self, lane: Lane, mine: list[dict[str, Any]], wanted: set[int]) -> None:
        orders = lane.orders()
        self.seen[f"ordered from {lane.provider}"] = len(orders)
        for number, count in Counter(order.picture for order in orders).items():
            if count > 1:
                self.problems.append(f"{lane.provider} took picture {number} {count} times")
                self.problems += [
                    f"its record: {record}" for record in mine if _number(record) == number
                ]
                self.problems += [
                    f"its order: {order}" for order in orders if order.picture == number
                ]
        known = {value for record in mine for value in (record.get("ticket") or {}).values()
                 if isinstance(value, str)}  # fmt: skip
        doubtful = {_number(record) for record in mine if record["state"] == "uncertain"}
        ready = {_number(record): record for record in mine if record["state"] == "ready"}
        for order in orders:
            found = order.task in known if lane.names else order.picture in doubtful | set(ready)
            if not found:
                self.problems.append(f"no record knows of {lane.provider}'s {order}")
        for number in sorted(wanted - set(ready) - (set() if lane.names else doubtful)):
            self.problems.append(f"{lane.provider} gave no mesh of picture {number}")
        for number, record in ready.items():
            mesh = self.library / record["id"] / record["mesh"]
            if mesh.read_bytes() != lane.mesh:
                self.problems.append(f"the mesh of picture {number} is not what was sent")


def _number(record: dict[str, Any]) -> int:
    return int(Path(record["name"]).stem)


@contextlib.contextmanager
def resident(soak: Soak) -> Iterator[list[dict[str, float]]]:
    """Run a process that orders repeatedly while the block runs; yield its measurements.

    The list is filled when the block ends. If the process does not end or fails, that is added to
    the problems.
    """
    rounds: list[dict[str, float]] = []
    folder = soak.folder / "resident"
    folder.mkdir()
    environment = {**soak.environment(), "TMPDIR": str(folder)}
    providers = [lane.provider for lane in soak.lanes]
    with (folder / "rounds.jsonl").open("w+") as told, subprocess.Popen(
        [str(python()), "-B", str(RESIDENT), str(folder / "work"), *providers], env=environment,
        stdin=subprocess.PIPE, stdout=told, text=True,
    ) as process:  # fmt: skip
        try:
            yield rounds
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(60.0)
            except subprocess.TimeoutExpired:
                process.kill()
                soak.problems.append("the process that lives on came to no end")
        told.seek(0)
        rounds += [json.loads(line) for line in told]
    if process.returncode:
        soak.problems.append(f"the process that lives on ended with {process.returncode}")


def growth(rounds: list[dict[str, float]]) -> list[str]:
    """Return a sentence for each figure that grew from the rounds after WARM_UP to the last two.

    The list is empty if nothing grew. If there are too few rounds, its one sentence says so.
    """
    if len(rounds) < WARM_UP + 2:
        return [f"only {len(rounds)} rounds: nothing can be said of growth"]
    # The most of early rounds and the least of late ones: a single high figure is no growth.
    before, after = rounds[WARM_UP - 1 : -1], rounds[-2:]
    found = []
    for name, allowed in (("memory", MEMORY), ("handles", 0), ("threads", 0), ("temporary", 0)):
        least = min(figures[name] for figures in after)
        most = max(figures[name] for figures in before[: max(1, len(before) // 3)])
        if least > most + allowed:
            found.append(f"{name} grew from {most:g} to {least:g}")
    return found


def run(seconds: float, pictures: int, seed: int) -> Soak:
    """Run for this many seconds with this many images, judge and print the result, and return it.

    The seed determines faults and kills. After problems, the folder is kept in build/soak.
    """
    chance = random.Random(seed)
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        lanes(SHARE, seed) as served,
        lanes(SHARE, seed + 100) as beside,
    ):
        names = chance.choices([lane.provider for lane in served], k=pictures)
        soak = Soak(Path(folder), served, names, chance)
        other = Soak(Path(folder), beside, [], chance)
        with resident(other) as rounds:
            soak.storm(seconds)
        soak.finish()
        soak.judge()
        soak.problems += other.problems + growth(rounds)
        for lane in beside:
            twice = Counter(order.picture for order in lane.orders()).most_common(1)
            if twice and twice[0][1] > 1:
                soak.problems.append(f"the process that lives on ordered {twice[0]} times")
        _tell(soak, rounds)
        if soak.problems:
            kept = places.BUILD / "soak" / str(seed)
            shutil.copytree(soak.folder, kept, dirs_exist_ok=True, symlinks=True)
            print(f"What is left of it: {kept}")
    return soak


def _tell(soak: Soak, rounds: list[dict[str, float]]) -> None:
    faults = Counter[str]()
    for lane in soak.lanes:
        for way in lane.ways:
            faults += way.seen
    requests = faults.total()
    print(f"{requests} requests, of which {requests - faults.pop('')} went wrong: "
          + ", ".join(f"{name} {count}" for name, count in sorted(faults.items())))  # fmt: skip
    print(", ".join(f"{name} {count}" for name, count in sorted(soak.seen.items())))
    for which, figures in (("third", rounds[2:3]), ("last", rounds[-1:])):
        print(f"{which} of {len(rounds)} rounds: {figures[0] if figures else 'none'}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    asked = parser.parse_args()
    print(f"{asked.pictures} pictures, {asked.seconds:.0f} s, seed {asked.seed}", flush=True)
    soak = run(asked.seconds, asked.pictures, asked.seed)
    for problem in soak.problems:
        print(f"FAILED: {problem}")
    print(f"{int(not soak.problems)} passed, {len(soak.problems)} failed")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
