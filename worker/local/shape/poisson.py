# SPDX-License-Identifier: GPL-3.0-or-later
"""Poisson's equation on the silhouette, with linear finite elements and conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..array_types import Floats, Ints
from .outline import Outline
from .raster import downscale, fit_size, sample_bilinear
from .triangulation import Silhouette, doubled_areas

_PRECISION = 2e-5
"""Relative residual: far below what can be seen in a surface."""
_ROUGHLY = 1e-3
"""Relative residual for smoothed values."""
_COARSE = 96
"""Longest side in pixels of the coarse solution that conjugate gradients start from."""
_Sides = tuple[Ints, Ints, Floats]
"""The two ends and the weight of each side."""


def solve_poisson(flat: Silhouette, outline: Outline) -> Floats:
    """Solve ∇²u = −1 with u = 0 on the outline; return u (n,) in square pixels."""
    system = _assemble(flat)
    start = np.zeros(len(flat.points))
    start[system.free] = _coarse_bump(outline, flat.points[system.free])
    solution = np.zeros(len(flat.points))
    solution[system.free] = _conjugate_gradients(
        system.product, system.diagonal, system.load, start[system.free]
    )
    # Rounding may leave values just below zero, and heights are their square roots.
    return np.maximum(solution, 0.0)


class Smoother:
    """Smooths values at the points of a silhouette by diffusion that does not cross the rim."""

    def __init__(self, flat: Silhouette) -> None:
        areas = np.abs(doubled_areas(flat.points, flat.triangles))
        self._sides = _cotangents(flat.points, flat.triangles, areas)
        self._mass = _sum_at(flat.triangles.ravel(), np.repeat(areas / 6.0, 3), len(flat.points))

    def smooth(self, width: Floats, *values: Floats) -> list[Floats]:
        """Return each of the values (n,) smoothed over about `width` (n,) pixels.

        Solves x − ∇·(width² ∇x) = values.
        """
        first, second, weight = self._sides
        weight = weight * 0.5 * (width[first] ** 2 + width[second] ** 2)
        system = _diffusion((first, second, weight), self._mass)
        return [system.diffuse(given, _ROUGHLY) for given in values]


def smooth_along(flat: Silhouette, guide: Floats, width: Floats, values: Floats) -> Floats:
    """Return values (n,), smoothed over about `width` (n,) pixels along the level lines of `guide`.

    Slopes across these lines stay. Solves x − ∇·(width² t tᵀ ∇x) = values, where t is the direction
    of the level line in each triangle.
    """
    triangles, areas = flat.triangles, np.abs(doubled_areas(flat.points, flat.triangles))
    corners = guide[triangles]
    # Along the line, the slope of a corner's hat function is the guide's change along the opposite
    # side, divided by twice the area and by the guide's slope.
    changes = np.roll(corners, 1, axis=1) - np.roll(corners, -1, axis=1)
    steepness = _doubled_slopes(flat.points, triangles, changes)
    shares = changes / np.maximum(steepness, 1e-12 * float(steepness.max()))[:, None]
    shares *= (width[triangles].mean(axis=1) * np.sqrt(0.5 * areas))[:, None]
    products = [-shares[:, (k + 1) % 3] * shares[:, (k + 2) % 3] for k in range(3)]
    mass = _sum_at(triangles.ravel(), np.repeat(areas / 6.0, 3), len(values))
    system = _diffusion(_sum_over_sides(triangles, products, len(values)), mass)
    # Solved relative to the mean, since the precision is relative to the load.
    middle = float(values.mean())
    return system.diffuse(values - middle, _PRECISION) + middle


def _doubled_slopes(points: Floats, triangles: Ints, changes: Floats) -> Floats:
    """Return the length (m,) of a gradient on each triangle, times twice the triangle's area.

    `changes` (m, 3) are those of the values along the sides opposite to each corner.
    """
    corners = points[triangles]
    # Σ value · opposite side, turned by a right angle, equals Σ change · corner.
    return np.asarray(np.hypot(*np.einsum("mk,mkd->dm", changes, corners)))


@dataclass(frozen=True)
class _System:
    """Linear equations for the values at the `free` (inner) points.

    The matrix has `diagonal` and, subtracted from it, `weights` in `columns`, which are padded
    (ELLPACK). `load` is the right-hand side.
    """

    free: Ints
    columns: Ints
    weights: Floats
    diagonal: Floats
    load: Floats

    def product(self, vector: Floats) -> Floats:
        padded = np.append(vector, 0.0)
        result = self.diagonal * vector
        for column, weight in zip(self.columns, self.weights, strict=True):
            result -= weight * padded[column]
        return np.asarray(result)

    def diffuse(self, values: Floats, precision: float) -> Floats:
        """Return the values (n,), smoothed; `load` is the mass at each point, and all are free."""
        load = self.load * values
        return _conjugate_gradients(self.product, self.diagonal, load, values, precision)


def _diffusion(sides: _Sides, mass: Floats) -> _System:
    """Return the equations of smoothing, with a weight for each side and a mass for each point."""
    first, second, weight = sides
    count = len(mass)
    sums = _sum_at(first, weight, count) + _sum_at(second, weight, count)
    rows, columns = np.concatenate([first, second]), np.concatenate([second, first])
    padded = _pad_rows(rows, columns, np.tile(weight, 2), count)
    return _System(np.arange(count), *padded, mass + sums, mass)


def _assemble(flat: Silhouette) -> _System:
    """Assemble the cotangent Laplacian (Pinkall and Polthier 1993) with lumped areas."""
    count, triangles = len(flat.points), flat.triangles
    areas = np.abs(doubled_areas(flat.points, triangles))
    first, second, weight = _cotangents(flat.points, triangles, areas)
    diagonal = _sum_at(first, weight, count) + _sum_at(second, weight, count)
    load = _sum_at(triangles.ravel(), np.repeat(areas / 6.0, 3), count)
    free = np.flatnonzero(~flat.rim)
    number = np.full(count, len(free))
    number[free] = np.arange(len(free))
    both = ~flat.rim[first] & ~flat.rim[second]
    row = number[np.concatenate([first[both], second[both]])]
    column = number[np.concatenate([second[both], first[both]])]
    columns, weights = _pad_rows(row, column, np.tile(weight[both], 2), len(free))
    return _System(free, columns, weights, diagonal[free], load[free])


def extend_from_rim(flat: Silhouette, values: Floats) -> Floats:
    """Solve ∇²u = 0 with u = `values` (n,) on the rim, like a membrane; return u (n,)."""
    system = _assemble(flat)
    areas = np.abs(doubled_areas(flat.points, flat.triangles))
    first, second, weight = _cotangents(flat.points, flat.triangles, areas)
    known = np.where(flat.rim, values, 0.0)
    pull = _sum_at(first, weight * known[second], len(values))
    pull += _sum_at(second, weight * known[first], len(values))
    solution, load = values.copy(), pull[system.free]
    # Solved relative to the rim's mean, since the precision is relative to the load.
    middle = float(values[flat.rim].mean())
    shifted = load - middle * system.product(np.ones(len(load)))
    found = _conjugate_gradients(system.product, system.diagonal, shifted, np.zeros(len(load)))
    solution[system.free] = found + middle
    return solution


def _sum_at(place: Ints, values: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(place, values, count), np.float64)


def _cotangents(points: Floats, triangles: Ints, areas: Floats) -> _Sides:
    """Return each side's end points and half the sum of the cotangents of the opposite angles.

    `areas` (m,) are twice the triangles' areas.
    """
    halves = []
    for corner in range(3):
        apex, second, other = (triangles[:, (corner + k) % 3] for k in range(3))
        dot = np.einsum("ij,ij->i", points[second] - points[apex], points[other] - points[apex])
        halves.append(0.5 * dot / areas)
    return _sum_over_sides(triangles, halves, len(points))


def _sum_over_sides(triangles: Ints, weights: list[Floats], count: int) -> _Sides:
    """Return each side's end points, and the sum of the weights of its triangles.

    `weights` has an array (m,) for each corner: the weights of the sides opposite to it.
    """
    ends = [(triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3]) for k in range(3)]
    keys = [np.minimum(a, b) * count + np.maximum(a, b) for a, b in ends]
    unique, place = np.unique(np.concatenate(keys), return_inverse=True)
    weight = _sum_at(place.reshape(-1), np.concatenate(weights), len(unique))
    return unique // count, unique % count, weight


def _pad_rows(row: Ints, column: Ints, weight: Floats, count: int) -> tuple[Ints, Floats]:
    """Return a sparse matrix as columns and weights (longest row, count); padding has weight 0."""
    order = np.argsort(row, kind="stable")
    row, column, weight = row[order], column[order], weight[order]
    lengths = np.bincount(row, minlength=count)
    longest = int(lengths.max()) if len(row) else 0
    slot = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    columns = np.full((longest, count), count)
    weights = np.zeros((longest, count))
    columns[slot, row] = column
    weights[slot, row] = weight
    return columns, weights


def _conjugate_gradients(
    product: Callable[[Floats], Floats],
    diagonal: Floats,
    load: Floats,
    start: Floats,
    precision: float = _PRECISION,
) -> Floats:
    """Solve product(x) = load to a relative residual of `precision`, with a limit on the steps.

    `start` is a first guess; `diagonal` is the Jacobi preconditioner.
    """
    solution = start.copy()
    residual = load - product(solution)
    scaled = residual / diagonal
    direction, energy = scaled.copy(), float(residual @ scaled)
    goal = precision**2 * float(load @ (load / diagonal))
    # Conjugate gradients need about √n steps; the bound only stops a degenerate mesh.
    for _ in range(20 + 4 * int(np.sqrt(len(load)))):
        if energy <= goal:
            break
        image = product(direction)
        step = energy / float(direction @ image)
        solution += step * direction
        residual -= step * image
        scaled = residual / diagonal
        energy, before = float(residual @ scaled), energy
        direction *= energy / before
        direction += scaled
    return solution


def _coarse_bump(outline: Outline, points: Floats) -> Floats:
    """Solve ∇²u = −1 on a coarse pixel grid; return u at the points, to start the fine solution."""
    height, width = outline.field.shape
    rows, columns = fit_size((height, width), _COARSE)
    share = downscale((outline.field > 0.0)[:, :, None].astype(np.float32), rows, columns)
    inside = np.pad((share[:, :, 0] > 0.5).astype(np.float64), 1)
    pixel = height / rows, width / columns
    weights = 1.0 / pixel[0] ** 2, 1.0 / pixel[1] ** 2

    def product(vector: Floats) -> Floats:
        grid = vector.reshape(inside.shape)
        result = 2.0 * (weights[0] + weights[1]) * grid
        result[1:-1] -= weights[0] * (grid[2:] + grid[:-2])
        result[:, 1:-1] -= weights[1] * (grid[:, 2:] + grid[:, :-2])
        return np.asarray((result * inside).ravel())

    diagonal = np.full(inside.size, 2.0 * (weights[0] + weights[1]))
    grid = _conjugate_gradients(product, diagonal, inside.ravel(), np.zeros(inside.size))
    x, y = points[:, 0] / pixel[1] + 1.0, points[:, 1] / pixel[0] + 1.0
    return sample_bilinear(grid.reshape(inside.shape), x, y)
