# SPDX-License-Identifier: GPL-3.0-or-later
"""Time the offline provider's shapes at 1024 × 1024, and compare them with the truth.

Drawings are compared with the filled shapes. Bodies are made from the true depth of known shapes,
reduced to what a network can tell of it, and compared with the normals of these shapes. Times are
CPU seconds of `build`, best of RUNS, on one thread. `bench.py shapes` runs this where the unit
tests run.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import places

sys.path.insert(0, str(places.ROOT / "tests"))

import numpy as np
import pytest
from PIL import Image
from unit import known_depth
from unit.local_shapes import build, front_outline, overlap

SUBJECTS = places.ROOT / "tests" / "data" / "subjects"
SHAPES = ("inflate", "body", "relief", "cutout", "spin")
KNOWN = ("monkey", "toy", "jug")
SIDE, RUNS = 1024, 7
LONGEST = 0.6
"""CPU seconds that a shape may take, without the network that finds the subject."""
LEAST_OVERLAP = 0.95
MOST_DEGREES = 8.0
"""Mean angle by which a body's normals may be off, for shapes with smooth and broad parts."""
MOST_MEMORY = 200
"""Peak memory, in MB, that the process that builds the shapes may take."""


def read(file: Path, side: int | None = None) -> tuple[Any, Any]:
    """Return an image's colors (h, w, 3) from 0 to 1, and the mask (h, w) of its subject.

    Both are scaled to `side` × `side` pixels if it is given.
    """
    size = (side, side) if side else Image.open(file).size
    colors = Image.open(file).convert("RGB").resize(size)
    mask = Image.open(file.with_suffix(".png")).convert("L").resize(size)
    return np.asarray(colors, np.float32) / 255.0, np.asarray(mask) > 127


def time_shape(shape: str) -> float:
    """Return the CPU seconds that building a shape from an image with transparency takes.

    The fastest of RUNS counts. The depth network's answer is given, so that it does not run.
    """
    colors, mask = read(SUBJECTS / "plain_octopus.jpg", SIDE)
    pixels = np.dstack([colors, mask.astype(np.float32)])
    models = known_depth.MODELS if shape == "body" else {}
    answer = colors[:, :, 0][: known_depth.depth.SIDE, : known_depth.depth.SIDE]
    took = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_depth.depth, "_ask", lambda *_: answer)
        for _ in range(RUNS):
            started = time.process_time()
            build(pixels, shape=shape, models=models)
            took.append(time.process_time() - started)
    return min(took)


def body_error(name: str) -> float:
    """Return the mean angle in degrees between a body's normals and those of a known shape."""
    truth = known_depth.load_truth(name)
    with pytest.MonkeyPatch.context() as patch:
        return known_depth.normal_errors(known_depth.build_body(truth, patch), truth)[0]


def drawing_overlap(file: Path) -> float:
    """Return the intersection over union of the mesh's front view and the filled drawing."""
    colors, mask = read(file)
    model = build(np.dstack([colors, np.ones(mask.shape, np.float32)]))
    return overlap(front_outline(model, mask), mask)


def main() -> int:
    """Print the figures; return 1 if one misses its limit, else 0."""
    seconds = {shape: time_shape(shape) for shape in SHAPES}
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    for shape, least in seconds.items():
        print(f"{shape} at {SIDE} × {SIDE}: {least:.2f} s of the processor")
    shares = {file.stem: drawing_overlap(file) for file in sorted(SUBJECTS.glob("drawing_*.jpg"))}
    for name, share in shares.items():
        print(f"{name}: IoU {share:.3f}")
    angles = {name: body_error(name) for name in (*KNOWN, "chair")}
    for name, angle in angles.items():
        print(f"{name}: the body's normals are off by {angle:.1f}° on average")
    verdicts = {
        f"at most {LONGEST} s of the processor": max(seconds.values()) <= LONGEST,
        f"IoU of drawings at least {LEAST_OVERLAP}": min(shares.values()) >= LEAST_OVERLAP,
        f"at most {MOST_DEGREES:.0f}° for {', '.join(KNOWN)}": max(angles[name] for name in KNOWN)
        <= MOST_DEGREES,
        f"at most {MOST_MEMORY} MB ({peak:.0f})": peak <= MOST_MEMORY,
    }
    for promise, kept in verdicts.items():
        print(f"  {'ok  ' if kept else 'MISS'} {promise}")
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
