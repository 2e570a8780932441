# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels about the model: placement, cleanup on import, mesh edits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import bpy
from blender.addon_modules import addon_module
from blender.recording import Layout, Seen, drawing_context

if TYPE_CHECKING:
    from types import ModuleType

CARD = {
    "triangles": 123456, "parts": 2, "uv_islands": 3, "holes": 4, "non_manifold_edges": 0,
    "inner_shells": 1, "flipped_faces": 0, "size": [1.0, 2.0, 3.0], "watertight": False,
    "textures": [{"name": "photo", "width": 2048, "height": 1024}],
    "print": {"size": [10.0, 20.0, 30.0], "thinnest": 0.4, "wall": 0.8, "printable": False},
}  # fmt: skip


UNDRAWN = {"reference", "image_reference", "referenced_image"}
"""Options that are drawn for a reference only."""


def draw(panel: str, *, unfolded: bool = True) -> Seen:
    shown: list[dict[str, Any]] = []
    module = addon_module(f"panels.{panel}")
    context = SimpleNamespace(
        scene=bpy.context.scene,
        view_layer=bpy.context.view_layer,
        preferences=bpy.context.preferences,
        region=SimpleNamespace(width=300),
    )
    (kind,) = module.classes
    kind.draw(SimpleNamespace(layout=Layout(shown, unfolded=unfolded)), context)
    return Seen(shown)


def draw_options(name: str) -> Seen:
    shown: list[dict[str, Any]] = []
    drawing = getattr(addon_module("panels.import_options"), f"draw_{name}")
    drawing(Layout(shown, unfolded=True), drawing_context(300))
    return Seen(shown)


def rows(seen: Seen) -> set[str]:
    return {row["property"] for row in seen.all("prop")}


def test_every_import_option_has_a_row(addon: ModuleType) -> None:
    choices = addon_module("state.import_options")
    asked = set(choices.IMAGE_TO_MESH_PG_placement.__annotations__)
    mending = set(choices.IMAGE_TO_MESH_PG_mending.__annotations__)
    assert rows(draw_options("placement")) == asked - UNDRAWN
    assert rows(draw_options("cleanup")) == mending
    bpy.context.scene.image_to_mesh.placement.position = "reference"
    seen = draw_options("placement")
    assert "reference" in rows(seen)
    assert "Choose an image" in seen.text()
    assert not seen.buttons("image_to_mesh.turn")  # there is nothing to turn
    made = bpy.data.objects.new("cup", None)
    made["image_to_mesh_job"] = "job"
    bpy.context.scene.collection.objects.link(made)
    bpy.context.view_layer.update()
    assert len(draw_options("placement").buttons("image_to_mesh.turn")) == 4


def test_mesh_edits_are_hidden_without_a_generated_mesh(addon: ModuleType) -> None:
    panel = addon_module("panels.mesh_edits").IMAGE_TO_MESH_PT_care
    assert not panel.poll(bpy.context)
    assert not draw("mesh_edits").shown


def test_a_generated_mesh_shows_its_report_and_all_buttons(addon: ModuleType) -> None:
    cube = bpy.data.objects["Cube"]
    cube["image_to_mesh_job"] = "job"
    bpy.context.view_layer.objects.active = cube
    assert addon_module("panels.mesh_edits").IMAGE_TO_MESH_PT_care.poll(bpy.context)
    before = draw("mesh_edits")
    assert "Triangles" not in before.text()
    assert rows(before) == set(
        addon_module("state.import_options").IMAGE_TO_MESH_PG_care.__annotations__
    )
    addon_module("jobs.tasks.mesh_edits").mesh_edits().put_card("job", "model.blend", CARD)
    seen = draw("mesh_edits")
    for part in ("123,456", "2048 × 1024", "Inner Shells", "10.0 × 20.0 × 30.0 mm", "0.40 mm"):
        assert part in seen.text()
    assert "Flipped" not in seen.text()
    alerts = {row["text"] for row in seen.all("label") if row["alert"]}
    assert {"Holes", "4", "Thinnest Wall"} <= alerts
    buttons = {row["operator"] for row in seen.all("operator")}
    kinds = {"health_card", "clean_mesh", "decimate", "quad_remesh", "detail_levels", "print_check"}
    assert buttons == {f"image_to_mesh.{kind}" for kind in kinds}


def test_a_running_edit_shows_its_progress(addon: ModuleType) -> None:
    cube = bpy.data.objects["Cube"]
    cube["image_to_mesh_job"] = "job"
    care = addon_module("jobs.tasks.mesh_edits")
    order = care.EditRequest("job", "photo", None, "clean")
    view = care.EditView(order, "Cleaning the mesh", 0.5)
    at_work = care.MeshEdit(order, ())
    at_work.view = view
    at_work.thread = SimpleNamespace(join=lambda _seconds: None)
    care.mesh_edits()._edits["job"] = at_work
    seen = draw("mesh_edits")
    (bar,) = seen.all("progress")
    assert (bar["text"], bar["factor"]) == ("Cleaning the mesh", 0.5)
    assert seen.button("image_to_mesh.stop_care")["button"].job == "job"
    assert not seen.button("image_to_mesh.decimate")["enabled"]
