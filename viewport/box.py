# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes of a placeholder's box, in world coordinates."""

from __future__ import annotations

import math

from .placeholders import Picture, Placeholder, Point

EDGES = (
    *((0, 1), (1, 2), (2, 3), (3, 0)),
    *((4, 5), (5, 6), (6, 7), (7, 4)),
    *((0, 4), (1, 5), (2, 6), (3, 7)),
)
BOTTOM = (0, 1, 2, 0, 2, 3)
FRONT = (0, 1, 5, 4)
"""Lower left, lower right, upper right, and upper left of the side along -Y."""
UNIT = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def corners(item: Placeholder) -> list[Point]:
    """Return the corners of the bottom, then of the top, both counterclockwise from front left."""
    width, depth, height = item.size
    x, y, z = item.location
    sine, cosine = math.sin(item.rotation), math.cos(item.rotation)
    flat = [
        (cosine * right - sine * back, sine * right + cosine * back)
        for right, back in (
            (-width / 2, -depth / 2),
            (width / 2, -depth / 2),
            (width / 2, depth / 2),
            (-width / 2, depth / 2),
        )
    ]
    return [(x + right, y + back, z + up) for up in (0.0, height) for right, back in flat]


def edges(item: Placeholder) -> list[Point]:
    """Return the ends of the twelve edges of the box: 24 points, two for each edge."""
    points = corners(item)
    return [points[end] for edge in EDGES for end in edge]


def bottom(item: Placeholder) -> list[Point]:
    """Return the corners of the bottom's two triangles."""
    points = corners(item)
    return [points[corner] for corner in BOTTOM]


def front(item: Placeholder) -> list[Point]:
    """Return the corners of the front, which shows the picture, in the order of `FRONT`."""
    points = corners(item)
    return [points[corner] for corner in FRONT]


def coordinates(picture: Picture) -> list[tuple[float, float]]:
    """Return the texture coordinates (u, v) of the front's corners, in the order of `FRONT`."""
    left, low, right, high = picture.box
    return [(left + u * (right - left), low + v * (high - low)) for u, v in UNIT]
