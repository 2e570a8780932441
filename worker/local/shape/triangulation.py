# SPDX-License-Identifier: GPL-3.0-or-later
"""Triangulate the silhouette: a lattice, cut along the outline without slivers.

Every piece that remains contains a lattice node strictly inside, so the only sides between two rim
vertices are the rim's own. Front and back joined along the rim are therefore manifold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...refusal import Refusal
from ..array_types import Bools, Floats, Ints
from ..subject.components import component_labels
from .lattice import Lattice, build_lattice, side_keys
from .outline import Outline

# In units of the spacing: nodes closer to the outline than _CLOSE are moved to _CLEAR.
_CLOSE = 0.27
_CLEAR = 0.33
# A cut keeps this distance from a side's ends, as a share of it, so that no area can vanish.
_SHORTEST_CUT = 0.12
# Parts smaller than this many triangles are dropped: the lattice cannot represent them.
_SMALL_PART = 8.0
_TOLERANCE = 0.02
"""Accepted relative deviation from the number of faces."""
_ATTEMPTS = 7
_CORRECTIONS = 3
# Finest spacing in pixels; subjects that need a finer one are refused.
_FINEST = 0.4
# Largest change of the spacing per attempt, so that one bad estimate cannot create millions of
# triangles.
_STEP = 3.0


@dataclass(frozen=True)
class Silhouette:
    """Flat triangles (m, 3) on points (n, 2) in pixels, x right, y down.

    They run clockwise as seen with y down. `rim` (n,) marks points on the outline; `spacing` is the
    side length there.
    """

    points: Floats
    triangles: Ints
    rim: Bools
    spacing: float

    def faces(self, *, walls: bool) -> int:
        """Return the number of triangles of the closed mesh.

        `walls`: the mesh has two more triangles at each side of the rim.
        """
        return 2 * len(self.triangles) + (2 * int(self.rim.sum()) if walls else 0)

    def rim_sides(self) -> Ints:
        """Return the directed sides (k, 2) of the rim, in the order of their triangles."""
        sides = side_keys(self.triangles, len(self.points))
        _, place, uses = np.unique(sides, return_inverse=True, return_counts=True)
        triangle, corner = np.nonzero(uses[place.reshape(sides.shape)] == 1)
        ends = self.triangles[triangle, corner], self.triangles[triangle, (corner + 1) % 3]
        return np.stack(ends, axis=1)

    def label_parts(self) -> Ints:
        """Return the index of the connected part of each triangle (m,)."""
        return _label_triangles(self.triangles, len(self.points))


def _label_triangles(triangles: Ints, count: int) -> Ints:
    first = np.concatenate([triangles[:, 0], triangles[:, 1]])
    second = np.concatenate([triangles[:, 1], triangles[:, 2]])
    return np.asarray(component_labels(count, first, second)[triangles[:, 0]], np.int64)


def triangulate(outline: Outline, faces: int, levels: int, *, walls: bool) -> Silhouette:
    """Triangulate the inside of an outline for a closed mesh of about `faces` triangles.

    The mesh has a front and a back, and with `walls` two triangles per rim side. `levels` is as in
    `build_lattice`. A subject too thin for so few triangles gets more; raise Refusal if no number
    is enough.
    """
    wanted = float(faces)
    flat = _try_triangulate(outline, wanted, levels, walls)
    while not len(flat.triangles):
        if flat.spacing < _FINEST:
            raise _too_thin()
        # A finer lattice may have nodes inside where this one had none.
        wanted *= 2.0
        flat = _try_triangulate(outline, wanted, levels, walls)
    best = flat
    for _ in range(_CORRECTIONS):
        # The estimate counted parts that were dropped afterwards.
        number = flat.faces(walls=walls)
        if abs(number - faces) <= 2.0 * _TOLERANCE * faces:
            break
        wanted *= float(np.clip(faces / number, 0.5, 2.0))
        flat = _try_triangulate(outline, wanted, levels, walls)
        if not len(flat.triangles):
            break
        best = min(best, flat, key=lambda candidate: _miss(candidate.faces(walls=walls), faces))
    return best


def _miss(number: int, faces: int) -> float:
    """Return the deviation from the requested number of faces, as the logarithm of the ratio."""
    return float(abs(np.log(number / faces)))


def _try_triangulate(outline: Outline, wanted: float, levels: int, walls: bool) -> Silhouette:
    """Triangulate with about `wanted` faces; the result is empty if the subject is too thin.

    Raise Refusal if there is no subject.
    """
    if outline.area == 0.0:
        raise _too_thin()
    return _drop_crumbs(_cut(outline, _fit_spacing(outline, wanted, levels, walls)), outline)


def _too_thin() -> Refusal:
    return Refusal(
        "bad_image",
        "The subject is too thin for a mesh.",
        "Raise Faces, lower Smoothness, or use a larger image.",
    )


def _fit_spacing(outline: Outline, wanted: float, levels: int, walls: bool) -> Lattice:
    """Return a lattice that has about the wanted number of faces once it is cut.

    At most _ATTEMPTS spacings are tried.
    """
    spacing = _first_guess(outline, wanted / 2.0, levels)
    # Between 1, where only triangles along the rim count, and 2, where only the area does.
    power, tried = 1.6, list[tuple[float, float]]()
    while True:
        lattice = build_lattice(outline, spacing, levels)
        number = max(1, _faces(outline, lattice, walls))
        tried.append((float(np.log(spacing)), float(np.log(number))))
        if abs(number - wanted) <= _TOLERANCE * wanted or len(tried) == _ATTEMPTS:
            return lattice
        if len(tried) > 1 and abs(tried[-1][0] - tried[-2][0]) > 1e-9:
            slope = (tried[-2][1] - tried[-1][1]) / (tried[-1][0] - tried[-2][0])
            power = float(np.clip(slope, 0.8, 2.5))
        change = (number / wanted) ** (1.0 / power)
        spacing *= float(np.clip(change, 1.0 / _STEP, _STEP))


def _first_guess(outline: Outline, wanted: float, levels: int) -> float:
    """Return an estimate of the spacing at the outline for about `wanted` triangles.

    The estimate is the spacing s that solves wanted = interior/s² + rim/s, for the triangles inside
    and those along the rim.
    """
    triangle = np.sqrt(3.0) / 4.0
    band = 0.0 if levels == 0 else 3.6 + 2.2 * (levels - 1)
    interior = outline.area / triangle / 4.0**levels
    rim = outline.length * band / triangle * (0.75 if levels else 0.0) + 1.0 * outline.length
    return float((rim + np.sqrt(rim * rim + 4.0 * wanted * interior)) / (2.0 * wanted))


def _faces(outline: Outline, lattice: Lattice, walls: bool) -> int:
    """Return the closed mesh's number of faces once the lattice is cut.

    Each cut triangle adds one side to the rim.
    """
    inside = outline.level(lattice.nodes) > 0.0
    kinds = np.bincount(inside[lattice.triangles].sum(axis=1), minlength=4)
    rim = kinds[1] + kinds[2] if walls else 0
    return int(2 * (kinds[1] + 2 * kinds[2] + kinds[3] + rim))


def _cut(outline: Outline, lattice: Lattice) -> Silhouette:
    """Return the inside of the lattice, cut along the outline."""
    nodes, inside = _clear_outline(outline, lattice)
    triangles = lattice.triangles
    within = inside[triangles].sum(axis=1)
    ends, sides = _crossed_sides(triangles, inside)
    share = np.clip(
        outline.crossing(nodes[ends[:, 0]], nodes[ends[:, 1]]), _SHORTEST_CUT, 1.0 - _SHORTEST_CUT
    )
    cuts = nodes[ends[:, 0]] + share[:, None] * (nodes[ends[:, 1]] - nodes[ends[:, 0]])
    points = np.concatenate([nodes, cuts])
    pieces = [triangles[within == 3]]
    for corner in range(3):
        rotated = np.roll(triangles, -corner, axis=1)
        crossing = np.roll(sides, -corner, axis=1) + len(nodes)
        tip = (within == 1) & inside[rotated[:, 0]]
        pieces.append(np.stack([rotated[tip, 0], crossing[tip, 0], crossing[tip, 2]], 1))
        stump = (within == 2) & ~inside[rotated[:, 0]]
        corners = np.stack(
            [crossing[stump, 0], rotated[stump, 1], rotated[stump, 2], crossing[stump, 2]]
        )
        pieces.append(_halve(points, corners))
    rim = np.arange(len(points)) >= len(nodes)
    return compact(points, np.concatenate(pieces), rim, lattice.spacing)


def _halve(points: Floats, corners: Ints) -> Ints:
    """Return triangles (2·k, 3): quadrilaterals (4, k) divided along their shorter diagonals."""
    a, b, c, d = corners
    shorter = np.sum((points[a] - points[c]) ** 2, 1) < np.sum((points[b] - points[d]) ** 2, 1)
    along = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    across = np.concatenate([np.stack([a, b, d], 1), np.stack([b, c, d], 1)])
    return np.where(np.tile(shorter, 2)[:, None], along, across)


def _crossed_sides(triangles: Ints, inside: Bools) -> tuple[Ints, Ints]:
    """Return the sides (k, 2) that cross the outline, and which of them each triangle has.

    The end inside the outline comes first. The second array (m, 3) has an index for each side of
    each triangle, −1 if the side does not cross.
    """
    count = len(inside)
    keys = side_keys(triangles, count)
    crossed = inside[triangles] != inside[np.roll(triangles, -1, axis=1)]
    unique, place = np.unique(keys[crossed], return_inverse=True)
    numbers = np.full(triangles.shape, -1, np.int64)
    numbers[crossed] = place.reshape(-1)
    ends = np.stack(np.divmod(unique, count), axis=1)
    swap = ~inside[ends[:, 0]]
    ends[swap] = ends[swap, ::-1]
    return ends, numbers


def _clear_outline(outline: Outline, lattice: Lattice) -> tuple[Floats, Bools]:
    """Return the nodes, and a mask of those inside the outline.

    Nodes that are too close to the outline are moved away from it, unless the move would take them
    across it.
    """
    nodes, spacing = lattice.nodes, lattice.spacing
    inside = outline.level(nodes) > 0.0
    ends, _ = _crossed_sides(lattice.triangles, inside)
    if not len(ends):
        return nodes, inside
    inner, outer = ends.T
    span = nodes[outer] - nodes[inner]
    reach = np.hypot(*span.T)
    share = outline.crossing(nodes[inner], nodes[outer])
    distance = np.full(len(nodes), np.inf)
    np.minimum.at(distance, inner, share * reach)
    np.minimum.at(distance, outer, (1.0 - share) * reach)
    away = np.zeros_like(nodes)
    np.add.at(away, inner, -span)
    np.add.at(away, outer, span)
    norm = np.maximum(np.hypot(*away.T), 1e-9 * spacing)
    step = np.where(distance < _CLOSE * spacing, _CLEAR * spacing - distance, 0.0)
    moved = nodes + away * (step / norm)[:, None]
    # A node that has changed sides would contradict `inside`.
    stays = (outline.level(moved) > 0.0) != inside
    moved[stays] = nodes[stays]
    return moved, inside


def compact(points: Floats, triangles: Ints, rim: Bools, spacing: float) -> Silhouette:
    """Return a silhouette of these triangles with unused points removed."""
    used = np.zeros(len(points), np.bool_)
    used[triangles.ravel()] = True
    place = np.cumsum(used) - 1
    return Silhouette(points[used], place[triangles], rim[used], spacing)


def _drop_crumbs(flat: Silhouette, outline: Outline) -> Silhouette:
    """Return the silhouette without tiny parts, and with points snapped to the image's corners."""
    if not len(flat.triangles):
        return flat
    part = flat.label_parts()
    area = np.bincount(part, np.abs(doubled_areas(flat.points, flat.triangles)) * 0.5)
    least = min(_SMALL_PART * np.sqrt(3.0) / 4.0 * flat.spacing**2, 0.5 * area.max())
    remaining = flat.triangles[(area >= least)[part]]
    points = _snap_to_corners(flat.points, flat.rim, outline, flat.spacing)
    return compact(points, remaining, flat.rim, flat.spacing)


def doubled_areas(points: Floats, triangles: Ints) -> Floats:
    """Return twice the signed area (m,) of flat triangles."""
    a, b, c = points[triangles[:, 0]], points[triangles[:, 1]], points[triangles[:, 2]]
    ab, ac = b - a, c - a
    return np.asarray(ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0])


def _snap_to_corners(points: Floats, rim: Bools, outline: Outline, spacing: float) -> Floats:
    """Return the points, with the nearest rim point moved to each image corner in the subject.

    Points that are `spacing` or more away stay.
    """
    height, width = outline.field.shape
    rims = np.flatnonzero(rim)
    moved = points.copy()
    for x, y in ((0, 0), (width, 0), (0, height), (width, height)):
        pixel = outline.field[min(y, height - 1), min(x, width - 1)]
        distance = np.hypot(points[rims, 0] - x, points[rims, 1] - y)
        nearest = int(np.argmin(distance))
        if pixel > 0.0 and distance[nearest] < spacing:
            moved[rims[nearest]] = (x, y)
    return moved
