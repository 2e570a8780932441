# SPDX-License-Identifier: GPL-3.0-or-later
"""Merge the vertices that file formats split where UVs or normals differ.

Only exactly equal positions are merged, so vertices that a modeler kept apart stay apart. Works on
arrays and rebuilds the mesh in place, since `bmesh.ops.remove_doubles` takes seconds for a million
faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..prepare.gltf_normals import keep_shading, mark_flat_faces, pop_normals
from .arrays import LAYOUTS, corners_of, positions_of, read, starts_of

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

GEOMETRY = frozenset({"position", "custom_normal"})


@dataclass(frozen=True, slots=True)
class _Attribute:
    name: str
    data_type: str
    domain: str
    values: NDArray[Any]


def merge_vertices(mesh: bpy.types.Mesh) -> None:
    """Merge vertices at the same position; UVs, colors, materials, and shading are kept.

    Faces that are left with fewer than three corners, or visit a vertex twice, are removed. If the
    mesh is rebuilt, its shape keys are lost.
    """
    carried = pop_normals(mesh)
    positions, corners, starts = positions_of(mesh), corners_of(mesh), starts_of(mesh)
    if not len(starts):
        return
    group = merge_map(positions, corners, starts)
    leads = group == np.arange(len(group))
    faces, kept = _remaining_faces(group[corners], starts)
    if not faces.any():
        mesh.clear_geometry()  # guard: merged-to-nothing
        return
    is_merged = leads.all() and kept is None
    if is_merged and carried is None:
        return
    if carried is None:
        normals = _apply_mask(read(mesh.corner_normals, "vector", np.float32, 3), kept)
    else:
        normals = carried[_apply_mask(corners, kept)]
    if not is_merged:
        _rebuild_merged(mesh, group, leads, faces, kept)
    if carried is not None:
        mark_flat_faces(mesh, normals)
    keep_shading(mesh, normals)


def _rebuild_merged(
    mesh: bpy.types.Mesh, group: Ints, leads: Mask, faces: Mask, kept: Mask | None
) -> None:
    """Rebuild the mesh from the first vertex of each group and the remaining faces."""
    positions, corners, starts = positions_of(mesh), corners_of(mesh), starts_of(mesh)
    sizes = _sizes(corners, starts) if kept is None else np.add.reduceat(kept, starts, dtype=int)
    attributes = _attributes(
        mesh, {"POINT": leads, "CORNER": kept, "FACE": None if kept is None else faces}
    )
    chosen = _active_layers(mesh)
    renumbered = (np.cumsum(leads) - 1).astype(np.int32)
    _rebuild(mesh, positions[leads], renumbered[group[_apply_mask(corners, kept)]], sizes[faces])
    # clear_geometry() has removed all attributes.
    _restore(mesh, attributes, chosen)


def merge_map(positions: Floats, corners: Ints, starts: Ints) -> Ints:
    """Return the vertex that each vertex is merged into (n,): the first at its position.

    Vertices stay apart in two kinds of faces. Faces that lie back to back on the same positions,
    like leaves, would become duplicates. Others would visit a vertex twice, like a ribbon with its
    ends joined.
    """
    group = _first_at_position(positions)
    for apart in (_duplicate_faces, _revisits_vertex):
        faces = apart(group[corners], starts)
        if faces.any():
            own = corners[np.repeat(faces, _sizes(corners, starts))]
            group[own] = own
    return group


def _first_at_position(positions: Floats) -> Ints:
    exact = positions.T + np.float32(0.0)  # -0 becomes 0; columns are faster.
    bits = np.ascontiguousarray(exact).view(np.uint32)
    # Odd constants of SplitMix64 and xxHash: they spread the bits of nearby positions.
    hashed = bits[0] * np.uint64(0x9E3779B97F4A7C15)
    product = bits[1] * np.uint64(0xC2B2AE3D27D4EB4F)
    hashed ^= product
    hashed ^= np.multiply(bits[2], np.uint64(0x165667B19E3779F9), out=product)
    order, twins = _sort_hashes(hashed)
    leads = _group_starts(bits, order)
    if (leads[1:] & twins).any():  # Colliding hashes mix positions.
        _resolve_collisions(bits, order, leads, twins)
    group = np.empty(len(order), np.int32)
    group[order] = order[leads][np.cumsum(leads) - 1]
    return group


def _group_starts(bits: NDArray[np.uint32], order: NDArray[np.int64]) -> Mask:
    """Return a mask (n,) of the elements whose position differs from the one before in `order`.

    `bits` are the positions (3, n). The first element is marked, too.
    """
    leads = np.ones(len(order), np.bool_)
    leads[1:] = False
    for column in bits:
        ordered = column[order]
        leads[1:] |= ordered[1:] != ordered[:-1]
    return leads


def _resolve_collisions(
    bits: NDArray[np.uint32], order: NDArray[np.int64], leads: Mask, twins: Mask
) -> None:
    """Sort `order` by position, then by index, where different positions have the same hash.

    Also update `leads`; both arrays are changed in place. `bits` are the positions (3, n). `twins`
    (n - 1) marks elements with the same hash as the one before. `leads` (n) marks the first element
    of each position.
    """
    keys = np.cumsum(np.append(True, ~twins)) - 1
    several = np.zeros(keys[-1] + 1, np.bool_)
    several[keys[1:][leads[1:] & twins]] = True
    here = np.flatnonzero(several[keys])
    mixed = order[here]
    order[here] = mixed[np.lexsort((mixed, *bits[:, mixed], keys[here]))]
    leads[here] = _group_starts(bits, order[here])


def _sort_hashes(hashed: NDArray[np.uint64]) -> tuple[NDArray[np.int64], Mask]:
    """Return the indices (n,) that sort the hashes, and a mask (n - 1) of equal neighbors.

    Only the hashes' upper bits count. The element's index replaces the lower bits: sorting values
    is ten times as fast as `argsort`.
    """
    numbers = np.uint64((1 << max(len(hashed) - 1, 1).bit_length()) - 1)
    keys = hashed & ~numbers
    keys |= np.arange(len(hashed), dtype=np.uint64)
    keys.sort()
    twins = (keys[1:] ^ keys[:-1]) <= numbers
    keys &= numbers
    return keys.view(np.int64), twins


def _duplicate_faces(corners: Ints, starts: Ints) -> Mask:
    """Return a mask of faces that have the same vertices as an earlier one, in any order."""
    mixed = corners.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    keys = np.add.reduceat(mixed, starts)
    ordered = np.sort(keys)
    if not (ordered[1:] == ordered[:-1]).any():  # The usual case, and cheaper to test.
        return np.zeros(len(starts), np.bool_)
    _, first = np.unique(keys, return_index=True)
    repeated = np.ones(len(starts), np.bool_)
    repeated[first] = False
    return repeated


def _remaining_faces(corners: Ints, starts: Ints) -> tuple[Mask, Mask | None]:
    """Return masks of the remaining faces and of their corners; None stands for all corners.

    Of consecutive corners at one vertex, the last one stays, as in a quad at a sphere's pole.
    """
    moving = _changes_vertex(corners, starts)
    faces = ~_revisits_vertex(corners, starts)  # Blender crashes computing their normals.
    if moving.all() and faces.all():
        return faces, None
    faces &= np.add.reduceat(moving, starts, dtype=int) >= 3
    return faces, moving & np.repeat(faces, _sizes(corners, starts))


def _changes_vertex(corners: Ints, starts: Ints) -> Mask:
    """Return a mask of corners whose vertex differs from that of the face's next corner."""
    following = np.arange(1, len(corners) + 1)
    following[np.append(starts[1:], len(corners)) - 1] = starts
    return corners != corners[following]


