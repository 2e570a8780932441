# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a glTF file's nodes: they form a forest, and every index is valid."""

from __future__ import annotations

from typing import Any

from ...refusal import Message, Refusal
from .buffers import GltfFile, damaged_file

MAX_NODES = 20_000
MAX_OBJECTS = 2_000
"""Maximum number of mesh objects: Blender's import time grows with its square."""
MAX_JOINTS = 20_000
MAX_CHANNELS = 20_000
MAX_KEYS = 3_000_000
"""Maximum number of keyframes, summed over all channels."""
MAX_LEVELS = 200
"""Maximum nesting of nodes: importers recurse."""
SIZES = {"matrix": 16, "translation": 3, "rotation": 4, "scale": 3}
"""How many numbers each property of a node's transform has."""
INSTANCES = "EXT_mesh_gpu_instancing"


def refuse_excess(message: str) -> Refusal:
    """Return the Refusal for a file that would take Blender too long to import."""
    return Refusal("bad_mesh", message, "Generate or export a simpler mesh.")


def too_many_objects(found: int) -> Refusal:
    """Return the Refusal for a mesh with too many objects."""
    return refuse_excess(
        Message(
            "The mesh file has {count} objects; the limit is {limit}.",
            count=f"{found:,}",
            limit=f"{MAX_OBJECTS:,}",
        )
    )


def check_scene(file: GltfFile, faces: list[int]) -> int:
    """Check nodes, scenes, skins, and animations; return the number of triangles that are drawn.

    `faces` holds each mesh's number of triangles. A mesh counts once for each node and instance
    that uses it; a mesh without triangles counts as one triangle. Raise Refusal if something is
    invalid or exceeds a limit.
    """
    nodes = file.all("nodes")
    if len(nodes) > MAX_NODES:  # guard: nodes-are-bounded
        raise refuse_excess(
            Message(
                "The mesh file has {count} nodes; the limit is {limit}.",
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
    """Raise Refusal for too many joints, channels, or keyframes.

    Keyframes that several channels share count once for each channel.
    """
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
    if any(count > limit for count, limit in moves):  # guard: motion-is-bounded
        raise refuse_excess("The mesh file has too many bones or keyframes.")


def _check_forest(nodes: list[dict[str, Any]]) -> None:
    """Raise Refusal if a node has two parents, is its own descendant, or is nested too deeply."""
    has_parent = [False] * len(nodes)
    for node in nodes:
        children = node.get("children") or []
        _check_all(children, len(nodes), "node")
        for child in children:
            if has_parent[child]:
                raise damaged_file(Message("node {child} has more than one parent", child=child))
            has_parent[child] = True
    level = [index for index, below in enumerate(has_parent) if not below]
    seen = 0
    # Level by level instead of recursively, which deep nesting would overflow.
    for _ in range(MAX_LEVELS):
        seen += len(level)
        level = [child for index in level for child in nodes[index].get("children") or ()]
        if not level:
            break
    if level:
        raise damaged_file(
            Message("its nodes are nested more than {limit} levels deep", limit=MAX_LEVELS)
        )
    if seen < len(nodes):
        raise damaged_file("its nodes form a cycle")


def _check_node(file: GltfFile, node: dict[str, Any], faces: list[int]) -> int:
    for name, size in SIZES.items():
        values = node.get(name)
        if values is not None and not _are_numbers(values, size):
            raise damaged_file(
                Message(
                    "the {name} of a node does not consist of {size} numbers", name=name, size=size
                )
            )
    mesh = node.get("mesh")
    _check_one(mesh, len(faces), "mesh")
    _check_one(node.get("skin"), len(file.all("skins")), "skin")
    _check_one(node.get("camera"), len(file.all("cameras")), "camera")
    # Without faces, a mesh still costs an object per instance.
    return 0 if mesh is None else max(1, faces[mesh]) * _instances(file, node)


def _instances(file: GltfFile, node: dict[str, Any]) -> int:
    extension = (node.get("extensions") or {}).get(INSTANCES)
    if extension is None:
        return 1
    accessors = file.all("accessors")
    _check_all(list(extension["attributes"].values()), len(accessors), "accessor")
    return max((accessors[index]["count"] for index in extension["attributes"].values()), default=1)


def _are_numbers(values: object, size: int) -> bool:
    if not isinstance(values, list) or len(values) != size:
        return False
    # Not isinstance: JSON's true is a bool, which is an int in Python.
    return all(type(value) in (int, float) and abs(value) < 1e30 for value in values)


def _check_animation(animation: dict[str, Any], nodes: int, accessors: int) -> None:
    samplers = animation["samplers"]
    for sampler in samplers:
        _check_all([sampler["input"], sampler["output"]], accessors, "accessor")
    for channel in animation["channels"]:
        _check_all([channel["sampler"]], len(samplers), "sampler")
        _check_one(channel["target"].get("node"), nodes, "node")


def _check_all(indices: list[Any], end: int, kind: str) -> None:
    for index in indices:
        if index is None:
            raise damaged_file(Message("a {kind} index is missing", kind=kind))
        _check_one(index, end, kind)


def _check_one(index: object, end: int, kind: str) -> None:
    if index is not None and (type(index) is not int or not 0 <= index < end):
        raise damaged_file(
            Message("{kind} {index} does not exist", kind=kind, index=f"{index!r}"[:40])
        )
