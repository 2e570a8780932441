# SPDX-License-Identifier: GPL-3.0-or-later
"""The silhouette as triangles: the lattice cut along the outline, without slivers.

Every piece that the cut leaves holds a lattice node strictly inside, so the only sides between
two rim vertices are the rim's own: front and back glued along the rim are a manifold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...refusal import Refusal
from ..array_types import Bools, Floats, Ints
from ..subject.components import connected
from .lattice import Lattice, graded, side_keys
from .outline import Outline

# In units of the spacing: nodes nearer to the outline than _CLOSE are moved to _CLEAR.
_CLOSE = 0.27
_CLEAR = 0.33
# A cut stays this share of a side away from its ends, so that no area can vanish.
_SHORTEST_CUT = 0.12
# A part below this many triangles' area is a crumb that the lattice cannot carry.
_CRUMB = 8.0
_TOLERANCE = 0.02
_ATTEMPTS = 7
_CORRECTIONS = 3
# Pixels: what a lattice as fine as this cannot carry, none can.
_FINEST = 0.4
# One attempt that misses everything must not lead to a lattice of millions.
_STEP = 3.0


@dataclass(frozen=True)
class Silhouette:
    """Flat triangles (m, 3) on points (n, 2) in pixels, x right, y down.

    Seen with y down they run clockwise; `rim` (n,) marks the points on the outline,
    `spacing` is the side of the triangles there.
    """

    points: Floats
    triangles: Ints
    rim: Bools
    spacing: float

    def faces(self, *, walls: bool) -> int:
        """Return the closed mesh's number of triangles."""
        return 2 * len(self.triangles) + (2 * int(self.rim.sum()) if walls else 0)

    def rim_sides(self) -> Ints:
        """Return the directed sides (k, 2) of the rim, in the order of their triangles."""
        sides = side_keys(self.triangles, len(self.points))
        _, place, uses = np.unique(sides, return_inverse=True, return_counts=True)
        triangle, corner = np.nonzero(uses[place.reshape(sides.shape)] == 1)
        ends = self.triangles[triangle, corner], self.triangles[triangle, (corner + 1) % 3]
        return np.stack(ends, axis=1)

    def parts(self) -> Ints:
        """Number the connected part that each triangle belongs to, (m,)."""
        return _part_of(self.triangles, len(self.points))


def _part_of(triangles: Ints, count: int) -> Ints:
    first = np.concatenate([triangles[:, 0], triangles[:, 1]])
    second = np.concatenate([triangles[:, 1], triangles[:, 2]])
    return np.asarray(connected(count, first, second)[triangles[:, 0]], np.int64)


def silhouette(outline: Outline, faces: int, levels: int, *, walls: bool) -> Silhouette:
    """Triangulate the inside of an outline for a closed mesh of about `faces` triangles.

    The mesh has a front and a back, and with `walls` two triangles per side of the rim. A subject
    too thin for so few gets more; raise Refusal where no number would do.
    """
    wanted = float(faces)
    flat = _attempted(outline, wanted, levels, walls)
    while not len(flat.triangles):
        if flat.spacing < _FINEST:
            raise _too_thin()
        wanted *= 2.0
        flat = _attempted(outline, wanted, levels, walls)
    best = flat
    for _ in range(_CORRECTIONS):
        # Crumbs were counted, then dropped.
        number = flat.faces(walls=walls)
        if abs(number - faces) <= 2.0 * _TOLERANCE * faces:
            break
        wanted *= float(np.clip(faces / number, 0.5, 2.0))
        flat = _attempted(outline, wanted, levels, walls)
        if not len(flat.triangles):
            break
        best = min(best, flat, key=lambda each: _miss(each.faces(walls=walls), faces))
    return best


def _miss(number: int, faces: int) -> float:
    """Return how far a number of faces is from what was asked, as a ratio's logarithm."""
    return float(abs(np.log(number / faces)))


def _attempted(outline: Outline, wanted: float, levels: int, walls: bool) -> Silhouette:
    """Triangulate in about the wanted number of faces; thin subjects may leave no triangle."""
    if outline.area == 0.0:
        raise _too_thin()
    return _without_crumbs(_cut(outline, _fitting(outline, wanted, levels, walls)), outline)


def _too_thin() -> Refusal:
    return Refusal(
        "BadImage",
        "The subject is too thin to be built.",
        "Raise Faces, lower Smoothness, or use a larger picture.",
    )


