# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the manual's pictures anew: run the window tests and cut their screenshots to the panel.

`screenshots.py [FOLDER]` takes screenshots that are there already.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import environments
import package
import places

SHOTS = places.BUILD / "screenshots"
IMAGES = places.ROOT / "docs" / "images"
PANEL = (1048, 78, 1322, 800)
NARROW = (1100, 78, 1322, 800)
LARGE = (764, 78, 1322, 800)
WHOLE = (0, 0, 1600, 1000)
PICTURES = {
    **dict.fromkeys(
        (
            "panel-empty",
            "panel-ready",
            "panel-no-key-tripo",
            "panel-offline",
            "panel-running",
            "panel-crowded",
            "panel-done",
            "panel-error",
            "panel-results",
            "panel-light",
        ),
        PANEL,
    ),
    **dict.fromkeys(("panel-narrow", "german-narrow-tripo"), NARROW),
    "panel-scale-2": LARGE,
    "panel-light-done": WHOLE,
    "drop-menu": WHOLE,
}
"""The screenshots that the manual shows, and which part of them: left, top, right, bottom."""
_CUT = """
import sys
from PIL import Image
source, target, *box = sys.argv[1:]
with Image.open(source) as shot:
    shot.convert("RGB").crop(tuple(map(int, box))).quantize(128).save(target, optimize=True)
"""
TESTS = ("test_looks.py", "test_german.py", "test_panel.py", "test_pictures_in.py",
         "test_looking_away.py")  # fmt: skip


def take() -> Path:
    """Run the tests that take them, in the window of the sandbox."""
    package.build("linux-x64")
    python = environments.for_unit("3.11")
    tests = [f"tests/gui/{name}" for name in TESTS]
    subprocess.run([str(python), "-m", "pytest", "-q", *tests], cwd=places.ROOT, check=True,
                   env={**os.environ, "GUI": "1"})  # fmt: skip
    return SHOTS


def main() -> None:
    shots = Path(sys.argv[1]) if len(sys.argv) > 1 else take()
    python = environments.for_unit("3.11")
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, box in PICTURES.items():
        target = IMAGES / f"{name}.png"
        command = [str(python), "-c", _CUT, str(shots / f"{name}.png"), str(target)]
        subprocess.run([*command, *map(str, box)], check=True)
        print(f"{target.relative_to(places.ROOT)}  {target.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
