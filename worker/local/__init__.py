# SPDX-License-Identifier: GPL-3.0-or-later
"""The offline provider: an image becomes a closed, textured mesh. Numpy only, no bpy.

What the settings `thickness` and `plate` mean for each shape:
inflate: `thickness` scales the depth; at 1, a disc becomes a sphere. Boxes are half as deep as a
         round body would be, disks with a ring a fifth. If no subject was found, the whole image
         becomes a cushion whose depth at 1 is at most a quarter of the image's shorter side: a
         round body would be deeper than it is tall.
body:    the front is what the depth model sees, the back is inflated. `thickness` scales both.
cutout:  a flat slab with rounded edges, `thickness` times a tenth of the height deep.
spin:    the outline spun about its vertical axis; `thickness` scales the depth, at 1 it is round.
relief:  a flat back, a plate of `plate` times the height, and on it a relief of up to `thickness`
         times a tenth of the height. Nearer parts are higher; without the depth model, brighter
         parts are. `plate` has no effect on other shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..progress import Report
from ..refusal import Message
from .array_types import Floats, Singles
from .depth import find_nearness, has_depth
from .shape.body import nearness_in_pixels, shape_body
from .shape.flatness import depth_limit
from .shape.outline import Outline, trace_outline
from .shape.poisson import solve_poisson
from .shape.relief import emboss, inflate, lightness, round_edges
from .shape.solid import Solid, pillow, plate, scale_to_height
from .shape.spin import spin, trace_profile
from .shape.texture import CRISP, Atlas, atlas, is_plain, scale
from .shape.triangulation import Silhouette, triangulate
from .subject.answers import AnswerFile
from .subject.box import box_of
from .subject.coverage import count_lost_parts, drop_fragments
from .subject.foreground import Foreground, find_foreground

__all__ = ["Model", "build", "front_texture", "is_crisp"]

# Depth at thickness 1, as a share of the height.
_CUTOUT_DEPTH = 0.1
_RELIEF_DEPTH = 0.1
# As a share of the shorter side.
_FALLBACK_DEPTH = 0.25
# As a share of the subject's size.
_FLANK = 0.015
_FADE = 0.04
ROUND = ("inflate", "body", "spin")
"""Shapes whose surface runs steeply to the rim."""

THIN_PART = "One thin part was left out: raise Faces, lower Smoothness, or use a larger image."
THIN_PARTS = (
    "{count} thin parts were left out: raise Faces, lower Smoothness, or use a larger image."
)
ONE_HOLE = "One small hole was closed: raise Faces, lower Smoothness, or use a larger image."
HOLES = "{count} small holes were closed: raise Faces, lower Smoothness, or use a larger image."


@dataclass(frozen=True)
class Model:
    """A closed mesh with its texture, in meters and Blender's axes; the front faces -Y.

    The origin is the center of the bounding box's bottom.
    """

    vertices: NDArray[np.float32]  # (n, 3)
    triangles: NDArray[np.int32]  # (m, 3), counter-clockwise seen from outside
    uv: NDArray[np.float32]  # (m, 3, 2), per corner, v up
    texture: NDArray[np.uint8]  # (h, w, 3), top row first, sRGB
    notes: tuple[str, ...]  # for the user
    crisp: bool = False  # show each pixel of the texture as a square


def build(
    pixels: NDArray[np.float32],
    settings: Mapping[str, Any],
    report: Report,
    kept: AnswerFile | None = None,
) -> Model:
    """Build a model from an image (h, w, 4).

    The image is sRGB with straight alpha from 0 to 1, top row first. `kept` is the file in which
    the network's answer about the image is cached. Raise Refusal if the image has no subject, or if
    the shape needs a depth model that cannot be used. An exception from `report`, such as a
    cancellation, passes through.
    """
    report(0.0, "Finding the subject")
    subject = find_foreground(
        pixels, settings["foreground"], settings["tolerance"], box_of(settings), kept
    )
    report(0.35, "Tracing the outline")
    outline = trace_outline(subject.matte, settings["smoothness"])
    if settings["shape"] == "spin":
        report(0.55, "Shaping")
        solid, notes = spin_subject(outline, settings), tuple[str, ...]()
    else:
        flat = drop_fragments(triangulate_subject(outline, settings), subject.matte)
        report(0.55, "Shaping")
        solid = shape_subject(flat, outline, subject, settings, kept)
        notes = tuple(_notes(flat, subject, settings))
    report(0.8, "Creating the texture")
    images, uv = _texture(pixels, subject, solid, settings)
    report(0.95, "Closing the mesh")
    return Model(
        scale_to_height(solid.vertices, settings["height"]).astype(np.float32),
        solid.triangles.astype(np.int32),
        uv,
        images.image,
        (*subject.notes, *notes),
        is_crisp(pixels),
    )


def _notes(flat: Silhouette, subject: Foreground, settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield notes for the user about where the result differs from the settings."""
    if subject.fallback and settings["shape"] == "inflate":
        yield "A whole image is inflated only slightly. Relief or Cutout may work better."
    asked, number = settings["face_count"], flat.faces(walls=settings["shape"] == "relief")
    if number > 1.5 * asked:
        yield Message(
            "The subject is too detailed for {asked} faces, so the mesh has {count}.",
            asked=f"{asked:,}",
            count=f"{number:,}",
        )
    thin, holes = count_lost_parts(subject.matte, flat)
    if thin:
        yield THIN_PART if thin == 1 else Message(THIN_PARTS, count=f"{thin:,}")
    if holes:
        yield ONE_HOLE if holes == 1 else Message(HOLES, count=f"{holes:,}")