def _fitting(outline: Outline, wanted: float, levels: int, walls: bool) -> Lattice:
    """Search the spacing whose lattice gives the wanted number of faces once cut."""
    spacing = _first_guess(outline, wanted / 2.0, levels)
    power, tried = 1.6, list[tuple[float, float]]()
    while True:
        lattice = graded(outline, spacing, levels)
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
    """Solve wanted = interior/s² + rim/s for the spacing s at the outline."""
    triangle = np.sqrt(3.0) / 4.0
    band = 0.0 if levels == 0 else 3.6 + 2.2 * (levels - 1)
    interior = outline.area / triangle / 4.0**levels
    rim = outline.length * band / triangle * (0.75 if levels else 0.0) + 1.0 * outline.length
    return float((rim + np.sqrt(rim * rim + 4.0 * wanted * interior)) / (2.0 * wanted))


def _faces(outline: Outline, lattice: Lattice, walls: bool) -> int:
    """Count the closed mesh's faces; a cut triangle has one side on the rim."""
    inside = outline.level(lattice.nodes) > 0.0
    kinds = np.bincount(inside[lattice.triangles].sum(axis=1), minlength=4)
    rim = kinds[1] + kinds[2] if walls else 0
    return int(2 * (kinds[1] + 2 * kinds[2] + kinds[3] + rim))


def _cut(outline: Outline, lattice: Lattice) -> Silhouette:
    """Cut the lattice along the outline and keep the inside."""
    nodes, inside = _cleared(outline, lattice)
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
        turned = np.roll(triangles, -corner, axis=1)
        crossing = np.roll(sides, -corner, axis=1) + len(nodes)
        tip = (within == 1) & inside[turned[:, 0]]
        pieces.append(np.stack([turned[tip, 0], crossing[tip, 0], crossing[tip, 2]], 1))
        stump = (within == 2) & ~inside[turned[:, 0]]
        corners = np.stack(
            [crossing[stump, 0], turned[stump, 1], turned[stump, 2], crossing[stump, 2]]
        )
        pieces.append(_halved(points, corners))
    rim = np.arange(len(points)) >= len(nodes)
    return compact(points, np.concatenate(pieces), rim, lattice.spacing)


def _halved(points: Floats, corners: Ints) -> Ints:
    """Divide quadrilaterals (4, k) along their shorter diagonals."""
    a, b, c, d = corners
    shorter = np.sum((points[a] - points[c]) ** 2, 1) < np.sum((points[b] - points[d]) ** 2, 1)
    along = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    across = np.concatenate([np.stack([a, b, d], 1), np.stack([b, c, d], 1)])
    return np.where(np.tile(shorter, 2)[:, None], along, across)


def _crossed_sides(triangles: Ints, inside: Bools) -> tuple[Ints, Ints]:
    """List sides with one end inside: ends (k, 2), inner first, and each side's number (m, 3)."""
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


def _cleared(outline: Outline, lattice: Lattice) -> tuple[Floats, Bools]:
    """Move nodes that lie too near to the outline away from it; return nodes and their sides."""
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
    stays = (outline.level(moved) > 0.0) != inside
    moved[stays] = nodes[stays]
    return moved, inside


def compact(points: Floats, triangles: Ints, rim: Bools, spacing: float) -> Silhouette:
    """Return these triangles with the points that they use."""
    used = np.zeros(len(points), np.bool_)
    used[triangles.ravel()] = True
    place = np.cumsum(used) - 1
    return Silhouette(points[used], place[triangles], rim[used], spacing)


def _without_crumbs(flat: Silhouette, outline: Outline) -> Silhouette:
    """Drop parts too small for the lattice, and put points on the picture's own corners."""
    if not len(flat.triangles):
        return flat
    part = flat.parts()
    area = np.bincount(part, np.abs(doubled_areas(flat.points, flat.triangles)) * 0.5)
    least = min(_CRUMB * np.sqrt(3.0) / 4.0 * flat.spacing**2, 0.5 * area.max())
    kept = flat.triangles[(area >= least)[part]]
    points = _cornered(flat.points, flat.rim, outline, flat.spacing)
    return compact(points, kept, flat.rim, flat.spacing)


def doubled_areas(points: Floats, triangles: Ints) -> Floats:
    """Return twice the signed area (m,) of flat triangles."""
    a, b, c = points[triangles[:, 0]], points[triangles[:, 1]], points[triangles[:, 2]]
    one, two = b - a, c - a
    return np.asarray(one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])


def _cornered(points: Floats, rim: Bools, outline: Outline, spacing: float) -> Floats:
    """Move the nearest rim point onto each corner of the picture that is subject."""
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
