# SPDX-License-Identifier: GPL-3.0-or-later
"""What compresses meshes and textures is read where this Blender can, and else said by its name."""

from __future__ import annotations

import json
import struct
from importlib import import_module
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
def background(addon: ModuleType) -> Callable[[str], ModuleType]:
    return lambda name: import_module(f"{addon.__name__}.worker.{name}")


@pytest.fixture
def prepare(background: Callable[[str], ModuleType], tmp_path: Path) -> Any:
    """Prepare a mesh file; return the answer, and leave the model open."""

    def run(mesh: Path) -> dict[str, Any]:
        request = {"mesh": str(mesh), "name": "photo", "output": str(tmp_path / "model.blend")}
        background("fresh_file").open_empty_file()
        return background("prepare.build_model").prepare_model(
            request, lambda _fraction, _phase: None
        )

    return run


def exported(path: Path, background: Callable[[str], ModuleType], **options: Any) -> set[str]:
    """Export a textured cube with Blender's own exporter; return the extensions that it needs."""
    background("fresh_file").open_empty_file()
    bpy.ops.mesh.primitive_cube_add()
    material = background("prepare.principled").new_material("skin")
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
    background: Callable[[str], ModuleType], prepare: Any, tmp_path: Path
) -> None:
    path = tmp_path / "mesh.glb"
    assert exported(path, background, export_image_format="WEBP") == {"EXT_texture_webp"}
    done = prepare(path)
    assert (done["faces"], done["notes"]) == (12, [])
    (image,) = [image for image in bpy.data.images if image.packed_file]
    assert image.packed_file.data[8:12] == b"WEBP"
    assert tuple(image.size) == (4, 4)


def test_draco_compression_is_read(
    background: Callable[[str], ModuleType], prepare: Any, tmp_path: Path
) -> None:
    name = background("prepare.importing").DRACO
    path = tmp_path / "mesh.glb"
    if name in background("prepare.importing").supported_extensions():
        assert name in exported(path, background, export_draco_mesh_compression_enable=True)
        assert prepare(path)["faces"] == 12
        return
    # The bpy module has no Draco library in some versions; a whole Blender has.
    path.write_bytes(glb(head() | {"extensionsUsed": [name], "extensionsRequired": [name]}))
    with pytest.raises(background("refusal").Refusal, match=r"Draco compression \(KHR_draco"):
        prepare(path)


def test_meshopt_is_named_where_it_is_not_read(
    background: Callable[[str], ModuleType], prepare: Any, tmp_path: Path
) -> None:
    path = tmp_path / "mesh.glb"
    path.write_bytes(glb(head() | {"extensionsUsed": MESHOPT, "extensionsRequired": MESHOPT}))
    known = background("prepare.importing").supported_extensions()
    assert known >= {"KHR_texture_transform", "EXT_texture_webp"}
    if MESHOPT[0] in known:
        assert bpy.app.version >= (5, 2, 0)
        assert prepare(path)["faces"] == 2  # it needs what it does not use
        return
    with pytest.raises(background("refusal").Refusal, match="Meshopt compression") as caught:
        prepare(path)
    assert bpy.app.version_string in caught.value.message
    assert "“Compression”" in caught.value.hint


def test_importer_errors_are_passed_on(background: Callable[[str], ModuleType]) -> None:
    reason = background("prepare.importing").import_error_text
    assert reason("Error: Bad glTF: no asset in json") == "Bad glTF: no asset in json."
    raised = (
        "Error: Python: Traceback (most recent call last):\n"
        '  File "/x/io_import.py", line 7, in execute\n    return self.load()\n'
        "IndexError: list index out of range\nLocation: /x/bpy/ops.py:109\n"
    )
    assert reason(raised) == "IndexError: list index out of range."
    assert reason("") == "it gives no reason."