def _revisits_vertex(corners: Ints, starts: Ints) -> Mask:
    """Return a mask of faces that return to a vertex after visiting others."""
    revisits = np.zeros(len(starts), np.bool_)
    if len(corners) > 3 * len(starts):
        sizes = _sizes(corners, starts)
        here = _changes_vertex(corners, starts) & np.repeat(sizes > 3, sizes)
        visits = np.repeat(np.arange(len(starts), dtype=np.int64) << 32, sizes)[here]
        visits += corners[here]
        visits.sort()
        revisits[visits[1:][visits[1:] == visits[:-1]] >> 32] = True
    return revisits


def _sizes(corners: Ints, starts: Ints) -> NDArray[np.intp]:
    return np.diff(starts, append=len(corners))


def _attributes(mesh: bpy.types.Mesh, masks: dict[str, Mask | None]) -> list[_Attribute]:
    """Return the attributes of the domains in `masks`, reduced to the masked elements.

    Attributes of the geometry, and those whose names start with a dot, are left out.
    """
    return [
        _Attribute(
            attribute.name,
            attribute.data_type,
            attribute.domain,
            _apply_mask(_values(attribute), masks[attribute.domain]),
        )
        for attribute in mesh.attributes
        if attribute.data_type in LAYOUTS
        and attribute.domain in masks
        and attribute.name not in GEOMETRY
        and not attribute.name.startswith(".")
    ]


