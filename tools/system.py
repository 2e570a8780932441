# SPDX-License-Identifier: GPL-3.0-or-later
"""Install system packages that the tools need: libraries for `bpy`, a browser, gettext, libheif."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import places

if TYPE_CHECKING:
    from pathlib import Path

# Debian's names. `bpy` opens no window, but is linked to what would.
LIBRARIES = ("libegl1", "libgl1", "libgomp1", "libice6", "libsm6", "libx11-6", "libxext6",
             "libxfixes3", "libxi6", "libxkbcommon0", "libxrender1", "libxxf86vm1")  # fmt: skip
BROWSER = ("chromium", "chromium-driver")


def complaint(python: Path) -> str | None:
    """Return the last line of the error if this interpreter cannot import bpy; None if it can."""
    done = subprocess.run(
        [str(python), "-c", "import bpy"], capture_output=True, text=True, check=False
    )
    return (done.stderr.strip().splitlines() or ["it crashed"])[-1] if done.returncode else None


def complete(python: Path) -> str | None:
    """Install the system libraries that bpy lacks, if possible.

    Return the error that remains when importing bpy, or None.
    """
    with places.hold_lock("system"):
        wrong = complaint(python)
        # Only a shared library that cannot be loaded is the system's fault.
        if wrong and ".so" in wrong and places.is_root() and shutil.which("apt-get"):
            install(*LIBRARIES)
            wrong = complaint(python)
    if wrong and ".so" in wrong:
        return f"{wrong} (on Debian: apt-get install {' '.join(LIBRARIES)})"
    return wrong


def complete_browser() -> str | None:
    """Install Debian's Chromium and its driver if possible.

    Return what is missing after that, or None.
    """
    with places.hold_lock("system"):
        if not _has_browser() and places.is_root() and shutil.which("apt-get"):
            install(*BROWSER)
    if _has_browser():
        return None
    return f"no Chromium with its driver (on Debian: apt-get install {' '.join(BROWSER)})"


def _has_browser() -> bool:
    return all(map(shutil.which, ("chromium", "chromedriver")))


def find_gettext() -> bool:
    """Return whether GNU gettext's tools are installed, after trying to install them if not."""
    with places.hold_lock("system"):
        if not shutil.which("msgfmt") and places.is_root() and shutil.which("apt-get"):
            install("gettext")
    return shutil.which("msgfmt") is not None


def find_photo_decoder() -> bool:
    """Return whether a program that opens HEIC photos is installed, after trying to install one.

    It is part of libheif: `heif-dec` in new versions, `heif-convert` in old ones.
    """
    with places.hold_lock("system"):
        is_there = any(map(shutil.which, ("heif-dec", "heif-convert")))
        if not is_there and places.is_root() and shutil.which("apt-get"):
            install("libheif-examples")
    return any(map(shutil.which, ("heif-dec", "heif-convert")))


def install(*packages: str) -> None:
    """Install Debian packages on this machine. Raise CalledProcessError if apt-get fails."""
    print(f"Installing {' '.join(packages)}", file=sys.stderr, flush=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", "--quiet", "--quiet", *arguments],
            env=env, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
