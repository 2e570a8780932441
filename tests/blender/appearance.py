# SPDX-License-Identifier: GPL-3.0-or-later
"""The appearance of a scene in numbers: faces, size, area, and the materials that cover it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

Material = tuple[tuple[str, Any], ...]
INPUTS = ("Base Color", "Metallic", "Roughness", "IOR", "Alpha", "Transmission Weight",
          "Coat Weight", "Coat Roughness", "Sheen Weight", "Emission Color", "Emission Strength",
          "Specular IOR Level", "Anisotropic")  # fmt: skip
BONE_SHAPES = "glTF_not_exported"


@dataclass
class Appearance:
    """Measurements of a scene: `collapsed` counts degenerate faces, `low` is the smallest z."""

    faces: int
    collapsed: int
    low: float
    size: NDArray[np.float64]
    area: float
    areas: dict[Material, float]
    normals: NDArray[np.float64]

    @property
    def materials(self) -> set[Material]:
        return {material for material, area in self.areas.items() if area > 1e-4 * self.area}


def import_with_blender(path: Path) -> None:
    """Import the file with Blender's importer and its default options, into an empty file."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    suffix = path.suffix.lower()[1:]
    if suffix in ("glb", "gltf"):
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif suffix == "fbx" and bpy.app.version < (4, 5, 0):
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        getattr(bpy.ops.wm, f"{suffix}_import")(filepath=str(path))


def append_all(model: str) -> list[bpy.types.Object]:
    """Append all objects of a model file to an empty scene."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(model, link=False) as (there, here):
        here.objects = there.objects
    for obj in here.objects:
        bpy.context.scene.collection.objects.link(obj)
    return list(here.objects)


def measure_scene() -> Appearance:
    """Measure the scene's visible mesh objects in the current frame; there must be at least one."""
    bpy.context.view_layer.update()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    measured = [_measure(obj, depsgraph) for obj in shown_objects()]
    points = np.concatenate([item[0] for item in measured])
    areas: dict[Material, float] = {}
    for item in measured:
        for material, area in item[3].items():
            areas[material] = areas.get(material, 0.0) + area
    return Appearance(
        faces=sum(item[1] for item in measured),
        collapsed=sum(item[2] for item in measured),
        low=float(points[:, 2].min()),
        size=points.max(0) - points.min(0),
        area=sum(areas.values()),
        areas=areas,
        normals=np.sum([item[4] for item in measured], axis=0),
    )


def shown_objects() -> Iterator[bpy.types.Object]:
    """Yield the objects that have faces, except shapes of bones."""
    for obj in bpy.context.scene.objects:
        helps = any(item.name.startswith(BONE_SHAPES) for item in obj.users_collection)
        if obj.type == "MESH" and obj.data.polygons and not helps:
            yield obj


def _measure(obj: bpy.types.Object, depsgraph: bpy.types.Depsgraph) -> tuple[Any, ...]:
    shown = obj.evaluated_get(depsgraph)
    mesh, world = shown.to_mesh(), np.array(shown.matrix_world, np.float64)
    points = _read(mesh.vertices, "co", np.float32, 3) @ world[:3, :3].T + world[:3, 3]
    mesh.calc_loop_triangles()
    triangles = points[_read(mesh.loop_triangles, "vertices", np.int32, 3)]
    sides = triangles[:, 1:] - triangles[:, :1]
    areas = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1) / 2
    slots = _read(mesh.loop_triangles, "material_index", np.int32, 1)[:, 0]
    by_material: dict[Material, float] = {}
    for slot in np.unique(slots):
        own = obj.material_slots
        material = own[min(slot, len(own) - 1)].material if own else None
        described, area = describe_material(material, mesh), float(areas[slots == slot].sum())
        by_material[described] = by_material.get(described, 0.0) + area
    loops = _read(mesh.loop_triangles, "loops", np.int32, 3)
    normals = _read(mesh.corner_normals, "vector", np.float32, 3)[loops].astype(np.float64)
    normals = normals @ np.linalg.pinv(world[:3, :3])
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-12)
    sum_of = (np.nan_to_num(normals) * areas[:, None, None]).sum(axis=(0, 1)) / 3
    collapsed = count_collapsed(mesh)
    faces = len(mesh.polygons)
    shown.to_mesh_clear()
    return points, faces, collapsed, by_material, sum_of


def _read(items: Any, name: str, dtype: Any, width: int) -> Any:
    values = np.empty(len(items) * width, dtype)
    items.foreach_get(name, values)
    return values.reshape(-1, width)


def count_collapsed(mesh: bpy.types.Mesh) -> int:
    """Count the faces with fewer than three distinct corners in a row."""
    points = _read(mesh.vertices, "co", np.float32, 3) + np.float32(0)
    _, place = np.unique(points, axis=0, return_inverse=True)
    corners = place.reshape(-1)[_read(mesh.loops, "vertex_index", np.int32, 1)[:, 0]]
    return sum(
        _is_collapsed(list(corners[face.loop_start : face.loop_start + face.loop_total]))
        for face in mesh.polygons
    )


def _is_collapsed(corners: list[int]) -> bool:
    moving = [
        item
        for item, after in zip(corners, corners[1:] + corners[:1], strict=True)
        if item != after
    ]
    return len(moving) < 3


