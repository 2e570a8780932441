# SPDX-License-Identifier: GPL-3.0-or-later
"""A large model is imported in chunks while the window responds; here every model is large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gui.artist import ADDON, Artist

if TYPE_CHECKING:
    from pathlib import Path

PARTED = f"""
from importlib import import_module
import_module("{ADDON}.jobs.steps.prepare").LEAST = 0
assembling = import_module("{ADDON}.scene.chunked_append")
assembling.TOGETHER, taken = 1, []
fill = assembling._fill
def noted(mesh, part, folder):
    shown = [one.name for one in bpy.context.scene.objects]
    taken.append((part["name"], mesh.users, shown))
    fill(mesh, part, folder)
assembling._fill = noted
"""


@pytest.fixture
def taken(artist: Artist, photograph: Path) -> list[tuple[str, int, list[str]]]:
    """Generate; return each part with its mesh's users and the scene's objects at that moment."""
    artist.session.run(PARTED)
    artist.session.run("bpy.context.scene.image_to_mesh.placement.position = 'cursor'")
    artist.choose(photograph, face_count=2000)
    artist.press_generate()
    artist.wait_for_mesh(30)
    found: list[tuple[str, int, list[str]]] = artist.session.run("taken")
    return found


def test_a_large_model_appears_complete_and_is_undone_in_one_step(
    artist: Artist, taken: list[tuple[str, int, list[str]]]
) -> None:
    names = [name for name, _, _ in taken]
    assert names[:4] == ["position", ".edge_verts", ".corner_vert", ".corner_edge"]
    assert "UVMap" in names
    assert {users for _, users, _ in taken} == {0}
    assert {tuple(sorted(shown)) for _, _, shown in taken} == {("Camera", "Cube", "Light")}
    (mesh,) = artist.meshes()
    facts = artist.session.run(f"mesh_facts({mesh!r})")
    assert 500 < facts["faces"] < 8000
    assert facts["low"][2] == pytest.approx(0.0, abs=1e-3)
    artist.shows("Import Again")
    artist.point_at_view()
    artist.session.press("ctrl+z")
    artist.session.wait_for("not any('image_to_mesh_job' in one for one in bpy.data.objects)")
    assert sorted(artist.session.run("[one.name for one in bpy.data.meshes]")) == ["Cube"]
    assert sorted(artist.session.run("list(bpy.context.scene.objects.keys())")) == [
        "Camera", "Cube", "Light"]  # fmt: skip
    artist.session.press("ctrl+shift+z")
    assert artist.wait_for_mesh() == mesh
    assert artist.session.run(f"mesh_facts({mesh!r})") == facts
    assert "Traceback" not in artist.session.output()
