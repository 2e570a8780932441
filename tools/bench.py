# SPDX-License-Identifier: GPL-3.0-or-later
"""Time `image-to-mesh generate` from start to model.blend: the sample picture, and 1024 × 1024.

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
SIDE = 1024
_SCALED = """
import sys, bpy
image = bpy.data.images.load(sys.argv[1])
image.scale(int(sys.argv[3]), int(sys.argv[3]))
image.save(filepath=sys.argv[2], quality=92)
"""


def square(programs: Path, folder: str) -> Path:
    """Write the sample picture at the size for which the product promises under four seconds."""
    file = Path(folder) / f"{places.SAMPLE.stem}-{SIDE}.jpg"
    subprocess.run(
        [str(programs / "python"), "-c", _SCALED, str(places.SAMPLE), str(file), str(SIDE)],
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return file


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
    with tempfile.TemporaryDirectory() as folder:
        for picture in (places.SAMPLE, square(programs, folder)):
            took = [once(programs, picture) for _ in range(runs)]
            print(f"{picture.name} to model.blend, {runs} runs on {os.cpu_count()} cores: "
                  f"min {min(took):.2f} s, median {statistics.median(took):.2f} s, "
                  f"max {max(took):.2f} s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
