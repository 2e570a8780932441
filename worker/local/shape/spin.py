# SPDX-License-Identifier: GPL-3.0-or-later
"""A body spun about the subject's vertical axis: bottles, lamps, chess pieces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...refusal import Refusal
from ..array_types import Bools, Floats, Ints
from .outline import Outline
from .solid import Solid, to_3d

_LEANING = 1.15
"""Ratio by which one side may reach farther than the other: anything beyond is a handle."""
_THINNEST = 0.02
"""Minimum radius, as a share of the largest: no ring shrinks to a point."""
_END = 1.5
"""How far outside the subject, in pixels, the flat ends take their colors: there, the texture
continues the rim."""
_LEAST_SEGMENTS, _LEAST_RINGS = 8, 3


@dataclass(frozen=True)
class Profile:
    """Half of the outline, from top to bottom: the `radius` (k,) at each `row` (k,).

    All values are in pixels, y down. The first and the last point lie on the axis. `middle` (k,) is
    the subject's middle in the image. `shown` (k,) is the row of the image from which the texture
    is taken: flat ends show a narrow band outside the subject.
    """

    row: Floats
    radius: Floats
    middle: Floats
    shown: Floats

    def resample(self, count: int) -> Profile:
        """Return the profile with `count` points at equal distances along it."""
        steps = np.hypot(np.diff(self.row), np.diff(self.radius))
        along = np.concatenate([[0.0], np.cumsum(steps)])
        wanted = np.linspace(0.0, along[-1], count)
        lines = self.row, self.radius, self.middle, self.shown
        return Profile(*(np.interp(wanted, along, line) for line in lines))

    def length(self) -> float:
        """Return the length of the profile."""
        return float(np.hypot(np.diff(self.row), np.diff(self.radius)).sum())


def trace_profile(outline: Outline) -> Profile:
    """Return the profile of the subject about its axis; raise Refusal if it is too thin.

    The axis is the median of the rows' middles. In each row, one side may reach only slightly
    farther than the other, so that a handle is left out.
    """
    inside = outline.field > 0.0
    rows = np.flatnonzero(inside.any(axis=1))
    if len(rows) < 2:
        raise Refusal("bad_image", "The subject is too thin for a mesh.", "Use a larger image.")
    left, right = _ends(outline, inside, rows)
    axis = float(np.median(0.5 * (left + right)))
    to_left, to_right = np.maximum(axis - left, 0.0), np.maximum(right - axis, 0.0)
    to_left, to_right = (
        np.minimum(to_left, _LEANING * to_right + 1.0),
        np.minimum(to_right, _LEANING * to_left + 1.0),
    )
    radius = 0.5 * (to_left + to_right)
    radius = np.maximum(radius, _THINNEST * float(radius.max()))
    middle = axis + 0.5 * (to_right - to_left)
    places = np.concatenate([rows[:1] + 0.0, rows + 0.5, rows[-1:] + 1.0])
    filled = np.interp(places, rows + 0.5, radius), np.interp(places, rows + 0.5, middle)
    row, radius, middle = (np.pad(line, 1, mode="edge") for line in (places, *filled))
    radius[[0, -1]] = 0.0
    shown = row.copy()
    shown[[0, -1]] += -_END, _END
    return Profile(row, radius, middle, shown)


def _ends(outline: Outline, inside: Bools, rows: Ints) -> tuple[Floats, Floats]:
    """Return where the subject begins and ends in each row, to a fraction of a pixel."""
    width = inside.shape[1]
    field, mask = outline.field[rows], inside[rows]
    first, last = mask.argmax(axis=1), width - 1 - mask[:, ::-1].argmax(axis=1)
    here = np.arange(len(rows))

    def crossing(pixel: Ints, step: int) -> Floats:
        beside = np.clip(pixel + step, 0, width - 1)
        inner, outer = field[here, pixel], field[here, beside]
        share = np.where(beside == pixel, 0.5, inner / np.maximum(inner - outer, 1e-6))
        return np.asarray(pixel + 0.5 + step * np.clip(share, 0.0, 1.0))

    return crossing(first, -1), crossing(last, 1)


def spin(profile: Profile, faces: int, thickness: float) -> Solid:
    """Return the profile spun about its axis, with about `faces` triangles.

    `thickness` scales the depth; at 1, the body is round. The image is projected onto the front
    half from the front.
    """
    segments, rings = _plan(profile, faces)
    line = profile.resample(rings + 2)
    angle = np.arange(segments) * (2.0 * np.pi / segments)
    # The first vertex of each ring lies at the left end of the outline, half of them in front.
    across, forward = -np.cos(angle), np.sin(angle)
    wide = line.radius[1:-1, None]
    points = _with_poles(wide * across, line.row, np.zeros(rings + 2))
    image = _with_poles(line.middle[1:-1, None] + wide * across, line.shown, line.middle)
    forward = np.concatenate([(thickness * wide * forward).ravel(), [0.0, 0.0]])
    triangles, behind = _triangles(segments, rings)
    return Solid(to_3d(points, forward), triangles, image[triangles], behind)


def _with_poles(x: Floats, row: Floats, middle: Floats) -> Floats:
    """Return the points (n, 2) of all rings, followed by both ends of the axis.

    `x` (k, segments) are the rings' horizontal positions. `row` (k + 2,) and `middle` (k + 2,) also
    contain the ends.
    """
    rings = np.stack(np.broadcast_arrays(x, row[1:-1, None]), axis=2).reshape(-1, 2)
    return np.concatenate([rings, np.stack([middle, row], axis=1)[[0, -1]]])


def _plan(profile: Profile, faces: int) -> tuple[int, int]:
    """Return the number of segments, a multiple of four, and of rings.

    They result in about `faces` triangles of similar shape.
    """
    length = profile.length()
    steps = np.hypot(np.diff(profile.row), np.diff(profile.radius))
    mean = float((0.5 * (profile.radius[1:] + profile.radius[:-1]) * steps).sum() / steps.sum())
    # Rings are as far apart as their vertices: faces = 2 segments · rings.
    segments = np.sqrt(faces * np.pi * mean / length)
    even = max(_LEAST_SEGMENTS, 4 * round(segments / 4.0))
    return even, max(_LEAST_RINGS, round(faces / (2.0 * even)))


def _triangles(segments: int, rings: int) -> tuple[Ints, Bools]:
    """Return outward triangles (m, 3), and a mask (m,) of those in the back half.

    The vertices are the rings from top to bottom, followed by the top and the bottom pole.
    """
    here = np.arange(segments)
    after = (here + 1) % segments
    upper = segments * np.arange(rings - 1)[:, None]
    a, b = (upper + here).ravel(), (upper + after).ravel()
    c, d = a + segments, b + segments
    top, bottom = np.full(segments, segments * rings), np.full(segments, segments * rings + 1)
    last = segments * (rings - 1)
    caps = [np.stack([top, here, after], 1), np.stack([bottom, last + after, last + here], 1)]
    bands = [np.stack([a, c, d], 1), np.stack([a, d, b], 1)]
    half = here >= segments // 2
    behind = np.concatenate([half, half, np.tile(half, 2 * (rings - 1))])
    return np.concatenate([*caps, *bands]), behind
