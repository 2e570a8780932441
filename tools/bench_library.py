# SPDX-License-Identifier: GPL-3.0-or-later
"""Time listing a library of 5,000 jobs, and a batch of 200 images, 10 of them at a time.

`bench_library.py [JOBS [PICTURES]]`; `bench.py` runs it in an environment that has the package.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fakes import FAKES  # noqa: E402
from fakes.crowd import Crowd, serve_crowd  # noqa: E402
from fakes.glb import triangle_glb  # noqa: E402
from fakes.ordered import numbered_picture  # noqa: E402
from fakes.service import KEY  # noqa: E402

JOBS, PICTURES = 5000, 200
TAKES = 4.0
"""Seconds that a task of the batch takes, about a tenth of a real service's."""
RUNS = 7
OPENS_IN = 50.0
"""Milliseconds that opening the list of JOBS jobs may take, best of all runs."""
LEAST_SHARE = 0.95
"""Smallest share of the service's capacity that a batch has to use."""
OPEN = """
import json, sys, time
from pathlib import Path
from image_to_mesh.jobs.library.index import LibraryIndex

def memory():
    if not Path("/proc/self/status").exists():
        return 0
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

found = LibraryIndex(Path(sys.argv[1]))
before = memory()
times = [time.perf_counter()]
found.open()
times.append(time.perf_counter())
opened = len(found.entries)
found.refresh()
times.append(time.perf_counter())
matches = len(found.find(text="cup 49"))
times.append(time.perf_counter())
used = memory() - before
steps = [round(1000 * (end - start), 1) for start, end in zip(times, times[1:])]
print(json.dumps([opened, steps, used / 1024]))
"""
BATCH = """
import sys
from image_to_mesh import cli, providers
providers.__path__.append(sys.argv.pop(1))
cli.find_blender = lambda environment: None
sys.exit(cli.main(sys.argv[1:]))
"""


def fill(root: Path, number: int) -> None:
    """Create a library of `number` finished jobs, with small files."""
    from image_to_mesh.jobs import InputPicture, Record, State
    from image_to_mesh.providers._shared.adapters import to_json

    for job in range(number):
        folder = root / f"20260101-000000-cup-{job:05}"
        folder.mkdir(parents=True)
        record = Record(
            folder.name, State.READY, "local", f"cup {job}", f"2026-01-01T00:00:00.{job:06}+00:00",
            pictures=(InputPicture("front", f"cup {job}", "front.png", sha256=f"{job:064x}"),),
            settings={"face_count": 20_000, "color": True}, ticket={"task": f"{job:036}"},
            mesh="mesh.glb", format="glb", blend="model.blend", preview="preview.png",
            faces=20_000, credits=30.0, seconds=80.0,
        )  # fmt: skip
        (folder / "job.json").write_text(json.dumps(to_json(record)), "utf-8")
        for name in ("front.png", "mesh.glb", "model.blend", "preview.png"):
            (folder / name).write_bytes(b"x" * 100)


def time_list(number: int) -> bool:
    """Print how long a new process takes to list a library of `number` jobs.

    Return whether it is fast enough. Exit if jobs are missing from the list.
    """
    from image_to_mesh.jobs.library.index import LibraryIndex

    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "library")
        fill(root, number)
        time.sleep(2.5)  # The index reads folders again whose last change is only a moment ago.
        started = time.perf_counter()
        LibraryIndex(root).refresh()
        first = time.perf_counter() - started
        command = [sys.executable, "-c", OPEN, str(root)]
        said = [json.loads(subprocess.check_output(command, text=True)) for _ in range(RUNS)]
    if {opened for opened, _, _ in said} != {number}:
        raise SystemExit("the list is not whole")
    opened, scanned, found = (
        statistics.median(steps[step] for _, steps, _ in said) for step in range(3)
    )
    worst = max(steps[0] for _, steps, _ in said)
    memory = max(used for _, _, used in said)
    best = min(steps[0] for _, steps, _ in said)
    print(
        f"{number} jobs in the library: the list opens in {opened:.0f} ms (from {best:.0f} to "
        f"{worst:.0f}), takes {memory:.0f} MB; looking for changes {scanned:.0f} ms, on a thread; "
        f"searching {found:.0f} ms; reading all the first time {first:.1f} s, on a thread"
    )
    return _verdict(f"it opens in at most {OPENS_IN:g} ms", kept=best <= OPENS_IN)


def time_batch(number: int) -> bool:
    """Print what share of a service's capacity a batch uses.

    Return whether that is enough and each image was ordered exactly once.
    """
    with (
        tempfile.TemporaryDirectory() as place,
        serve_crowd(Crowd(takes=TAKES, mesh=triangle_glb(5))) as crowd,
    ):
        pictures = Path(place, "pictures")
        pictures.mkdir()
        for index in range(number):
            (pictures / f"{index:04}.png").write_bytes(numbered_picture(index))
        command = [
            sys.executable, "-c", BATCH, str(FAKES / "services"), "batch", str(pictures),
            "--provider", "rehearsal", "--library", str(Path(place, "library")), "--quiet",
        ]  # fmt: skip
        keys = {"REHEARSAL_API_KEY": KEY, "REHEARSAL_BASE_URL": crowd.url}
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **keys})
        seconds = time.perf_counter() - started
    print(
        f"batch of {number} pictures, {crowd.places} at once for {TAKES:g} s each: "
        f"{len(crowd.tasks)} orders, {len(crowd.refused)} refused, {seconds:.1f} s in all, "
        f"{crowd.throughput():.1%} of the ideal throughput, "
        f"{crowd.polls / number:.1f} looks at each task"
    )
    kept = crowd.throughput() >= LEAST_SHARE and len(crowd.tasks) == number
    return _verdict(f"one order for each and at least {LEAST_SHARE:.0%}", kept=kept)


def _verdict(promise: str, *, kept: bool) -> bool:
    print(f"  {'ok  ' if kept else 'MISS'} {promise}", flush=True)
    return kept


def main() -> int:
    numbers = [int(word) for word in sys.argv[1:]]
    kept = [time_list(numbers[0] if numbers else JOBS)]
    kept.append(time_batch(numbers[1] if len(numbers) > 1 else PICTURES))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