def triangulate_subject(outline: Outline, settings: Mapping[str, Any]) -> Silhouette:
    """Triangulate the silhouette; a relief needs detail inside, the other shapes at the rim.

    Raise Refusal if the subject is too thin.
    """
    relief = settings["shape"] == "relief"
    return triangulate(outline, settings["face_count"], 0 if relief else 2, walls=relief)


def spin_subject(outline: Outline, settings: Mapping[str, Any]) -> Solid:
    """Spin the outline about its vertical axis; the result is in pixels of the subject's matte.

    Raise Refusal if the subject is too thin.
    """
    return spin(trace_profile(outline), settings["face_count"], float(settings["thickness"]))


def shape_subject(
    flat: Silhouette,
    outline: Outline,
    subject: Foreground,
    settings: Mapping[str, Any],
    kept: AnswerFile | None = None,
) -> Solid:
    """Give the flat silhouette its depth; the result is in pixels of the subject's matte.

    `kept` is the file of the network's answer about the image; the depth is cached beside it. Raise
    Refusal if the shape needs a depth model that cannot be used.
    """
    height = float(np.ptp(flat.points[:, 1]))
    thickness = float(settings["thickness"])
    match settings["shape"]:
        case "inflate":
            limit = depth_limit(outline, subject.picture)
            heights = inflate(flat, solve_poisson(flat, outline), thickness, limit)
            if subject.fallback:
                half = 0.5 * _FALLBACK_DEPTH * thickness * min(subject.matte.shape)
                heights *= min(1.0, half / float(heights.max()))
            return pillow(flat, heights)
        case "body":
            nearness = find_nearness(subject.picture, settings.get("models", {}), kept)
            bump = solve_poisson(flat, outline)
            return shape_body(flat, bump, nearness, subject.matte, settings)
        case "cutout":
            half = 0.5 * _CUTOUT_DEPTH * thickness * height
            return pillow(flat, round_edges(flat, solve_poisson(flat, outline), half))
        case _:
            heights = emboss(
                flat,
                outline,
                _relief_map(subject, settings, kept),
                _RELIEF_DEPTH * thickness * height,
                settings["smoothness"],
            )
            return plate(flat, heights + settings["plate"] * height, margin=1.5)


def _relief_map(
    subject: Foreground, settings: Mapping[str, Any], kept: AnswerFile | None
) -> Singles:
    """Return the map (h, w) by which a relief is raised.

    It is the nearness if the depth model is available, otherwise the lightness.
    """
    models = settings.get("models", {})
    if not has_depth(models):
        return lightness(subject.picture)
    return nearness_in_pixels(find_nearness(subject.picture, models, kept), subject.matte)


def _texture(
    pixels: NDArray[np.float32], subject: Foreground, solid: Solid, settings: Mapping[str, Any]
) -> tuple[Atlas, NDArray[np.float32]]:
    """Return the atlas and the corners' UVs (m, 3, 2).

    The atlas is made from the reduced image if that has enough detail, otherwise from the full
    image.
    """
    back, longest = settings["back"], settings["texture_size"]
    for picture in (subject.picture, pixels):
        plane = _to_image(solid.plane, picture, subject.matte)
        size = np.array([picture.shape[1], picture.shape[0]] * 2, np.float64)
        corners = plane.reshape(-1, 2)
        bounds = np.clip(np.concatenate([corners.min(axis=0), corners.max(axis=0)]), 0.0, size)
        if scale(bounds, plain_back=is_plain(back), longest=longest) < 1.0:
            break
    flank = None if is_crisp(pixels) else _flank(subject.matte, settings["shape"])
    fade = 0.0 if is_crisp(pixels) else _fade(subject.matte, settings["shape"])
    images = atlas(
        picture, subject.matte, bounds, back=back, longest=longest, flank=flank, fade=fade
    )
    return images, images.coordinates(plane, solid.behind)


def front_texture(
    picture: NDArray[np.float32], matte: Singles, bounds: Floats, longest: int
) -> Atlas:
    """Return the texture of a round body whose front is what an image (h, w, 4) shows.

    `matte` (h, w) is the subject, and `bounds` its left, top, right and bottom in pixels. No side
    of the texture exceeds `longest`.
    """
    crisp = is_crisp(picture)
    return atlas(
        picture,
        matte,
        bounds,
        back="rim",
        longest=longest,
        flank=None if crisp else _flank(matte, "body"),
        fade=0.0 if crisp else _fade(matte, "body"),
    )


def is_crisp(pixels: NDArray[np.float32]) -> bool:
    """Return whether an image (h, w, 4) is so small that its pixels are meant to be seen."""
    return max(pixels.shape[:2]) <= CRISP


def _flank(matte: Singles, shape: str) -> float:
    """Return the width in pixels of the rim that is seen only from the side; 0 for flat shapes."""
    return _FLANK * _size(matte) if shape in ROUND else 0.0


def _fade(matte: Singles, shape: str) -> float:
    """Return the width in pixels over which the front's colors become the back's.

    It is 0 for a relief, whose front and back meet at sharp edges, and small for a cutout, whose
    face is flat up to its edge.
    """
    share = _FADE if shape in ROUND else _FLANK
    return 0.0 if shape == "relief" else share * _size(matte)


def _size(matte: Singles) -> float:
    """Return the subject's size in pixels: the side of a square of the same area."""
    return float(np.sqrt(np.count_nonzero(matte > 0.5)))


def _to_image(points: Floats, picture: NDArray[np.float32], matte: Singles) -> Floats:
    """Convert coordinates in the matte (…, 2) to coordinates in the image."""
    ratio = [picture.shape[1] / matte.shape[1], picture.shape[0] / matte.shape[0]]
    return np.asarray(points * ratio, np.float64)
