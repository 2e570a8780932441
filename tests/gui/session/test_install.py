# SPDX-License-Identifier: GPL-3.0-or-later
"""The released zip installs into an empty profile, with its wheels, and shows its panel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import places
from gui.harness import run_once

if TYPE_CHECKING:
    from pathlib import Path

    import blenders
    from gui.harness import Session

ADDON = "bl_ext.user_default.image_to_mesh"


def test_the_zip_is_enabled(shared_blender: Session) -> None:
    assert shared_blender.run(f"{ADDON!r} in bpy.context.preferences.addons")
    assert shared_blender.run("hasattr(bpy.types.Scene, 'image_to_mesh')")


def test_the_running_code_comes_from_the_zip(shared_blender: Session) -> None:
    file = shared_blender.run(f"import sys; sys.modules[{ADDON!r}].__file__")
    assert file.startswith(str(shared_blender.profile / "extensions" / "user_default"))


def test_the_bundled_wheels_are_used(shared_blender: Session) -> None:
    versions = shared_blender.run(
        "import pydantic, requests; [pydantic.VERSION, pydantic.__file__, requests.__file__]"
    )
    assert f"pydantic-{versions[0]}" in " ".join(places.manifest()["wheels"])
    own = str(shared_blender.profile / "extensions" / ".local")
    assert all(file.startswith(own) for file in versions[1:]), versions


def test_the_manual_came_along(shared_blender: Session) -> None:
    """All its pages are in the profile: each one that a right-click opens, and the first page."""
    address, folder, pages, missing = shared_blender.run(
        "import sys, pathlib, urllib.parse\n"
        f"manual = sys.modules[{ADDON + '.state.manual'!r}]\n"
        "folder, pages = manual.manual_map()\n"
        "path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlsplit(folder).path))\n"
        "files = [name for _, name in pages] + ['index.html']\n"
        "[manual.MANUAL, str(path), files, [file for file in files if not (path / file).is_file()]]"
    )
    assert folder.startswith(str(shared_blender.profile / "extensions" / "user_default"))
    assert address.endswith("/manual/index.html")
    assert "go/cleanup.quad-remesh.html" in pages
    assert missing == []


def test_the_panel_shows_in_its_tab(shared_blender: Session) -> None:
    assert shared_blender.run("region('UI').active_panel_category") == "Image to Mesh"
    # Without an image, the panel shows buttons to choose one in place of Generate.
    shared_blender.click_button("image_to_mesh.use_sample")
    shared_blender.wait_for("bool(bpy.context.scene.image_to_mesh.image)")
    x, y = shared_blender.find("image_to_mesh.generate")
    shared_blender.move(x, y)
    assert shared_blender.under_pointer().startswith("bpy.ops.image_to_mesh.generate(")
    file = shared_blender.screenshot("installed")
    assert file.stat().st_size > 10_000


def test_the_command_line_inside_of_blender(
    place: blenders.Place, installed_profile: Path, workshop: Path, photograph: Path
) -> None:
    """Blender has its own handlers for Ctrl-C, outside of Python."""
    made = workshop / "made.glb"
    printed = run_once(
        place, installed_profile, "--background", "--command", "image_to_mesh", "generate",
        str(photograph), "--set", "face_count=2000", "--library", str(workshop / "commanded"),
        "--output", str(made), "--json",
    )  # fmt: skip
    assert "Traceback" not in printed
    told = json.loads(next(line for line in printed.splitlines() if line.startswith('{"job"')))
    assert (told["state"], told["file"]) == ("ready", str(made.resolve()))
    assert made.read_bytes().startswith(b"glTF")
