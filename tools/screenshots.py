# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the manual's screenshots: run the window tests that take them, in both Blenders.

`screenshots.py --kept` uses the files that an earlier run wrote to build/screenshots.
"""

from __future__ import annotations

import os
import subprocess
import sys

import blenders
import environments
import package
import places

SHOTS = places.BUILD / "screenshots"
IMAGES = places.ROOT / "docs" / "images"
FOLDERS = {"trixie": IMAGES, "sid": IMAGES / "5.2"}
"""Folder of each Blender's screenshots. Pages with a single one show that of 4.3."""

PANEL = (
    "panel-empty",
    "panel-ready",
    "panel-no-key-tripo",
    "panel-offline",
    "panel-running",
    "panel-crowded",
    "panel-done",
    "panel-error",
    "panel-results",
    "panel-narrow",
    "german-narrow-tripo",
    "panel-light",
    "panel-light-done",
    "panel-scale-2",
    "panel-scale-2-below",
)
"""Screenshots of the sidebar's states, which docs/panel.md shows for both Blenders."""

WHOLE = ("click-after", "drop-menu", "preferences-import", "viewport-placeholder")
"""Screenshots of whole windows and views, in Blender 4.3 only."""

_SMALLER = """
import sys
from PIL import Image
source, target = sys.argv[1:]
with Image.open(source) as shot:
    few = shot.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE)
few.save(target, optimize=True)
"""
TESTS = ("interface", "jobs/test_generate.py", "session/test_looking_away.py")


def take(suite: str) -> None:
    """Run the tests that take screenshots, in a sandbox's window."""
    blenders.build(suite)
    python = environments.for_unit("3.11")
    tests = [f"tests/gui/{name}" for name in TESTS]
    subprocess.run([str(python), "-m", "pytest", "-q", *tests], cwd=places.ROOT, check=True,
                   env={**os.environ, "SANDBOX_SUITE": suite})  # fmt: skip


def keep(suite: str) -> None:
    """Copy one Blender's screenshots to the manual, with few colors to keep the files small."""
    python = environments.for_unit("3.11")
    folder = FOLDERS[suite]
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*PANEL, *WHOLE) if folder == IMAGES else PANEL:
        source, target = SHOTS / suite / f"{name}.png", folder / f"{name}.png"
        subprocess.run([str(python), "-c", _SMALLER, str(source), str(target)], check=True)
        print(f"{target.relative_to(places.ROOT)}  {target.stat().st_size / 1e3:.0f} kB")


def main() -> None:
    if "--kept" not in sys.argv[1:]:
        package.build("linux-x64")
        for suite in FOLDERS:
            take(suite)
    for suite in FOLDERS:
        keep(suite)


if __name__ == "__main__":
    main()
