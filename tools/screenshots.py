# SPDX-License-Identifier: GPL-3.0-or-later
"""Take the manual's screenshots: run the tests that take them in Blender's window, and copy them.

`screenshots.py --states` only takes the sidebar and the preferences in every state and appearance,
for inspection in build/screenshots/<suite>/states/sheets; SANDBOX_SUITE chooses the Blender.
`screenshots.py --beside` takes the add-on beside Blender's own editors and preferences.
`screenshots.py --kept` copies what an earlier run wrote.
"""

from __future__ import annotations

import os
import subprocess
import sys

import blenders
import environments
import package
import places

SUITE = os.environ.get("SANDBOX_SUITE", "trixie")
SHOTS = places.BUILD / "screenshots" / SUITE
IMAGES = places.ROOT / "docs" / "images"
HEIGHT = 640
"""Pixels of a screenshot of the sidebar from its top; below, there is only the viewport."""

PANEL = {
    "panel-empty": "dark/empty",
    "panel-ready": "dark/image",
    "panel-no-key": "dark/no-key",
    "panel-offline": "dark/offline",
    "panel-balance": "dark/balance",
    "panel-running": "dark/running-50",
    "panel-done": "dark/done",
    "panel-error": "dark/failed",
    "panel-narrow": "narrow/image",
    "panel-light": "light/done",
    "german-narrow": "german/no-key",
}
"""The manual's images of the sidebar, and the states that they show."""
TALL = {
    "panel-crowded": "dark/running-15",
    "panel-settings": "dark/settings-changed",
    "panel-placement": "dark/placement",
    "panel-results": "dark/results-selected-end",
    "panel-scale-2": "scale-2/image",
    "preferences-import": "dark/preferences-end",
}
"""Images like those in PANEL that are copied in full height."""
WHOLE = {
    "click-after": "first-sight-texture-shown",
    "drop-menu": "drop-menu",
    "server-custom": "custom-tested",
    "server-app": "app-form",
    "viewport-placeholder": "viewport-placeholder",
}
"""Screenshots of whole windows and views."""

_SMALLER = """
import sys
from PIL import Image
source, target, height = sys.argv[1:]
with Image.open(source) as shot:
    part = shot.convert("RGB").crop((0, 0, shot.width, min(shot.height, int(height))))
part.quantize(256, Image.Quantize.FASTOCTREE).save(target, optimize=True)
"""
STATES = "states/every_state.py"
BESIDE = "states/beside_blender.py"
TESTS = (
    "interface/test_image_sources.py",
    "interface/test_placeholders.py",
    "jobs/test_first_sight.py",
    "jobs/test_server_forms.py",
)


def take(*tests: str) -> None:
    """Run tests that take screenshots in a sandbox's window; build the sandbox first if needed."""
    blenders.build(SUITE)
    python = environments.for_unit("3.11")
    files = [f"tests/gui/{name}" for name in tests]
    subprocess.run([str(python), "-m", "pytest", "-q", *files], cwd=places.ROOT, check=True,
                   env={**os.environ, "SANDBOX_SUITE": SUITE})  # fmt: skip


def keep(name: str, shot: str, height: int = 10_000) -> None:
    """Copy the top `height` pixels of a screenshot to the manual.

    The copy has at most 256 colors, which keeps the file small.
    """
    python = environments.for_unit("3.11")
    source, target = SHOTS / f"{shot}.png", IMAGES / f"{name}.png"
    command = [str(python), "-c", _SMALLER, str(source), str(target), str(height)]
    subprocess.run(command, check=True)
    print(f"{target.relative_to(places.ROOT)}  {target.stat().st_size / 1e3:.0f} kB")


def main() -> None:
    if "--kept" not in sys.argv[1:]:
        package.build("linux-x64")
        if "--beside" in sys.argv[1:]:
            take(BESIDE)
            return
        take(STATES)
        if "--states" in sys.argv[1:]:
            return
        take(*TESTS)
    for name, state in PANEL.items():
        keep(name, f"states/{state}", HEIGHT)
    for name, state in TALL.items():
        keep(name, f"states/{state}")
    for name, shot in WHOLE.items():
        keep(name, shot)


if __name__ == "__main__":
    main()
