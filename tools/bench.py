# SPDX-License-Identifier: GPL-3.0-or-later
"""Time what the artist waits for: from image to mesh, and from a service's file to the scene.

`bench.py [PART…]` runs all parts by default: `generate`, `library` (its list, and a batch),
`pictures` (removing metadata), `shapes` (of the offline provider), `panel` (drawing), `startup`
(import and register()), `subject` (finding it, and the network), `files` (meshes of public
packages), the mesh sizes `20k`, `328k`, `1.3M`, and `5M`, and `care` (mesh edits). Blender's
importer and ours read the same files in one run. Exits with 1 if a promise is not kept.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import demo
import environments
import places

WRITE = """
import sys
from pathlib import Path
from bench_files import write_ball
write_ball(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
"""
RUNS = 7
MADE_IN = 3.5
"""Seconds from image to mesh, best of all runs. The README promises “about three seconds”."""
PANEL_TESTS = ("app/test_account", "panels/test_gallery", "panels/test_panels")
STARTUP_TESTS = ("app/test_startup",)
LEAST_FILES = 60
TIMED = "light or quick"
"""Selects the Blender tests that assert milliseconds if BENCH is set."""
RELEASE = "5.0.1"
SIZES = {
    "20k": (20_000, 2),
    "328k": (328_000, 4),
    "1.3M": (1_310_000, 8),
    "5M": (5_000_000, 8),
}
"""Number of triangles, and number of textures of 2048 pixels."""
LEAST_GAIN = {"1.3M": 40.0}
LONGEST_STALL = 0.1
AT_ONCE = {"5M": 0.3}
"""Seconds that a bare append may block Blender, for sizes with a promise about that."""
OVER_BARE_APPEND = 2.0
# From the mesh file to the object, SHARE times the bare importer's time and EXTRA seconds are
# allowed, and COLD seconds more if the worker has to start.
SHARE, EXTRA, COLD = 1.15, 0.3, 1.5
EDITED = "1.3M"
LARGEST_DIFFERENCE = {"decimate": 4.0, "quads": 8.0}
"""Largest mean difference, of 255, between renders of a model and of its edited version."""
LEAST_QUADS, LONGEST_GAP = 0.95, 0.1
BESIDE = Path(__file__).resolve().parent
SIDE = 1024
_SCALED = """
import sys, bpy
image = bpy.data.images.load(sys.argv[1])
image.scale(int(sys.argv[3]), int(sys.argv[3]))
image.save(filepath=sys.argv[2], quality=92)
"""


def square(programs: Path, folder: str) -> Path:
    """Scale the sample to SIDE × SIDE pixels, for which MADE_IN is promised; return the file."""
    file = Path(folder) / f"{places.SAMPLE.stem}-{SIDE}.jpg"
    subprocess.run(
        [str(programs / "python"), "-c", _SCALED, str(places.SAMPLE), str(file), str(SIDE)],
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return file


def once(programs: Path, picture: Path) -> float:
    """Generate one mesh in a new library; return the seconds that this took. Exit if it fails."""
    with tempfile.TemporaryDirectory() as library:
        started = time.perf_counter()
        subprocess.run(
            [str(programs / "image-to-mesh"), "generate", str(picture), "--library", library,
             "--quiet"],
            stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        seconds = time.perf_counter() - started
        if not list(Path(library).glob("*/model.blend")):
            raise SystemExit("no model.blend was made")
    return seconds


def generate() -> bool:
    """Time `image-to-mesh generate`, including Python's start; return whether it is fast enough.

    The images are the sample and a copy scaled to SIDE × SIDE pixels.
    """
    programs, kept = demo.install(), True
    with tempfile.TemporaryDirectory() as folder:
        for picture in (places.SAMPLE, square(programs, folder)):
            took = [once(programs, picture) for _ in range(RUNS)]
            print(f"{picture.name} to model.blend, {RUNS} runs on {os.cpu_count()} cores: "
                  f"min {min(took):.2f} s, median {statistics.median(took):.2f} s, "
                  f"max {max(took):.2f} s", flush=True)  # fmt: skip
            kept &= _verdict(f"at most {MADE_IN} s", kept=min(took) <= MADE_IN)
    return kept


def library() -> bool:
    """Time listing a large library and running a batch; return whether both keep their promises."""
    command = [str(demo.install() / "python"), str(BESIDE / "bench_library.py")]
    return subprocess.call(command) == 0


def timed_tests(names: tuple[str, ...]) -> bool:
    """Run the CPU time tests in these files of tests/blender; return whether they pass."""
    command = [str(environments.for_blender(RELEASE)), "-B", "-m", "pytest", "-q", "-k", TIMED,
               *(f"tests/blender/{name}.py" for name in names)]  # fmt: skip
    return subprocess.call(command, cwd=places.ROOT, env={"BENCH": "1", **os.environ}) == 0


def subject() -> bool:
    """Run the tests that measure how well subjects are found; return whether they pass.

    These tests also check the time and memory that the network takes.
    """
    tests = ("local/test_subjects.py", "local/test_drawings.py", "nets/test_network_cost.py")
    command = [str(environments.for_unit("3.11")), "-B", "-m", "pytest", "-q", "-s",
               *(f"tests/unit/worker/{name}" for name in tests)]  # fmt: skip
    return subprocess.call(command, cwd=places.ROOT, env={"BENCH": "1", **os.environ}) == 0


def files() -> bool:
    """Time how long importing public meshes blocks Blender; return whether the promise is kept."""
    figures = _figures(environments.for_blender(RELEASE), script="bench_real.py")
    worst = figures["longest"]
    print(f"{figures['count']} files of other people: appended in at most {worst[0] * 1e3:.0f} ms "
          f"({worst[1]})")  # fmt: skip
    stall = f"a stall of at most {LONGEST_STALL * 1e3:.0f} ms for each of at least {LEAST_FILES}"
    return _verdict(stall, kept=worst[0] <= LONGEST_STALL and figures["count"] >= LEAST_FILES)


def _verdict(promise: str, *, kept: bool) -> bool:
    print(f"  {'ok  ' if kept else 'MISS'} {promise}", flush=True)
    return kept


def come_in(size: str) -> bool:
    """Time importing a mesh file of this size, and print the figures.

    Return whether all promises are kept.
    """
    python = environments.for_blender(RELEASE)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mesh.glb"
        _run(python, "-c", WRITE, str(file), *map(str, SIZES[size]))
        bare = _figures(python, "bare", str(file))
        ours = _figures(python, "ours", str(file), folder)
        megabytes = file.stat().st_size / 1e6
    promises = _promises(size, bare, ours)
    textures = SIZES[size][1]
    print(f"{size} triangles, {textures} textures, {megabytes:.0f} MB")
    print(f"  Blender stands still: bare importer {bare['stall'] * 1e3:.0f} ms, "
          f"ours {ours['stall'] * 1e3:.1f} ms (worst {ours['worst'] * 1e3:.1f}, "
          f"{ours['ticks']} ticks; {ours['felt'] * 1e3:.1f} with the undo step), "
          f"bare libraries.load {ours['floor'] * 1e3:.1f} ms")  # fmt: skip
    print(f"  last byte to object: bare importer {bare['stall']:.2f} s, ours {ours['warm']:.2f} s, "
          f"with a cold start {ours['cold']:.2f} s")  # fmt: skip
    verdicts = [_verdict(promise, kept=kept) for promise, kept in promises.items()]
    return all(verdicts)


def _promises(size: str, bare: dict[str, float], ours: dict[str, float]) -> dict[str, bool]:
    gain = bare["stall"] / ours["stall"]
    limit = bare["stall"] * SHARE + EXTRA
    promises = {
        f"a stall of at most {LONGEST_STALL * 1e3:.0f} ms": ours["felt"] <= LONGEST_STALL,
        f"within {OVER_BARE_APPEND:.0f} times the bare append": ours["stall"]
        <= OVER_BARE_APPEND * ours["floor"],
        f"at most {limit:.2f} s in all": ours["warm"] <= limit,
        f"at most {limit + COLD:.2f} s with a cold start": ours["cold"] <= limit + COLD,
    }
    if size in AT_ONCE:
        seconds = AT_ONCE[size]
        promises[f"at most {seconds * 1e3:.0f} ms appended at once"] = ours["floor"] <= seconds
    if size in LEAST_GAIN:
        kept = gain >= LEAST_GAIN[size]
        promises[f"1/{LEAST_GAIN[size]:.0f} of the importer's stall (1/{gain:.0f})"] = kept
    return promises


def pictures() -> bool:
    """Time removing the metadata of a large image; return whether the promise is kept."""
    command = [str(demo.install() / "python"), str(BESIDE / "bench_pictures.py")]
    return subprocess.call(command) == 0


def shapes() -> bool:
    """Time the offline provider's shapes, and compare drawings and bodies with the truth.

    Return whether the promises are kept.
    """
    environment = {**os.environ, "PYTHONPATH": str(BESIDE)}
    command = [str(environments.for_unit("3.11")), "-B", str(BESIDE / "bench_shapes.py")]
    return subprocess.call(command, env=environment) == 0


def care() -> bool:
    """Time edits of a large mesh, and compare the results with the original.

    Return whether the promises are kept.
    """
    python = environments.for_blender(RELEASE)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mesh.glb"
        _run(python, "-c", WRITE, str(file), *map(str, SIZES[EDITED]))
        figures = _figures(python, str(file), folder, script="bench_care.py")
    kept = True
    print(f"care for {EDITED} triangles, {SIZES[EDITED][1]} textures")
    for task, found in figures.items():
        card, off = found["card"], found["difference"]
        quads = card["quads"] / card["faces"]
        print(f"  {task}: {card['faces']} faces ({quads:.0%} quads) in {found['seconds']:.0f} s; "
              f"rendered, it differs by {off:.2f} of 255; the main thread's longest gap "
              f"{found['gap'] * 1e3:.0f} ms")  # fmt: skip
        kept &= off <= LARGEST_DIFFERENCE[task] and found["gap"] <= LONGEST_GAP
        kept &= task != "quads" or quads >= LEAST_QUADS
    promises = f"at most {LARGEST_DIFFERENCE}, {LEAST_QUADS:.0%} quads, "
    return _verdict(f"{promises}gaps of {LONGEST_GAP * 1e3:.0f} ms", kept=kept)


def _figures(python: Path, *arguments: str, script: str = "bench_scene.py") -> dict[str, Any]:
    said = _run(python, str(BESIDE / script), *arguments)
    line = next(line for line in said.splitlines() if line.startswith("@"))
    found: dict[str, Any] = json.loads(line[1:])
    return found


def _run(python: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(places.ROOT / "tools")}
    done = subprocess.run(
        [str(python), "-B", *arguments], env=environment, stdout=subprocess.PIPE, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout


def benchmarks() -> dict[str, Callable[[], bool]]:
    """Return the benchmarks by name; each returns whether its figures keep the promises."""
    return {
        "generate": generate,
        "library": library,
        "pictures": pictures,
        "shapes": shapes,
        "panel": partial(timed_tests, PANEL_TESTS),
        "startup": partial(timed_tests, STARTUP_TESTS),
        "subject": subject,
        "files": files,
        **{size: partial(come_in, size) for size in SIZES},
        "care": care,
    }


def main() -> int:
    known = benchmarks()
    wanted = sys.argv[1:] or list(known)
    if unknown := [part for part in wanted if part not in known]:
        print(f"There is no {unknown[0]!r} to time", file=sys.stderr)
        return 2
    places.link_checkout()
    kept = {name: part() for name, part in known.items() if name in wanted}
    for name in (name for name, good in kept.items() if not good):
        print(f"MISS: {name}")
    print(f"{sum(kept.values())} passed, {len(kept) - sum(kept.values())} failed")
    return 0 if all(kept.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
