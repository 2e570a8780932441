# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo, redo, saving and opening work after imports, and no data piles up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np
import pytest
from blender.addon_modules import addon_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

JOB = "2026-11-21_0001_photo"
ROUNDS = 50


@pytest.fixture
def job(addon: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished job with a textured model; the factory's scene is open."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    image = bpy.data.images.new("photo", 32, 32)
    image.pixels.foreach_set(np.tile(np.array((1, 0.5, 0, 1), np.float32), 32 * 32))
    image.pack()
    image.filepath_raw = "//photo.png"
    surfaces = addon_module("worker.prepare.principled")
    material = surfaces.new_material("photo")
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    base = surfaces.find_principled(material).inputs["Base Color"]
    material.node_tree.links.new(node.outputs["Color"], base)
    obj = bpy.data.objects["Cube"]
    obj.name = obj.data.name = "photo"
    obj.data.materials.clear()
    obj.data.materials.append(material)
    library = tmp_path / "library"
    folder = library / JOB
    folder.mkdir(parents=True)
    bpy.data.libraries.write(str(folder / "model.blend"), {obj})
    addon_module("jobs.disk.signatures").mark_file(
        folder / "model.blend"
    )  # as one that was made here
    (folder / "model.glb").write_bytes(b"glTF")
    jobs = addon_module("jobs")
    record = jobs.Record(
        id=JOB, state=jobs.State.READY, provider="local", name="photo",
        created="2026-11-21T00:00:01+00:00", mesh="model.glb", blend="model.blend",
    )  # fmt: skip
    jobs.Library(library).save(record)
    monkeypatch.setenv("IMAGE_TO_MESH_LIBRARY", str(library))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    bpy.ops.ed.undo_push(message="Start")
    return folder


@pytest.fixture
def import_model(job: Path) -> Callable[[], None]:
    def run() -> None:
        done = bpy.ops.image_to_mesh.import_result("EXEC_DEFAULT", True, job=JOB)
        assert done == {"FINISHED"}

    return run


def data_block_names() -> dict[str, list[str]]:
    """Return the names of all data-blocks by kind."""
    kinds = (prop for prop in bpy.data.bl_rna.properties if prop.type == "COLLECTION")
    found = {kind.identifier: getattr(bpy.data, kind.identifier) for kind in kinds}
    return {
        kind: sorted(item.name for item in items)
        for kind, items in found.items()
        if kind != "all_ids"  # since 5.2: all of them once more
    }


def check_model() -> None:
    obj = bpy.data.objects["photo"]
    (material,) = obj.data.materials
    image = next(node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE")
    assert (material.name, image.name, obj.data.name) == ("photo",) * 3
    np.testing.assert_allclose(image.pixels[:4], (1, 0.5, 0, 1), atol=0.01)
    assert image.packed_file
    assert image.filepath == "//photo.png"
    assert obj["image_to_mesh_job"] == JOB


def test_an_import_can_be_undone_redone_and_undone(import_model: Callable[[], None]) -> None:
    before = data_block_names()
    import_model()
    after = data_block_names()
    check_model()
    assert {kind for kind in before if before[kind] != after[kind]} == {
        "objects", "meshes", "materials", "images"}  # fmt: skip
    bpy.ops.ed.undo()
    assert data_block_names() == before
    bpy.ops.ed.redo()
    assert data_block_names() == after
    check_model()
    bpy.ops.ed.undo()
    assert data_block_names() == before


def test_an_imported_model_survives_saving_and_opening(
    import_model: Callable[[], None], tmp_path: Path
) -> None:
    import_model()
    after = data_block_names()
    path = str(tmp_path / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    check_model()
    assert not bpy.data.libraries
    for kind in ("objects", "meshes", "materials", "images", "scenes", "collections"):
        imported = [name for name in after[kind] if name.startswith("photo")]
        assert [
            name for name in data_block_names()[kind] if name.startswith("photo")
        ] == imported, kind


def test_fifty_imports_and_undos_leave_no_data(
    import_model: Callable[[], None], tmp_path: Path
) -> None:
    before = data_block_names()
    for _ in range(ROUNDS):
        import_model()
        bpy.ops.ed.undo()
    assert data_block_names() == before
    sizes = []
    for name in ("one", "two"):
        path = tmp_path / f"{name}.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
        sizes.append(path.stat().st_size)
        bpy.ops.wm.open_mainfile(filepath=str(path))
    assert sizes[1] <= sizes[0] + 4096
    assert not [item for item in bpy.data.user_map() if item.users == 0 and item.id_type == "MESH"]


def test_purging_a_deleted_model_leaves_no_data(import_model: Callable[[], None]) -> None:
    before = data_block_names()
    for _ in range(5):
        import_model()
        bpy.data.objects.remove(bpy.data.objects["photo"])
        bpy.data.orphans_purge(do_recursive=True)
    after = data_block_names()
    for kind in ("objects", "meshes", "materials", "images", "node_groups", "libraries"):
        assert after[kind] == [name for name in before[kind] if name in after[kind]], kind


def test_textures_become_files_beside_the_blend(
    import_model: Callable[[], None], tmp_path: Path
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.context.scene.image_to_mesh.placement.images = "unpacked"
    import_model()
    import_model()
    names = [image.filepath for image in bpy.data.images if image.name.startswith("photo")]
    assert sorted(names) == ["//textures/photo.png", "//textures/photo_001.png"]
    for image in bpy.data.images:
        if image.name.startswith("photo"):
            assert not image.packed_file
            np.testing.assert_allclose(image.pixels[:4], (1, 0.5, 0, 1), atol=0.01)
    assert len(list((tmp_path / "textures").iterdir())) == 2


def test_without_a_saved_file_textures_stay_packed_with_a_note(job: Path) -> None:
    bpy.context.scene.image_to_mesh.placement.images = "unpacked"
    bring_in, import_result = addon_module("app.bring_in"), addon_module("app.import_result")
    record = import_result.find(bpy.context, JOB)
    place = addon_module("scene.placement").chosen_placement(
        bpy.context, bpy.context.scene.image_to_mesh.placement
    )
    _, _, notes = bring_in.bring_in(bpy.context, record, place)
    assert notes == (addon_module("scene.textures").UNSAVED,)
    assert bpy.data.images["photo"].packed_file
