# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds a Blender on this computer and builds the command that starts the worker in it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

WORKER = Path(__file__).resolve().parents[2] / "worker" / "main.py"

_IN_BUNDLE = "Contents/MacOS/Blender"
# Patterns without a leading “/” are relative to the home folder; of several matches, the newest
# version is used.
_LINUX = (
    ".local/bin/blender",
    "/snap/bin/blender",
    "/snap/blender/current/blender",
    "/var/lib/flatpak/exports/bin/org.blender.Blender",
    ".local/share/flatpak/exports/bin/org.blender.Blender",
    "/opt/blender*/blender",
    "/usr/local/blender*/blender",
    "blender*/blender",
    "Applications/blender*/blender",
    "Downloads/blender*/blender",
    ".local/share/Steam/steamapps/common/Blender/blender",
    ".steam/steam/steamapps/common/Blender/blender",
    "snap/steam/common/.local/share/Steam/steamapps/common/Blender/blender",
    ".var/app/com.valvesoftware.Steam/.local/share/Steam/steamapps/common/Blender/blender",
)
_MACOS = (
    f"/Applications/Blender*.app/{_IN_BUNDLE}",
    f"/Applications/Blender*/Blender*.app/{_IN_BUNDLE}",
    f"Applications/Blender*.app/{_IN_BUNDLE}",
    f"Downloads/Blender*.app/{_IN_BUNDLE}",
    f"Library/Application Support/Steam/steamapps/common/Blender/Blender.app/{_IN_BUNDLE}",
    "/opt/homebrew/bin/blender",
    "/usr/local/bin/blender",
)
_WINDOWS = {
    "PROGRAMFILES": ("Blender Foundation/Blender*/blender.exe", "blender*/blender.exe"),
    "PROGRAMFILES(X86)": ("Steam/steamapps/common/Blender/blender.exe",),
    "LOCALAPPDATA": ("Microsoft/WindowsApps/blender.exe", "Programs/Blender*/blender.exe"),
    "USERPROFILE": ("blender*/blender.exe", "Downloads/blender*/blender.exe"),
}


def find_blender(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the command with which a process outside of Blender starts a worker.

    Uses the first of these that exists; returns None if there is nothing to use:
    1. the `bpy` module;
    2. the environment variable `BLENDER`, which names an executable, a folder, or a macOS bundle,
       and is not checked;
    3. `blender` on the PATH;
    4. the usual install locations.
    """
    if importlib.util.find_spec("bpy") is not None:
        return module_command()
    if named := environment.get("BLENDER"):
        return blender_command(binary_in(named))
    on_path = shutil.which("blender", path=environment.get("PATH"))
    binary = on_path or next(known_places(sys.platform, environment), None)
    return blender_command(str(binary)) if binary else None


def blender_command(binary: str) -> tuple[str, ...]:
    """Return the command that starts the worker in the Blender at `binary`.

    Add-ons, preferences, scripts in files, and network access are off.
    """
    quiet = ("--background", "--factory-startup", "--disable-autoexec")  # guard: worker-flags
    # --offline-mode comes after the script, which never returns: Blender before 4.2 does not know
    # the option and would open it as a file, so that it could not even report its version.
    script = ("--python-exit-code", "1", "--python", str(WORKER), "--offline-mode")
    return (binary, *quiet, *script, "--")


def module_command() -> tuple[str, ...]:
    """Return the command that starts the worker in this Python, with the `bpy` module.

    Isolated mode keeps variables, user folders, and the current folder out of the import path; the
    folder of `bpy` is passed in case it is not on the default path.
    """
    found = importlib.util.find_spec("bpy")
    places = list(found.submodule_search_locations or ()) if found else []
    where = [str(Path(place).parent) for place in places[:1]]
    return (sys.executable, "-I", str(WORKER), *where)


def binary_in(place: str) -> str:
    """Return the Blender executable in a folder or macOS bundle, or `place` itself without one."""
    inside = (_IN_BUNDLE, "blender", "blender.exe", f"Blender.app/{_IN_BUNDLE}")
    found = (Path(place) / name for name in inside)
    return next((str(path) for path in found if path.is_file()), place)


def known_places(platform: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield the Blender executables in a platform's usual install locations, best first."""
    if platform == "win32":
        for variable, patterns in _WINDOWS.items():
            if base := environment.get(variable):
                yield from _matching(Path(base), patterns)
        return
    home = Path(environment.get("HOME") or Path.home())
    yield from _matching(home, _MACOS if platform == "darwin" else _LINUX)


def _matching(base: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        root = Path(base.anchor) if pattern.startswith("/") else base
        found = (path for path in root.glob(pattern.lstrip("/")) if path.is_file())
        yield from sorted(found, key=_version, reverse=True)


def _version(path: Path) -> tuple[int, ...]:
    """Return the version in a path such as `blender-4.5.3-linux-x64`, to sort by.

    A path without a version sorts as the newest.
    """
    match = re.search(r"\d+(?:\.\d+)+", str(path))
    return tuple(map(int, match[0].split("."))) if match else (sys.maxsize,)
