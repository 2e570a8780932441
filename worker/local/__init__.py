# SPDX-License-Identifier: GPL-3.0-or-later
"""The offline provider: one picture becomes a closed, textured mesh. Numpy only, no bpy.

What `thickness` and `plate` mean:
inflate: `thickness` scales the depth; at 1 a disc becomes a sphere. `plate` has no part in it.
         Where no subject was found and the whole picture serves instead, 1 means a cushion as
         deep as a quarter of its shorter side, as a full one would be deeper than it is tall.
cutout:  an even slab `thickness` × a tenth of the height deep, its edge a half round.
relief:  a flat back, a plate of `plate` × the height, and on it up to `thickness` × a tenth of
         the height of relief, the brighter the higher.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..refusal import Message
from .array_types import Floats, Report, Singles
from .shape.outline import Outline, traced
from .shape.poisson import bump
from .shape.relief import embossed, inflated, lightness, rounded
from .shape.solid import Solid, pillow, plate, standing
from .shape.texture import Atlas, atlas, scale
from .shape.triangulation import Silhouette, silhouette
from .subject.coverage import left_out, without_fragments
from .subject.foreground import Foreground, foreground

__all__ = ["Model", "build"]

# Shares of the height at thickness 1.
_CUTOUT_DEPTH = 0.1
_RELIEF_DEPTH = 0.1
# A share of the shorter side.
_FALLBACK_DEPTH = 0.25

ONE_PART = "One thin part was left out: raise Faces, lower Smoothness, or use a larger picture."
PARTS = "{count} thin parts were left out: raise Faces, lower Smoothness, or use a larger picture."
ONE_HOLE = "One small hole was closed: raise Faces, lower Smoothness, or use a larger picture."
HOLES = "{count} small holes were closed: raise Faces, lower Smoothness, or use a larger picture."


@dataclass(frozen=True)
class Model:
    """A closed mesh with its texture, in meters and Blender's axes; the front faces −Y.

    The origin is the middle of the bounding box's bottom.
    """

    vertices: NDArray[np.float32]  # (n, 3)
    triangles: NDArray[np.int32]  # (m, 3), counter-clockwise seen from outside
    uv: NDArray[np.float32]  # (m, 3, 2), per corner, v up
    texture: NDArray[np.uint8]  # (h, w, 3), top row first, sRGB
    notes: tuple[str, ...]  # sentences for the person


def build(pixels: NDArray[np.float32], settings: Mapping[str, Any], report: Report) -> Model:
    """Turn a picture (h, w, 4) into a model.

    The picture is sRGB-encoded with straight alpha in 0..1, top row first. Raise Refusal where
    it has no subject; whatever `report` raises ends the work.
    """
    report(0.0, "Finding the subject")
    subject = foreground(pixels, settings["foreground"], settings["tolerance"])
    report(0.35, "Tracing the outline")
    outline = traced(subject.matte, settings["smoothness"])
    flat = without_fragments(_triangulated(outline, settings), subject.matte)
    report(0.55, "Shaping")
    solid = _shaped(flat, outline, subject, settings)
    report(0.8, "Laying out the texture")
    images, uv = _textured(pixels, subject, solid, settings)
    report(0.95, "Closing the mesh")
    return Model(
        standing(solid.vertices, settings["height"]).astype(np.float32),
        solid.triangles.astype(np.int32),
        uv,
        images.image,
        (*subject.notes, *_remarks(flat, subject, settings)),
    )


def _remarks(flat: Silhouette, subject: Foreground, settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what came out otherwise than asked."""
    if subject.fallback and settings["shape"] == "inflate":
        yield "A whole picture is inflated only a little: Relief or Cutout may suit it better."
    asked, number = settings["face_count"], flat.faces(walls=settings["shape"] == "relief")
    if number > 1.5 * asked:
        yield Message(
            "The subject is too fine for {asked} faces, so it has {count}.",
            asked=f"{asked:,}",
            count=f"{number:,}",
        )
    thin, holes = left_out(subject.matte, flat)
    if thin:
        yield ONE_PART if thin == 1 else Message(PARTS, count=f"{thin:,}")
    if holes:
        yield ONE_HOLE if holes == 1 else Message(HOLES, count=f"{holes:,}")


def _triangulated(outline: Outline, settings: Mapping[str, Any]) -> Silhouette:
    """Triangulate the silhouette; a relief needs its triangles inside rather than at the rim."""
    relief = settings["shape"] == "relief"
    return silhouette(outline, settings["face_count"], 0 if relief else 2, walls=relief)


def _shaped(
    flat: Silhouette, outline: Outline, subject: Foreground, settings: Mapping[str, Any]
) -> Solid:
    height = float(np.ptp(flat.points[:, 1]))
    thickness = float(settings["thickness"])
    match settings["shape"]:
        case "inflate":
            heights = inflated(flat, bump(flat, outline), thickness)
            if subject.fallback:
                half = 0.5 * _FALLBACK_DEPTH * thickness * min(subject.matte.shape)
                heights *= min(1.0, half / float(heights.max()))
            return pillow(flat, heights)
        case "cutout":
            half = 0.5 * _CUTOUT_DEPTH * thickness * height
            return pillow(flat, rounded(flat, bump(flat, outline), half))
        case _:
            heights = embossed(
                flat,
                outline,
                lightness(subject.picture),
                _RELIEF_DEPTH * thickness * height,
                settings["smoothness"],
            )
            return plate(flat, heights + settings["plate"] * height, margin=1.5)


def _textured(
    pixels: NDArray[np.float32], subject: Foreground, solid: Solid, settings: Mapping[str, Any]
) -> tuple[Atlas, NDArray[np.float32]]:
    """Return the atlas and the corners' UV; the smaller picture serves where it is fine enough."""
    plain, longest = settings["back"] == "color", settings["texture_size"]
    for picture in (subject.picture, pixels):
        plane = _in_picture(solid.plane, picture, subject.matte)
        size = np.array([picture.shape[1], picture.shape[0]] * 2, np.float64)
        corners = plane.reshape(-1, 2)
        bounds = np.clip(np.concatenate([corners.min(axis=0), corners.max(axis=0)]), 0.0, size)
        if scale(bounds, plain_back=plain, longest=longest) < 1.0:
            break
    images = atlas(picture, subject.matte, bounds, plain_back=plain, longest=longest)
    return images, images.coordinates(plane, solid.behind)


def _in_picture(points: Floats, picture: NDArray[np.float32], matte: Singles) -> Floats:
    """Convert the matte's pixels (…, 2) to the picture's."""
    ratio = [picture.shape[1] / matte.shape[1], picture.shape[0] / matte.shape[0]]
    return np.asarray(points * ratio, np.float64)
