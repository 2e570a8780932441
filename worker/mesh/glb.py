# SPDX-License-Identifier: GPL-3.0-or-later
"""Build a Blender mesh from a model's arrays, and export the scene as GLB."""

from __future__ import annotations

from typing import Protocol

import bpy
import numpy as np
from numpy.typing import NDArray

from ..images.png import encode_png
from ..prepare.principled import find_principled, new_material

ROUGHNESS = 0.8


class Model(Protocol):
    """The result of a recipe.

    `vertices` (n, 3) in meters, Z up, front facing -Y; `triangles` (m, 3); `uv` (m, 3, 2), v up;
    `texture` (height, width, 3 or 4), sRGB, top row first; `notes` for the user; `crisp`: show
    each pixel of the texture as a square.
    """

    vertices: NDArray[np.float32]
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]
    texture: NDArray[np.uint8]
    notes: tuple[str, ...]
    crisp: bool


def add_model(model: Model, name: str) -> bpy.types.Object:
    """Add an object with the model's mesh, UVs, and textured material to the scene; return it."""
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(model.vertices))
    mesh.vertices.foreach_set("co", _flat(model.vertices, np.float32))
    mesh.loops.add(model.triangles.size)
    mesh.loops.foreach_set("vertex_index", _flat(model.triangles, np.int32))
    mesh.polygons.add(len(model.triangles))
    mesh.polygons.foreach_set("loop_start", np.arange(0, model.triangles.size, 3, np.int32))
    mesh.uv_layers.new(name="UVMap", do_init=False)
    mesh.uv_layers["UVMap"].uv.foreach_set("vector", _flat(model.uv, np.float32))
    mesh.materials.append(textured_material(name, model.texture, crisp=model.crisp))
    # Only faces were set; Blender derives the edges.
    mesh.update(calc_edges=True)
    added = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(added)
    return added


def export_glb(path: str) -> None:
    """Export the scene as GLB, with +Y up, without animation, skins, and shape keys."""
    bpy.ops.export_scene.gltf(
        filepath=path,
        export_format="GLB",
        export_yup=True,
        export_animations=False,
        export_morph=False,
        export_skins=False,
        export_apply=False,
        check_existing=False,
    )


def _flat(values: NDArray[np.generic], dtype: type[np.generic]) -> NDArray[np.generic]:
    return np.ascontiguousarray(values, dtype).ravel()


def _packed_image(name: str, texture: NDArray[np.uint8]) -> bpy.types.Image:
    """Return an image with the texture packed as PNG, which the exporter copies as it is."""
    height, width = texture.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=texture.shape[2] == 4)
    png = encode_png(texture)
    image.pack(data=png, data_len=len(png))
    # A generated image would be encoded again by the exporter.
    image.source = "FILE"
    return image


def textured_material(
    name: str, texture: NDArray[np.uint8], *, crisp: bool = False
) -> bpy.types.Material:
    """Return a material whose base color is a texture (height, width, 3 or 4), packed as PNG.

    `crisp`: show each pixel of the texture as a square.
    """
    material = new_material(name)
    surface = find_principled(material)
    assert surface is not None
    surface.inputs["Roughness"].default_value = ROUGHNESS
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = _packed_image(name, texture)
    node.interpolation = "Closest" if crisp else "Linear"
    material.node_tree.links.new(node.outputs["Color"], surface.inputs["Base Color"])
    return material
