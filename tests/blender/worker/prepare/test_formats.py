# SPDX-License-Identifier: GPL-3.0-or-later
"""Compressed meshes and textures are read if this Blender can, else the error names the method."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np
import pytest
from blender.picture_files import write_picture
from fakes.broken import glb, head

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

MESHOPT = ["EXT_meshopt_compression"]


@pytest.fixture
def prepare(worker_module: Callable[[str], ModuleType], tmp_path: Path) -> Any:
    """Return a function that prepares a mesh file, returns the answer and leaves the model open."""

    def run(mesh: Path) -> dict[str, Any]:
        request = {"mesh": str(mesh), "name": "photo", "output": str(tmp_path / "model.blend")}
        worker_module("fresh_file").open_empty_file()
        return worker_module("prepare.build_model").prepare_model(
            request, lambda _fraction, _phase: None
        )

    return run


def export_cube(path: Path, worker_module: Callable[[str], ModuleType], **options: Any) -> set[str]:
    """Export a textured cube with Blender's own exporter; return the extensions that it needs."""
    worker_module("fresh_file").open_empty_file()
    bpy.ops.mesh.primitive_cube_add()
    material = worker_module("prepare.principled").new_material("skin")
    image = material.node_tree.nodes.new("ShaderNodeTexImage")
    picture = write_picture(path.with_name("skin.png"), np.full((4, 4, 3), 99, np.uint8))
    image.image = bpy.data.images.load(str(picture))
    surface = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(image.outputs["Color"], surface.inputs["Base Color"])
    bpy.context.object.data.materials.append(material)
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", **options)
    picture.unlink()
    data = path.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    return set(json.loads(data[20 : 20 + length]).get("extensionsRequired", ()))


def test_webp_textures_are_read(
    worker_module: Callable[[str], ModuleType], prepare: Any, tmp_path: Path
) -> None:
    path = tmp_path / "mesh.glb"
    assert export_cube(path, worker_module, export_image_format="WEBP") == {"EXT_texture_webp"}
    done = prepare(path)
    assert (done["faces"], done["notes"]) == (12, [])
    (image,) = [image for image in bpy.data.images if image.packed_file]
    assert image.packed_file.data[8:12] == b"WEBP"
    assert tuple(image.size) == (4, 4)


def test_draco_compression_is_read(
    worker_module: Callable[[str], ModuleType], prepare: Any, tmp_path: Path
) -> None:
    name = worker_module("prepare.importing").DRACO
    path = tmp_path / "mesh.glb"
    if name in worker_module("prepare.importing").supported_extensions():
        assert name in export_cube(path, worker_module, export_draco_mesh_compression_enable=True)
        assert prepare(path)["faces"] == 12
        return
    # The bpy module has no Draco library in some versions; a whole Blender has.
    path.write_bytes(glb(head() | {"extensionsUsed": [name], "extensionsRequired": [name]}))
    with pytest.raises(worker_module("refusal").Refusal, match=r"Draco compression \(KHR_draco"):
        prepare(path)


def test_the_error_names_meshopt_if_blender_cannot_read_it(
    worker_module: Callable[[str], ModuleType], prepare: Any, tmp_path: Path
) -> None:
    path = tmp_path / "mesh.glb"
    path.write_bytes(glb(head() | {"extensionsUsed": MESHOPT, "extensionsRequired": MESHOPT}))
    known = worker_module("prepare.importing").supported_extensions()
    assert known >= {"KHR_texture_transform", "EXT_texture_webp"}
    if MESHOPT[0] in known:
        assert bpy.app.version >= (5, 2, 0)
        assert prepare(path)["faces"] == 2  # It requires the extension without using it.
        return
    with pytest.raises(worker_module("refusal").Refusal, match="Meshopt compression") as caught:
        prepare(path)
    assert bpy.app.version_string in caught.value.message
    assert "Compression" in caught.value.hint


def test_importer_errors_are_passed_on(worker_module: Callable[[str], ModuleType]) -> None:
    reason = worker_module("prepare.importing").import_error_text
    assert reason("Error: Bad glTF: no asset in json") == "Bad glTF: no asset in json."
    traceback = (
        "Error: Python: Traceback (most recent call last):\n"
        '  File "/x/io_import.py", line 7, in execute\n    return self.load()\n'
        "IndexError: list index out of range\nLocation: /x/bpy/ops.py:109\n"
    )
    assert reason(traceback) == "IndexError: list index out of range."
    assert reason("") == "no reason was given."