def describe_material(material: bpy.types.Material | None, mesh: bpy.types.Mesh) -> Material:
    """Describe a material without its name, and how the mesh uses color attributes."""
    if material is None:
        return (("none", True), ("colors", color_usage(mesh)))
    nodes = material.node_tree.nodes if material.node_tree else []
    surface = next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)
    if surface is None:
        return (("nodes", tuple(sorted(node.type for node in nodes))),)
    inputs = ((name, _input(surface.inputs[name])) for name in INPUTS)
    return (*inputs, ("culled", material.use_backface_culling), ("colors", color_usage(mesh)))


def color_usage(mesh: bpy.types.Mesh) -> str:
    """Return “differ” for several vertex colors, “one” for a single one, “none” for white only."""
    uses = ["none"]
    for attribute in mesh.color_attributes:
        colors = _read(attribute.data, "color", np.float32, 4)[:, :3]
        if attribute.domain == "POINT":
            colors = colors[_read(mesh.loops, "vertex_index", np.int32, 1)[:, 0]]
        differ = (colors.max(0) - colors.min(0)).max() >= 1 / 255
        uses.append("differ" if differ else "one" if colors.min() < 254 / 255 else "none")
    return next(use for use in ("differ", "one", "none") if use in uses)


def _input(socket: bpy.types.NodeSocket) -> Any:
    if socket.is_linked:
        return tuple(sorted(_sources(socket)))
    value = socket.default_value
    return (
        tuple(round(item, 3) for item in value[:3])
        if hasattr(value, "__len__")
        else round(value, 3)
    )


def _sources(socket: bpy.types.NodeSocket, depth: int = 6) -> set[str]:
    node = socket.links[0].from_node
    if node.type == "TEX_IMAGE":
        there = node.image is not None and node.image.size[0] > 0
        return {f"image {node.image.size[0]}x{node.image.size[1]}"} if there else {"no image"}
    linked = [item for item in node.inputs if item.is_linked] if depth else []
    return {node.type}.union(*(_sources(item, depth - 1) for item in linked))


# Intended differences from Blender's own import. Each rule returns the intended description.


def remove_metallic(described: dict[str, Any]) -> dict[str, Any]:
    """Set a metallic factor of half or more to 0 on textured materials."""
    if isinstance(described.get("Base Color"), tuple) and _is_fed(described["Base Color"]):
        metal = described["Metallic"]
        if isinstance(metal, float) and metal >= 0.5:
            return {**described, "Metallic": 0.0}
    return described


def wire_vertex_colors(described: dict[str, Any]) -> dict[str, Any]:
    """Wire vertex colors that differ to materials without another source of color."""
    if (
        described["colors"] == "differ"
        and not _is_fed(described.get("Base Color"))
        and "nodes" not in described
    ):
        base = describe_new_material() if "none" in described else described
        return {**base, "Base Color": ("VERTEX_COLOR",), "colors": "differ"}
    return described


def wire_single_color(described: dict[str, Any]) -> dict[str, Any]:
    """Wire a single vertex color if the mesh has no material."""
    if described["colors"] == "one" and "none" in described:
        return {**describe_new_material(), "Base Color": ("VERTEX_COLOR",), "colors": "one"}
    return described


INTENDED = {
    "a textured surface is metal only by a texture": remove_metallic,
    "vertex colors are shown where nothing else gives a color": wire_vertex_colors,
    "one vertex color is shown where there is no material": wire_single_color,
}


def as_intended(material: Material) -> tuple[Material, set[str]]:
    """Return the intended description of a material of Blender's import, and the rules used."""
    described = dict(material)
    used: set[str] = set()
    for reason, rule in INTENDED.items():
        intended = rule(described)
        if intended != described:
            described, used = intended, used | {reason}
    return tuple(sorted(described.items())), used


def describe_new_material() -> dict[str, Any]:
    """Describe a new material."""
    material = bpy.data.materials.new("plain")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    mesh = bpy.data.meshes.new("plain")
    try:
        return dict(describe_material(material, mesh))
    finally:
        bpy.data.batch_remove([material, mesh])


def _is_fed(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


def differences(plain: Appearance, ours: Appearance) -> tuple[list[str], set[str]]:
    """Compare a model with Blender's import; return unintended differences, and the rules used."""
    unexpected: list[str] = []
    used: set[str] = set()
    if plain.faces - ours.faces not in range(plain.collapsed + 1):
        unexpected.append(
            f"faces {plain.faces}, {plain.collapsed} without three places: {ours.faces}"
        )
    if plain.faces > ours.faces:
        used.add("faces without three places are dropped")
    largest = float(plain.size.max())
    if not np.allclose(plain.size, ours.size, rtol=1e-4, atol=1e-5 * largest):
        unexpected.append(f"size {plain.size}: {ours.size}")
    if abs(plain.area - ours.area) > 1e-4 * plain.area:
        unexpected.append(f"area {plain.area:g}: {ours.area:g}")
    intended: set[Material] = set()
    for material in plain.materials:
        described, rules = as_intended(material)
        intended.add(described)
        used |= rules
    there = {tuple(sorted(material)) for material in ours.materials}
    for missing in intended - there:
        nearest = min(there - intended, key=lambda item: len({*missing} ^ {*item}), default=())
        unexpected.append(
            f"material {sorted({*missing} - {*nearest})}: {sorted({*nearest} - {*missing})}"
        )
    if len(there) != len(intended):
        unexpected.append(f"materials {len(intended)}: {len(there)}")
    return unexpected, used
