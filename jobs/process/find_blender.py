# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds a Blender on this machine, and makes the command that starts the worker in it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

WORKER = Path(__file__).resolve().parents[2] / "worker" / "main.py"

_IN_BUNDLE = "Contents/MacOS/Blender"
# Below a home folder, a drive or the root; where several fit, the newest version comes first.
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
    """Return the command that starts a background Blender outside of Blender, or None.

    The `bpy` module where it can be imported, else the `BLENDER` variable, which may name a folder
    or a macOS bundle as well, else `blender` on PATH, else where installers put it.
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

    Without add-ons, preferences, scripts out of files, or the network.
    """
    quiet = ("--background", "--factory-startup", "--disable-autoexec")  # guard: worker-flags
    # Behind the script, which never returns: a Blender that does not know it would open it as a
    # file, and could not say its version any more.
    script = ("--python-exit-code", "1", "--python", str(WORKER), "--offline-mode")
    return (binary, *quiet, *script, "--")


def module_command() -> tuple[str, ...]:
    """Return the command that starts the worker in this Python, with the `bpy` module.

    Isolated: no variable, user folder or current folder adds to what it imports, but for where
    `bpy` lies, should that be none of its own places.
    """
    found = importlib.util.find_spec("bpy")
    places = list(found.submodule_search_locations or ()) if found else []
    where = [str(Path(place).parent) for place in places[:1]]
    return (sys.executable, "-I", str(WORKER), *where)


def binary_in(place: str) -> str:
    """Return the executable for a path that names Blender's folder or its macOS bundle."""
    inside = (_IN_BUNDLE, "blender", "blender.exe", f"Blender.app/{_IN_BUNDLE}")
    found = (Path(place) / name for name in inside)
    return next((str(path) for path in found if path.is_file()), place)


def known_places(platform: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield the Blenders at the places where this platform's installers put them."""
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
    """Read the numbers in a path such as `blender-4.5.3-linux-x64`; none counts as newest."""
    found = re.search(r"\d+(?:\.\d+)+", str(path))
    return tuple(map(int, found[0].split("."))) if found else (sys.maxsize,)