def _apply_mask(values: NDArray[Any], mask: Mask | None) -> NDArray[Any]:
    """Return the masked values; if the mask is None, return all of them without a copy."""
    return values if mask is None else values[mask]


def _values(attribute: bpy.types.Attribute) -> NDArray[Any]:
    name, width, dtype = LAYOUTS[attribute.data_type]
    return read(attribute.data, name, dtype, width)


def _rebuild(mesh: bpy.types.Mesh, positions: Floats, corners: Ints, sizes: Ints) -> None:
    mesh.clear_geometry()
    mesh.vertices.add(len(positions))
    mesh.attributes["position"].data.foreach_set("vector", positions.ravel())
    mesh.loops.add(len(corners))
    mesh.attributes[".corner_vert"].data.foreach_set("value", corners)
    mesh.polygons.add(len(sizes))
    mesh.polygons.foreach_set("loop_start", (np.cumsum(sizes) - sizes).astype(np.int32))
    mesh.update(calc_edges=True)


def _restore(mesh: bpy.types.Mesh, attributes: list[_Attribute], chosen: dict[str, str]) -> None:
    for stored in attributes:
        attribute = mesh.attributes.new(stored.name, stored.data_type, stored.domain)
        attribute.data.foreach_set(LAYOUTS[stored.data_type][0], stored.values.ravel())
    _set_active_layers(mesh, chosen)
    mesh.update()


def _active_layers(mesh: bpy.types.Mesh) -> dict[str, str]:
    """Return the names of the active and the rendered UV map and color attribute, or ""."""
    shown = [layer.name for layer in mesh.uv_layers if layer.active_render]
    return {
        "uv": mesh.uv_layers.active.name if mesh.uv_layers.active else "",
        "uv_rendered": shown[0] if shown else "",
        "color": mesh.attributes.active_color_name or "",
        "color_rendered": mesh.attributes.default_color_name or "",
    }


def _set_active_layers(mesh: bpy.types.Mesh, chosen: dict[str, str]) -> None:
    colors = mesh.color_attributes
    names = [color.name for color in colors]
    if names:
        active, rendered = chosen["color"], chosen["color_rendered"]
        colors.active_color_index = names.index(active) if active in names else 0
        colors.render_color_index = names.index(rendered) if rendered in names else 0
    for layer in mesh.uv_layers:
        if layer.name == chosen["uv"]:
            layer.active = True
        if layer.name == chosen["uv_rendered"]:
            layer.active_render = True
