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
    "triangles": 123456, "points": 8, "parts": 2, "uv_islands": 3, "holes": 4,
    "non_manifold_edges": 0, "inner_shells": 1, "flipped_faces": 0,
    "size": [1.0, 2.0, 3.0], "watertight": False,
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
    kind = next(kind for kind in module.classes if issubclass(kind, bpy.types.Panel))
    kind.draw(SimpleNamespace(layout=Layout(shown, unfolded=unfolded)), context)
    return Seen(shown)


def draw_options(name: str) -> Seen:
    shown: list[dict[str, Any]] = []
    drawing = getattr(addon_module("panels.import_options"), f"draw_{name}")
    drawing(Layout(shown, unfolded=True), drawing_context(300))
    return Seen(shown)


def key_of(obj: bpy.types.Object) -> str:
    return str(addon_module("jobs").object_key(obj.session_uid))


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


def test_the_active_model_can_be_rotated(addon: ModuleType) -> None:
    """The buttons act on the active object, so they are drawn only if that is generated."""
    cube = bpy.data.objects["Cube"]
    made = bpy.data.objects.new("cup", cube.data.copy())
    made["image_to_mesh_job"] = "job"
    bpy.context.scene.collection.objects.link(made)
    bpy.context.view_layer.objects.active = cube
    assert not draw("mesh_edits").buttons("image_to_mesh.turn")
    bpy.context.view_layer.objects.active = made
    assert len(draw("mesh_edits").buttons("image_to_mesh.turn")) == 4


def test_mesh_tools_are_hidden_without_a_mesh(addon: ModuleType) -> None:
    panel = addon_module("panels.mesh_edits").IMAGE_TO_MESH_PT_care
    for name in ("Camera", None):
        bpy.context.view_layer.objects.active = bpy.data.objects[name] if name else None
        assert not panel.poll(bpy.context)


def test_a_model_without_meshes_says_so(addon: ModuleType) -> None:
    empty = bpy.data.objects.new("cup", None)
    empty["image_to_mesh_job"] = "job"
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.objects.active = empty
    assert addon_module("panels.mesh_edits").IMAGE_TO_MESH_PT_care.poll(bpy.context)
    assert "has no mesh" in draw("mesh_edits").text()


def test_any_mesh_shows_its_report_and_all_buttons(addon: ModuleType) -> None:
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    assert addon_module("panels.mesh_edits").IMAGE_TO_MESH_PT_care.poll(bpy.context)
    before = draw("mesh_edits")
    assert "Triangles" not in before.text()
    assert rows(before) == set(
        addon_module("state.import_options").IMAGE_TO_MESH_PG_care.__annotations__
    )
    assert before.all("menu")[0]["text"] == "Original, 6 faces"
    edits = addon_module("jobs.tasks.mesh_edits").mesh_edits()
    edits.put_card(key_of(cube), str(cube.data.session_uid), CARD)
    seen = draw("mesh_edits")
    for part in (
        "123,456",
        "2048 × 1024",
        "Inner Shells",
        "10.0 × 20.0 × 30.0 mm",
        "0.40 mm",
        "Texture",
    ):
        assert part in seen.text()
    assert {"Size X", "1 m", "2 m", "Print Size"} <= {row["text"] for row in seen.all("label")}
    assert "Flipped" not in seen.text()
    alerts = {row["text"] for row in seen.all("label") if row["alert"]}
    assert {"Holes", "4", "Watertight", "Thinnest Wall"} <= alerts
    buttons = {row["operator"] for row in seen.all("operator")}
    kinds = {"health_card", "clean_mesh", "decimate", "quad_remesh", "detail_levels", "print_check"}
    assert buttons == {f"image_to_mesh.{kind}" for kind in kinds}


def test_the_report_is_below_check_mesh_and_names_what_clean_fixes(addon: ModuleType) -> None:
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    options = bpy.context.scene.image_to_mesh.care
    edits = addon_module("jobs.tasks.mesh_edits").mesh_edits()
    edits.put_card(key_of(cube), str(cube.data.session_uid), {**CARD, "non_manifold_edges": 5})
    drawn = [row.get("operator") or row.get("text") for row in draw("mesh_edits").shown]
    order = ("image_to_mesh.health_card", "Watertight", "image_to_mesh.clean_mesh")
    assert sorted(order, key=drawn.index) == list(order)

    def fixable() -> list[str]:
        texts = [row["text"] for row in draw("mesh_edits").all("label")]
        return [text for text in texts if text.startswith("Clean Mesh can fix")]

    assert fixable() == ["Clean Mesh can fix: Holes, Inner Shells"]
    options.shells = False
    assert fixable() == ["Clean Mesh can fix: Holes"]
    options.fill = 0
    assert fixable() == []


def test_a_sound_mesh_has_nothing_in_red(addon: ModuleType) -> None:
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    edits = addon_module("jobs.tasks.mesh_edits").mesh_edits()
    sound = {**CARD, "holes": 0, "inner_shells": 0, "watertight": True, "print": None}
    edits.put_card(key_of(cube), str(cube.data.session_uid), sound)
    seen = draw("mesh_edits")
    assert not [row["text"] for row in seen.all("label") if row["alert"]]
    assert "Clean Mesh can fix" not in seen.text()


def test_a_running_edit_shows_its_progress(addon: ModuleType) -> None:
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    care, values = addon_module("jobs.tasks.mesh_edits"), addon_module("jobs.tasks.edit_values")
    order = values.EditRequest(key_of(cube), "photo", None, "clean")
    view = values.EditView(order, "Cleaning the mesh", 0.5)
    at_work = care.MeshEdit(order, ())
    at_work.view = view
    at_work.thread = SimpleNamespace(join=lambda _seconds: None)
    care.mesh_edits()._edits[key_of(cube)] = at_work
    seen = draw("mesh_edits")
    (bar,) = seen.all("progress")
    assert (bar["text"], bar["factor"]) == ("Cleaning the mesh", 0.5)
    assert seen.button("image_to_mesh.stop_care")["button"].job == key_of(cube)
    assert not seen.button("image_to_mesh.decimate")["enabled"]


def test_a_report_on_the_mesh_as_it_was_is_not_shown(addon: ModuleType) -> None:
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    edits = addon_module("jobs.tasks.mesh_edits").mesh_edits()
    edits.put_card(key_of(cube), str(cube.data.session_uid), {**CARD, "points": 9})
    assert "Triangles" not in draw("mesh_edits").text()


def test_the_outcome_of_an_edit_is_shown_in_one_line(addon: ModuleType) -> None:
    cube = bpy.data.objects["Cube"]
    bpy.context.view_layer.objects.active = cube
    care, values = addon_module("jobs.tasks.mesh_edits"), addon_module("jobs.tasks.edit_values")
    order = values.EditRequest(key_of(cube), "photo", None, "decimate")
    edit = care.MeshEdit(order, ())
    edit.view = values.EditView(order, "Done", over=True, changed=True, triangles=(40116, 10000))
    edit.thread = SimpleNamespace(join=lambda _seconds: None)
    care.mesh_edits()._edits[key_of(cube)] = edit
    assert "Reduced: 40,116 → 10,000 triangles" in " ".join(
        row["text"] for row in draw("mesh_edits").all("label")
    )
