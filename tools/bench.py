# SPDX-License-Identifier: GPL-3.0-or-later
"""Time `image-to-mesh generate` on the sample picture, from start to model.blend; then the library.

`bench.py [RUNS]`: what is measured is what a person waits for, the interpreter's start included.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import demo
import places

RUNS = 7
BESIDE = Path(__file__).resolve().parent


def once(programs: Path, picture: Path) -> float:
    """Make one mesh in a library of its own and return the seconds that it took."""
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


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    programs = demo.installed()
    took = [once(programs, places.SAMPLE) for _ in range(runs)]
    print(f"{places.SAMPLE.name} to model.blend, {runs} runs on {os.cpu_count()} cores: "
          f"min {min(took):.2f} s, median {statistics.median(took):.2f} s, "
          f"max {max(took):.2f} s", flush=True)  # fmt: skip
    subprocess.run([str(programs / "python"), str(BESIDE / "bench_library.py")], check=True)


if __name__ == "__main__":
    main()
