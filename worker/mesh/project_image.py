# SPDX-License-Identifier: GPL-3.0-or-later
"""Project an image onto meshes that come without colors, as seen from the front.

The subject's outline in the image is fitted to the meshes' bounding box. Faces that point away show
the colors of the outline, as on the back of the offline provider's meshes. Parts that are hidden
behind others show the colors of what hides them.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, radians, sin
from typing import Any, NamedTuple

import bpy
import numpy as np

from ..images.read_image import read_image
from ..local import front_texture, is_crisp
from ..local.array_types import Bools
from ..local.shape.texture import Atlas
from ..local.subject.foreground import find_foreground
from ..local.subject.salient import kept_answers
from ..prepare.principled import find_principled, find_sources
from ..prepare.vertex_colors import find_varying_color
from ..refusal import Message, Refusal
from .arrays import Floats, corners_of, positions_of, read
from .glb import textured_material

SIDE = 2048
"""Longest side in pixels of the image, and of the texture."""
DONE = "The image was projected onto the mesh, which came without colors."


class Seen(NamedTuple):
    """A mesh as seen from the front, in world space.

    `corners` (c, 3) are the positions of its faces' corners, and `behind` (c,) whether the face
    points away.
    """

    mesh: bpy.types.Mesh
    corners: Floats
    behind: Bools


def project_image(name: str, meshes: list[bpy.types.Object], request: Mapping[str, Any]) -> str:
    """Give the meshes a material that shows an image, unless one of them has colors.

    `request` has the image's path as `picture`, its `orientation`, and `rotation`: the degrees
    about Z by which the meshes' front is rotated to -Y. Return a note for the user, or "" if the
    meshes have colors. An image without a subject changes nothing, and the note says why.
    """
    if any(_has_colors(obj) for obj in meshes):
        return ""
    try:
        pixels = read_image(request["picture"], request.get("orientation", 1), SIDE)
        subject = find_foreground(pixels, "auto", 0.5, kept=kept_answers(request))
    except Refusal as refusal:
        return Message(
            "The image could not be projected onto the mesh: {reason}", reason=refusal.message
        )
    box = _subject_bounds(subject.matte > 0.5)
    texture = front_texture(subject.picture, subject.matte, box, SIDE)
    material = textured_material(name, texture.image, crisp=is_crisp(pixels))
    _apply(
        material,
        texture,
        box,
        [_seen_from_front(obj, request.get("rotation", 0)) for obj in meshes],
    )
    return DONE


def _has_colors(obj: bpy.types.Object) -> bool:
    """Return whether an object has a texture or varying vertex colors."""
    surfaces = (find_principled(material) for material in obj.data.materials)
    return bool(find_varying_color(obj.data)) or any(
        surface is not None and find_sources(surface.inputs["Base Color"]) for surface in surfaces
    )


def _subject_bounds(mask: Bools) -> Any:
    """Return (left, top, right, bottom) of a mask (h, w) in pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def _seen_from_front(obj: bpy.types.Object, degrees: float) -> Seen:
    """Return an object's mesh in world space, rotated by `degrees` about Z."""
    mesh = obj.data
    angle = radians(degrees)
    rotation = np.array([[cos(angle), -sin(angle), 0], [sin(angle), cos(angle), 0], [0, 0, 1]])
    world = np.array(obj.matrix_world, np.float64)
    matrix = rotation @ world[:3, :3]
    points = positions_of(mesh) @ matrix.T + rotation @ world[:3, 3]
    normals = read(mesh.polygon_normals, "vector", np.float32, 3)
    # A mirrored object has a negative determinant; normals follow the cofactors.
    away = normals @ (np.linalg.det(matrix) * np.linalg.pinv(matrix))[:, 1] > 0.0
    sizes = read(mesh.polygons, "loop_total", np.int32)
    return Seen(mesh, points[corners_of(mesh)], np.repeat(away, sizes))


def _apply(material: bpy.types.Material, texture: Atlas, box: Any, seen: list[Seen]) -> None:
    low = np.min([item.corners.min(axis=0) for item in seen], axis=0)
    high = np.max([item.corners.max(axis=0) for item in seen], axis=0)
    size = np.maximum(high - low, 1e-9)
    left, top, right, bottom = box
    for mesh, corners, behind in seen:
        along = (corners[:, 0] - low[0]) / size[0] * (right - left) + left
        down = (high[2] - corners[:, 2]) / size[2] * (bottom - top) + top
        uv = texture.corner_coordinates(np.stack([along, down], axis=-1), behind)
        layer = mesh.uv_layers.new(name="UVMap", do_init=False)
        layer.uv.foreach_set("vector", np.ascontiguousarray(uv, np.float32).ravel())
        layer.active = layer.active_render = True
        mesh.materials.clear()
        mesh.materials.append(material)
