# SPDX-License-Identifier: GPL-3.0-or-later
"""Weld the vertices that file formats split where UVs or normals differ.

Exact positions are welded, nothing near: what a modeler kept apart stays apart. Done with arrays
over a mesh rebuilt in place, since `bmesh.ops.remove_doubles` takes seconds for a million faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..prepare.gltf_normals import keep_shading, mark_flat_faces, take_normals
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


def weld(mesh: bpy.types.Mesh) -> None:
    """Weld vertices at the same position; UVs, colors, materials and shading stay.

    A face that is left with fewer than three corners by it is dropped. Shape keys go: the result
    stands still.
    """
    carried = take_normals(mesh)
    positions, corners, starts = positions_of(mesh), corners_of(mesh), starts_of(mesh)
    if not len(starts):
        return
    group = weld_map(positions, corners, starts)
    leads = group == np.arange(len(group))
    faces, kept = _left_of(group[corners], starts)
    if not faces.any():
        mesh.clear_geometry()  # guard: weld-to-nothing
        return
    is_welded = leads.all() and kept is None
    if is_welded and carried is None:
        return
    if carried is None:
        normals = _part(read(mesh.corner_normals, "vector", np.float32, 3), kept)
    else:
        normals = carried[_part(corners, kept)]
    if not is_welded:
        _weld(mesh, group, leads, faces, kept)
    if carried is not None:
        mark_flat_faces(mesh, normals)
    keep_shading(mesh, normals)


def _weld(mesh: bpy.types.Mesh, group: Ints, leads: Mask, faces: Mask, kept: Mask | None) -> None:
    """Rebuild the mesh of the vertices that lead a group and the faces that keep their area."""
    positions, corners, starts = positions_of(mesh), corners_of(mesh), starts_of(mesh)
    sizes = _sizes(corners, starts) if kept is None else np.add.reduceat(kept, starts, dtype=int)
    attributes = _attributes(
        mesh, {"POINT": leads, "CORNER": kept, "FACE": None if kept is None else faces}
    )
    chosen = _chosen(mesh)
    renumbered = (np.cumsum(leads) - 1).astype(np.int32)
    _rebuild(mesh, positions[leads], renumbered[group[_part(corners, kept)]], sizes[faces])
    _restore(mesh, attributes, chosen)


def weld_map(positions: Floats, corners: Ints, starts: Ints) -> Ints:
    """Return for each vertex the one that it is welded to, the first at its position.

    Faces that lie back to back on the same points, as leaves do, stay apart: welded they would be
    one face twice. So do those that would come back to a point, as a ribbon with its ends together.
    """
    group = _first_at_position(positions)
    for apart in (_repeated, _come_back):
        faces = apart(group[corners], starts)
        if faces.any():
            own = corners[np.repeat(faces, _sizes(corners, starts))]
            group[own] = own
    return group


def _first_at_position(positions: Floats) -> Ints:
    exact = positions.T + np.float32(0.0)  # Makes -0 and 0 the same bits; columns are quicker.
    bits = np.ascontiguousarray(exact).view(np.uint32)
    hashed = bits[0] * np.uint64(0x9E3779B97F4A7C15)
    product = bits[1] * np.uint64(0xC2B2AE3D27D4EB4F)
    hashed ^= product
    hashed ^= np.multiply(bits[2], np.uint64(0x165667B19E3779F9), out=product)
    order, twins = _sorted(hashed)
    leads = _leads(bits, order)
    if (leads[1:] & twins).any():  # Two places with one key: their points may lie mixed.
        _sort_out(bits, order, leads, twins)
    group = np.empty(len(order), np.int32)
    group[order] = order[leads][np.cumsum(leads) - 1]
    return group


def _leads(bits: NDArray[np.uint32], order: NDArray[np.int64]) -> Mask:
    """Mark what differs from the one before it."""
    leads = np.ones(len(order), np.bool_)
    leads[1:] = False
    for column in bits:
        ordered = column[order]
        leads[1:] |= ordered[1:] != ordered[:-1]
    return leads


def _sort_out(bits: NDArray[np.uint32], order: NDArray[np.int64], leads: Mask, twins: Mask) -> None:
    """Order the points of such keys by place and number; mark anew what differs. Of few keys."""
    keys = np.cumsum(np.append(True, ~twins)) - 1
    several = np.zeros(keys[-1] + 1, np.bool_)
    several[keys[1:][leads[1:] & twins]] = True
    here = np.flatnonzero(several[keys])
    mixed = order[here]
    order[here] = mixed[np.lexsort((mixed, *bits[:, mixed], keys[here]))]
    leads[here] = _leads(bits, order[here])


def _sorted(hashed: NDArray[np.uint64]) -> tuple[NDArray[np.int64], Mask]:
    """Return the order of the keys' upper bits, and which neighbors in it have the same ones.

    The number of each takes the lower bits: sorting values is ten times as quick as `argsort`.
    """
    numbers = np.uint64((1 << max(len(hashed) - 1, 1).bit_length()) - 1)
    keys = hashed & ~numbers
    keys |= np.arange(len(hashed), dtype=np.uint64)
    keys.sort()
    twins = (keys[1:] ^ keys[:-1]) <= numbers
    keys &= numbers
    return keys.view(np.int64), twins


def _repeated(corners: Ints, starts: Ints) -> Mask:
    """Mark the polygons that have the same corners as an earlier one, in whatever order."""
    mixed = corners.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    keys = np.add.reduceat(mixed, starts)
    ordered = np.sort(keys)
    if not (ordered[1:] == ordered[:-1]).any():  # Nearly always, and quicker to find out.
        return np.zeros(len(starts), np.bool_)
    _, first = np.unique(keys, return_index=True)
    repeated = np.ones(len(starts), np.bool_)
    repeated[first] = False
    return repeated


def _left_of(corners: Ints, starts: Ints) -> tuple[Mask, Mask | None]:
    """Mark the polygons that are left, and their corners; None stands for all corners.

    Of corners that follow each other at one vertex the last one stays, as of a quad at a pole.
    """
    moving = _move_on(corners, starts)
    faces = ~_come_back(corners, starts)  # A file's own, which Blender's normals end by a crash.
    if moving.all() and faces.all():
        return faces, None
    faces &= np.add.reduceat(moving, starts, dtype=int) >= 3
    return faces, moving & np.repeat(faces, _sizes(corners, starts))


def _move_on(corners: Ints, starts: Ints) -> Mask:
    """Mark the corners whose vertex is not that of the next corner."""
    following = np.arange(1, len(corners) + 1)
    following[np.append(starts[1:], len(corners)) - 1] = starts
    return corners != corners[following]


def _come_back(corners: Ints, starts: Ints) -> Mask:
    """Mark the polygons that are at a vertex again after they were at others."""
    found = np.zeros(len(starts), np.bool_)
    if len(corners) > 3 * len(starts):
        sizes = _sizes(corners, starts)
        here = _move_on(corners, starts) & np.repeat(sizes > 3, sizes)
        visits = np.repeat(np.arange(len(starts), dtype=np.int64) << 32, sizes)[here]
        visits += corners[here]
        visits.sort()
        found[visits[1:][visits[1:] == visits[:-1]] >> 32] = True
    return found


def _sizes(corners: Ints, starts: Ints) -> NDArray[np.intp]:
    return np.diff(starts, append=len(corners))


def _attributes(mesh: bpy.types.Mesh, masks: dict[str, Mask | None]) -> list[_Attribute]:
    """Read what is stored on vertices, corners and faces, without the parts that go."""
    return [
        _Attribute(
            attribute.name,
            attribute.data_type,
            attribute.domain,
            _part(_values(attribute), masks[attribute.domain]),
        )
        for attribute in mesh.attributes
        if attribute.data_type in LAYOUTS
        and attribute.domain in masks
        and attribute.name not in GEOMETRY
        and not attribute.name.startswith(".")
    ]


def _part(values: NDArray[Any], mask: Mask | None) -> NDArray[Any]:
    """Return what is marked; None stands for all, which need not be copied."""
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
    for kept in attributes:
        attribute = mesh.attributes.new(kept.name, kept.data_type, kept.domain)
        attribute.data.foreach_set(LAYOUTS[kept.data_type][0], kept.values.ravel())
    _choose(mesh, chosen)
    mesh.update()


def _chosen(mesh: bpy.types.Mesh) -> dict[str, str]:
    """Return which of several UV maps and colors are active, and which are rendered."""
    shown = [layer.name for layer in mesh.uv_layers if layer.active_render]
    return {
        "uv": mesh.uv_layers.active.name if mesh.uv_layers.active else "",
        "uv_rendered": shown[0] if shown else "",
        "color": mesh.attributes.active_color_name or "",
        "color_rendered": mesh.attributes.default_color_name or "",
    }


def _choose(mesh: bpy.types.Mesh, chosen: dict[str, str]) -> None:
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
