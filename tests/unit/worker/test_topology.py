# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts, holes and flipped faces, found with array operations alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from unit.worker_package import load

pytestmark = pytest.mark.once

POINTS = np.array([(x, y, z) for z in (0, 1) for y in (0, 1) for x in (0, 1)], np.float32)
CUBE = np.array(
    [(0, 2, 3), (0, 3, 1), (4, 5, 7), (4, 7, 6), (0, 1, 5), (0, 5, 4),
     (2, 6, 7), (2, 7, 3), (0, 4, 6), (0, 6, 2), (1, 3, 7), (1, 7, 5)], np.int32,
)  # fmt: skip


def shape(points: NDArray[Any], triangles: NDArray[Any]) -> Any:
    pairs = np.sort(np.stack((triangles, np.roll(triangles, -1, 1)), 2).reshape(-1, 2), 1)
    edges, sides = np.unique(pairs, axis=0, return_inverse=True)
    return load("mesh.topology").Shape(
        points, edges, triangles.ravel(), sides.reshape(-1),
        np.arange(0, triangles.size, 3), triangles, np.arange(len(triangles)),
    )  # fmt: skip


def test_a_cube_is_one_closed_part() -> None:
    topology, cube = load("mesh.topology"), shape(POINTS, CUBE)
    uses = topology.edge_uses(cube)
    loose_parts = topology.find_loose_parts(cube, uses)
    assert set(uses) == {2}
    assert (loose_parts.count, loose_parts.sizes.tolist(), loose_parts.open_edges.tolist()) == (
        1,
        [12],
        [0],
    )
    assert loose_parts.volumes == pytest.approx([1.0])
    assert not topology.twisted_edges(cube, uses).any()
    assert not topology.inward_parts(loose_parts).any()
    assert topology.hole_count(cube, uses) == 0


def test_an_inside_out_cube_far_from_the_center_is_found() -> None:
    topology = load("mesh.topology")
    points = np.concatenate((POINTS, POINTS + 100))
    cubes = shape(points, np.concatenate((CUBE, CUBE[:, ::-1] + 8)))
    loose_parts = topology.find_loose_parts(cubes, topology.edge_uses(cubes))
    assert loose_parts.volumes == pytest.approx([1.0, -1.0], rel=1e-4)
    assert topology.inward_parts(loose_parts).tolist() == [False, True]
    assert loose_parts.faces.tolist() == [0] * 12 + [1] * 12


def test_holes_and_twisted_faces() -> None:
    topology = load("mesh.topology")
    open_cube = shape(POINTS, CUBE[[0, 1, 2, 4, 5, 6, 7, 8, 9, 10]])
    uses = topology.edge_uses(open_cube)
    assert (uses == 1).sum() == 6
    assert topology.hole_count(open_cube, uses) == 1  # the two touch at a corner
    twisted = CUBE.copy()
    twisted[3] = twisted[3, ::-1]
    broken = shape(POINTS, twisted)
    assert topology.twisted_edges(broken, topology.edge_uses(broken)).sum() == 3


def test_islands_are_found_by_their_coordinates() -> None:
    topology, cube = load("mesh.topology"), shape(POINTS, CUBE)
    whole = POINTS[CUBE.ravel(), :2]
    assert topology.island_count(cube, whole) == 1
    apart = whole + np.repeat(np.arange(12), 3)[:, None].astype(np.float32)
    assert topology.island_count(cube, apart) == 12


def test_long_chains_and_random_graphs_are_connected() -> None:
    component_labels = load("mesh.topology").component_labels
    chance = np.random.default_rng(3)
    order = chance.permutation(10_000)
    assert not component_labels(10_000, order[:-1], order[1:]).any()
    first, second = chance.integers(0, 500, (2, 300))
    labels = component_labels(500, first, second)
    assert (labels[first] == labels[second]).all()
    assert (labels <= np.arange(500)).all()
    assert (labels[labels] == labels).all()


def test_points_without_faces_belong_to_nothing() -> None:
    topology = load("mesh.topology")
    lonely = shape(np.concatenate((POINTS, POINTS + 5)), CUBE)
    loose_parts = topology.find_loose_parts(lonely, topology.edge_uses(lonely))
    assert loose_parts.count == 1
    assert (loose_parts.vertices[8:] == -1).all()
    assert loose_parts.volumes == pytest.approx([1.0])
