# SPDX-License-Identifier: GPL-3.0-or-later
"""A glTF file's nodes: a forest without circles, in which every number names something."""

from __future__ import annotations

from typing import Any

from ...refusal import Message, Refusal
from .buffers import GltfFile, damaged

MAX_NODES = 20_000
MAX_OBJECTS = 2_000
"""How many objects with a mesh a model may have: Blender's time for them grows by the square."""
MAX_JOINTS = 20_000
MAX_CHANNELS = 20_000
MAX_KEYS = 3_000_000
MAX_LEVELS = 200
"""How deep nodes may stand in each other: importers go down by calling themselves."""
SIZES = {"matrix": 16, "translation": 3, "rotation": 4, "scale": 3}
INSTANCES = "EXT_mesh_gpu_instancing"


def too_much(what: str) -> Refusal:
    """Refuse what has more of something than Blender could bring in before anybody gave up."""
    return Refusal("bad_mesh", what, "Generate it again, in one piece where the service can.")


def too_many_objects(found: int) -> Refusal:
    """Refuse a mesh in so many pieces that nobody would wait for it."""
    return too_much(
        Message(
            "The mesh file has {count} objects; at most {limit} are read.",
            count=f"{found:,}",
            limit=f"{MAX_OBJECTS:,}",
        )
    )


def check_scene(file: GltfFile, faces: list[int]) -> int:
    """Check nodes, scenes, skins and animations; return how many triangles the nodes draw.

    `faces` counts the triangles of each mesh: a node more costs a copy of its mesh.
    """
    nodes = file.all("nodes")
    if len(nodes) > MAX_NODES:  # guard: nodes-are-bounded
        raise too_much(
            Message(
                "The mesh file has {count} nodes; at most {limit} are read.",
                count=f"{len(nodes):,}",
                limit=f"{MAX_NODES:,}",
            )
        )
    _check_forest(nodes)
    drawn = sum(_check_node(file, node, faces) for node in nodes)
    objects = sum(_instances(file, node) for node in nodes if node.get("mesh") is not None)
    if objects > MAX_OBJECTS:  # guard: objects-are-bounded
        raise too_many_objects(objects)
    for scene in file.all("scenes"):
        _check_all(scene.get("nodes") or [], len(nodes), "node")
    _check_one(file.head.get("scene"), len(file.all("scenes")), "scene")
    accessors = len(file.all("accessors"))
    _check_amounts(file)
    for skin in file.all("skins"):
        _check_all(skin["joints"], len(nodes), "joint")
        _check_one(skin.get("skeleton"), len(nodes), "node")
        _check_one(skin.get("inverseBindMatrices"), accessors, "accessor")
    for animation in file.all("animations"):
        _check_animation(animation, len(nodes), accessors)
    return drawn


def _check_amounts(file: GltfFile) -> None:
    """Check how much there is of what moves; an accessor may be named many times."""
    joints = sum(len(skin["joints"]) for skin in file.all("skins"))
    accessors, channels, keys = file.all("accessors"), 0, 0
    for animation in file.all("animations"):
        samplers, moved = animation["samplers"], animation["channels"]
        _check_all([sampler["input"] for sampler in samplers], len(accessors), "accessor")
        _check_all([channel["sampler"] for channel in moved], len(samplers), "sampler")
        counts = [accessors[sampler["input"]]["count"] for sampler in samplers]
        channels += len(moved)
        keys += sum(counts[channel["sampler"]] for channel in moved)
    moves = ((joints, MAX_JOINTS), (channels, MAX_CHANNELS), (keys, MAX_KEYS))
    if any(found > most for found, most in moves):  # guard: motion-is-bounded
        raise too_much("The mesh file has more bones or keyframes than are read.")


def _check_forest(nodes: list[dict[str, Any]]) -> None:
    """Check that each node has one parent at most, and that none stands below itself."""
    has_parent = [False] * len(nodes)
    for node in nodes:
        children = node.get("children") or []
        _check_all(children, len(nodes), "node")
        for child in children:
            if has_parent[child]:
                raise damaged(Message("node {child} stands in two places", child=child))
            has_parent[child] = True
    level = [index for index, below in enumerate(has_parent) if not below]
    seen = 0
    for _ in range(MAX_LEVELS):
        seen += len(level)
        level = [child for index in level for child in nodes[index].get("children") or ()]
        if not level:
            break
    if level:
        raise damaged(
            Message("its nodes stand more than {limit} deep in each other", limit=MAX_LEVELS)
        )
    if seen < len(nodes):
        raise damaged("its nodes go round in a circle")


def _check_node(file: GltfFile, node: dict[str, Any], faces: list[int]) -> int:
    for name, size in SIZES.items():
        values = node.get(name)
        if values is not None and not _are_numbers(values, size):
            raise damaged(Message("a node's {name} is not {size} numbers", name=name, size=size))
    mesh = node.get("mesh")
    _check_one(mesh, len(faces), "mesh")
    _check_one(node.get("skin"), len(file.all("skins")), "skin")
    _check_one(node.get("camera"), len(file.all("cameras")), "camera")
    return 0 if mesh is None else max(1, faces[mesh]) * _instances(file, node)


def _instances(file: GltfFile, node: dict[str, Any]) -> int:
    told = (node.get("extensions") or {}).get(INSTANCES)
    if told is None:
        return 1
    accessors = file.all("accessors")
    _check_all(list(told["attributes"].values()), len(accessors), "accessor")
    return max((accessors[index]["count"] for index in told["attributes"].values()), default=1)


def _are_numbers(values: object, size: int) -> bool:
    if not isinstance(values, list) or len(values) != size:
        return False
    return all(type(value) in (int, float) and abs(value) < 1e30 for value in values)


def _check_animation(animation: dict[str, Any], nodes: int, accessors: int) -> None:
    samplers = animation["samplers"]
    for sampler in samplers:
        _check_all([sampler["input"], sampler["output"]], accessors, "accessor")
    for channel in animation["channels"]:
        _check_all([channel["sampler"]], len(samplers), "sampler")
        _check_one(channel["target"].get("node"), nodes, "node")


def _check_all(indices: list[Any], end: int, what: str) -> None:
    for index in indices:
        if index is None:
            raise damaged(Message("there is a {kind} without a number", kind=what))
        _check_one(index, end, what)


def _check_one(index: object, end: int, what: str) -> None:
    if index is not None and (type(index) is not int or not 0 <= index < end):
        raise damaged(Message("there is no {kind} {index}", kind=what, index=f"{index!r}"[:40]))
