# SPDX-License-Identifier: GPL-3.0-or-later
"""A Blender is found in every place where installers put it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from image_to_mesh.jobs.process import find_blender as blender_places
from image_to_mesh.jobs.process.find_blender import binary_in, find_blender, known_places

BUNDLED = "Blender.app/Contents/MacOS/Blender"
HOMES = {
    "snap": ("linux", "snap/steam/common/.local/share/Steam/steamapps/common/Blender/blender"),
    "flatpak": ("linux", ".local/share/flatpak/exports/bin/org.blender.Blender"),
    "steam": ("linux", ".local/share/Steam/steamapps/common/Blender/blender"),
    "steam in flatpak": (
        "linux",
        ".var/app/com.valvesoftware.Steam/.local/share/Steam/steamapps/common/Blender/blender",
    ),
    "portable": ("linux", "blender-4.5.3-linux-x64/blender"),
    "downloaded": ("linux", "Downloads/blender-5.0.0-linux-x64/blender"),
    "bundle": ("darwin", "Applications/Blender.app/Contents/MacOS/Blender"),
    "steam's bundle": (
        "darwin",
        "Library/Application Support/Steam/steamapps/common/Blender/" + BUNDLED,
    ),
}


def program(path: Path) -> Path:
    """Put a program there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", HOMES)
def test_blender_is_found_below_the_home_folder(name: str, tmp_path: Path) -> None:
    platform, where = HOMES[name]
    there = program(tmp_path / where)
    assert there in known_places(platform, {"HOME": str(tmp_path)})


def test_blender_is_found_in_system_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = " ".join((*blender_places._LINUX, *blender_places._MACOS))
    for known in (
        "/snap/bin/blender",
        "/var/lib/flatpak/exports",
        "/Applications/Blender",
        "/opt/",
    ):
        assert known in every
    rooted = (f"{tmp_path}/opt/blender*/blender",)
    monkeypatch.setattr(blender_places, "_LINUX", rooted)
    there = program(tmp_path / "opt" / "blender-4.5" / "blender")
    assert list(known_places("linux", {"HOME": "/nowhere"})) == [there]


def test_blender_is_found_on_windows(tmp_path: Path) -> None:
    base = tmp_path / "Program Files"
    old = program(base / "Blender Foundation" / "Blender 4.2" / "blender.exe")
    new = program(base / "Blender Foundation" / "Blender 4.10" / "blender.exe")
    steam = program(tmp_path / "x86" / "Steam/steamapps/common/Blender/blender.exe")
    environment = {"PROGRAMFILES": str(base), "PROGRAMFILES(X86)": str(tmp_path / "x86")}
    assert list(known_places("win32", environment)) == [new, old, steam]


def test_the_newest_of_several_comes_first(tmp_path: Path) -> None:
    for version in ("4.2.9", "4.10.0", "4.5.3"):
        program(tmp_path / f"blender-{version}-linux-x64" / "blender")
    found = known_places("linux", {"HOME": str(tmp_path)})
    ours = [path.parent.name for path in found if path.is_relative_to(tmp_path)]
    assert [name.split("-")[1] for name in ours] == ["4.10.0", "4.5.3", "4.2.9"]


def test_a_folder_or_a_bundle_names_the_program_in_it(tmp_path: Path) -> None:
    inside = program(tmp_path / "Blender.app" / "Contents" / "MacOS" / "Blender")
    assert binary_in(str(tmp_path / "Blender.app")) == str(inside)
    portable = program(tmp_path / "blender-5.0" / "blender")
    assert binary_in(str(portable.parent)) == str(portable)
    assert binary_in(str(portable)) == str(portable)
    assert binary_in("/no/such") == "/no/such"


def test_a_named_blender_wins_and_known_places_come_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "platform", "linux")
    named, known = (
        program(tmp_path / "own" / "blender"),
        program(tmp_path / "blender-5" / "blender"),
    )
    on_path = program(tmp_path / "bin" / "blender")
    environment = {"HOME": str(tmp_path), "PATH": str(on_path.parent), "BLENDER": str(named.parent)}
    for expected, gone in ((named, "BLENDER"), (on_path, "PATH"), (known, "HOME")):
        found = find_blender(environment)
        assert found is not None
        assert found[0] == str(expected)
        environment[gone] = "/nowhere"
        if gone == "BLENDER":
            del environment[gone]
