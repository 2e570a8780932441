# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the manual's HTML pages in build/manual, for the zips and for a web server.

To host them, upload the folder and set its address as `documentation` in pyproject.toml.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import environments
import places

FOLDER = places.BUILD / "manual"
RENDERER = Path(__file__).with_name("html_manual.py")
_MARK = places.BUILD / "manual.sources"


def build() -> Path:
    """Render the pages if a source changed since they were rendered; return their folder.

    Tests that run in parallel may build zips at the same time, so a lock lets only one process
    render.
    """
    places.BUILD.mkdir(exist_ok=True)
    with places.hold_lock("manual"):
        sources = _fingerprint()
        if not FOLDER.is_dir() or not _MARK.exists() or _MARK.read_text("utf-8") != sources:
            # First, so that pages of an interrupted run do not pass for complete ones.
            _MARK.unlink(missing_ok=True)
            python = environments.for_manual()
            subprocess.run([str(python), "-B", str(RENDERER), str(FOLDER)], check=True)
            _MARK.write_text(sources, "utf-8")
    return FOLDER


def files() -> list[str]:
    """Build the pages if needed; return the paths of all files, relative to their folder."""
    folder = build()
    paths = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def _fingerprint() -> str:
    """Return the checkout's path and a hash of everything that the pages are made from.

    The manifest is included because every page shows the version.
    """
    frame = RENDERER.with_name("manual_page").iterdir()
    docs = [*(places.ROOT / "docs").glob("*.md"), *(places.ROOT / "docs/images").rglob("*.png")]
    requirements = environments.REQUIREMENTS / "manual.txt"
    sources = [RENDERER, requirements, places.ROOT / "blender_manifest.toml", *frame, *docs]
    total = hashlib.sha256()
    for path in sorted(sources):
        total.update(f"{path.relative_to(places.ROOT)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{places.ROOT} {total.hexdigest()}"


def main() -> None:
    """Build the pages and say where they are."""
    built = [build() / file for file in files()]
    size = sum(path.stat().st_size for path in built)
    print(f"{(FOLDER / 'index.html').as_uri()}  {len(built)} files, {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
