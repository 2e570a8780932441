# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scene looks like, in numbers: faces, size, area, and the materials that cover it."""

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
HELPERS = "glTF_not_exported"


@dataclass
class Looks:
    """`collapsed` counts faces that have no three places; `low` is the lowest place."""

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


def import_plainly(path: Path) -> None:
    """Import the file as somebody does who presses no button but Import."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    suffix = path.suffix.lower()[1:]
    if suffix in ("glb", "gltf"):
        bpy.ops.import_scene.gltf(filepath=str(path))
    elif suffix == "fbx" and bpy.app.version < (4, 5, 0):
        bpy.ops.import_scene.fbx(filepath=str(path))
    else:
        getattr(bpy.ops.wm, f"{suffix}_import")(filepath=str(path))


def bring_in(model: str) -> list[bpy.types.Object]:
    """Put a prepared model into an empty scene."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(model, link=False) as (there, here):
        here.objects = there.objects
    for obj in here.objects:
        bpy.context.scene.collection.objects.link(obj)
    return list(here.objects)


def looks() -> Looks:
    """Measure what the scene's mesh objects show in the present frame; there is at least one."""
    bpy.context.view_layer.update()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    parts = [_measure(obj, depsgraph) for obj in shown_objects()]
    points = np.concatenate([part[0] for part in parts])
    areas: dict[Material, float] = {}
    for part in parts:
        for material, area in part[3].items():
            areas[material] = areas.get(material, 0.0) + area
    return Looks(
        faces=sum(part[1] for part in parts),
        collapsed=sum(part[2] for part in parts),
        low=float(points[:, 2].min()),
        size=points.max(0) - points.min(0),
        area=sum(areas.values()),
        areas=areas,
        normals=np.sum([part[4] for part in parts], axis=0),
    )


def shown_objects() -> Iterator[bpy.types.Object]:
    """Yield the objects that have faces, without those that draw bones."""
    for obj in bpy.context.scene.objects:
        helps = any(item.name.startswith(HELPERS) for item in obj.users_collection)
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
        look, area = material_look(material, mesh), float(areas[slots == slot].sum())
        by_material[look] = by_material.get(look, 0.0) + area
    loops = _read(mesh.loop_triangles, "loops", np.int32, 3)
    normals = _read(mesh.corner_normals, "vector", np.float32, 3)[loops].astype(np.float64)
    normals = normals @ np.linalg.pinv(world[:3, :3])
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-12)
    sum_of = (np.nan_to_num(normals) * areas[:, None, None]).sum(axis=(0, 1)) / 3
    collapsed = _collapsed(mesh)
    faces = len(mesh.polygons)
    shown.to_mesh_clear()
    return points, faces, collapsed, by_material, sum_of


def _read(items: Any, name: str, dtype: Any, width: int) -> Any:
    values = np.empty(len(items) * width, dtype)
    items.foreach_get(name, values)
    return values.reshape(-1, width)


def _collapsed(mesh: bpy.types.Mesh) -> int:
    """Count faces whose corners lie in fewer than three places, or come back to one."""
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


def material_look(material: bpy.types.Material | None, mesh: bpy.types.Mesh) -> Material:
    """Return what a material says of its looks, whatever it is called, and what colors do."""
    if material is None:
        return (("none", True), ("colors", color_use(mesh)))
    nodes = material.node_tree.nodes if material.node_tree else []
    surface = next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)
    if surface is None:
        return (("nodes", tuple(sorted(node.type for node in nodes))),)
    inputs = ((name, _input(surface.inputs[name])) for name in INPUTS)
    return (*inputs, ("culled", material.use_backface_culling), ("colors", color_use(mesh)))


def color_use(mesh: bpy.types.Mesh) -> str:
    """Say whether the mesh has colors that differ, one color all over, or none but white."""
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


# What differs from Blender's own import on purpose. Each rule returns the look that is meant.


def painted_metal(look: dict[str, Any]) -> dict[str, Any]:
    """What is textured is metal only by a texture, or where a number says less than half."""
    if isinstance(look.get("Base Color"), tuple) and _is_fed(look["Base Color"]):
        metal = look["Metallic"]
        if isinstance(metal, float) and metal >= 0.5:
            return {**look, "Metallic": 0.0}
    return look


def shown_colors(look: dict[str, Any]) -> dict[str, Any]:
    """Colors that differ are shown by materials that nothing else colors."""
    if look["colors"] == "differ" and not _is_fed(look.get("Base Color")) and "nodes" not in look:
        return {**(look if "none" not in look else plain_look()), "Base Color": ("VERTEX_COLOR",),
                "colors": "differ"}  # fmt: skip
    return look


def only_color(look: dict[str, Any]) -> dict[str, Any]:
    """One color all over is that of a mesh without a material."""
    if look["colors"] == "one" and "none" in look:
        return {**plain_look(), "Base Color": ("VERTEX_COLOR",), "colors": "one"}
    return look


MEANT = {
    "a textured surface is metal only by a texture": painted_metal,
    "vertex colors are shown where nothing else gives a color": shown_colors,
    "one vertex color is shown where there is no material": only_color,
}


def as_meant(material: Material) -> tuple[Material, set[str]]:
    """Return how a material of Blender's own import is meant to look, and by which rules."""
    look = dict(material)
    used: set[str] = set()
    for reason, rule in MEANT.items():
        meant = rule(look)
        if meant != look:
            look, used = meant, used | {reason}
    return tuple(sorted(look.items())), used


def plain_look() -> dict[str, Any]:
    """Return the look of a new material."""
    material = bpy.data.materials.new("plain")
    if bpy.app.version < (5, 0, 0):
        material.use_nodes = True
    mesh = bpy.data.meshes.new("plain")
    try:
        return dict(material_look(material, mesh))
    finally:
        bpy.data.batch_remove([material, mesh])


def _is_fed(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


def differences(plain: Looks, ours: Looks) -> tuple[list[str], set[str]]:
    """Compare a prepared model with Blender's own import; return what was not meant, and rules."""
    found: list[str] = []
    used: set[str] = set()
    if plain.faces - ours.faces not in range(plain.collapsed + 1):
        found.append(f"faces {plain.faces}, {plain.collapsed} without three places: {ours.faces}")
    if plain.faces > ours.faces:
        used.add("faces without three places are dropped")
    largest = float(plain.size.max())
    if not np.allclose(plain.size, ours.size, rtol=1e-4, atol=1e-5 * largest):
        found.append(f"size {plain.size}: {ours.size}")
    if abs(plain.area - ours.area) > 1e-4 * plain.area:
        found.append(f"area {plain.area:g}: {ours.area:g}")
    meant: set[Material] = set()
    for material in plain.materials:
        look, rules = as_meant(material)
        meant.add(look)
        used |= rules
    there = {tuple(sorted(material)) for material in ours.materials}
    for lost in meant - there:
        nearest = min(there - meant, key=lambda item: len({*lost} ^ {*item}), default=())
        found.append(f"material {sorted({*lost} - {*nearest})}: {sorted({*nearest} - {*lost})}")
    if len(there) != len(meant):
        found.append(f"materials {len(meant)}: {len(there)}")
    return found, used
