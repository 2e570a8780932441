# SPDX-License-Identifier: GPL-3.0-or-later
"""The texture atlas: the image for the front, and the back next to or below it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..array_types import Bools, Bytes, Floats, Numbers, Singles
from .back import RIM_SIDE, Rim, find_rim
from .flank import share_of_front
from .pull_push import fill_in
from .raster import blur, downscale, downscale_strips, fit_size, upscale

_MARGIN = 4
"""Texels around the subject, which keep its colors apart from the back's when filtered."""
CRISP = 128
"""Longest side in pixels of images whose pixels are meant to be seen, such as pixel art."""
_PLAIN_BACK = 192
"""Longest side in texels of a blurred back."""
_SAMPLED = 400
"""Pixels along the longest side that are compared to find a stroke along the rim."""
_STROKE = (0.1, 0.2)
"""Difference between the colors at the rim and inside of it. Up to the first value, there is no
stroke along the rim; from the second, there is one."""
_FLANK = 2.1
"""Pixels from the rim of a matte that are mixed with the background."""
_THIN = 0.5
"""Weight of colors from parts that are too thin to have an inside."""


@dataclass(frozen=True)
class Area:
    """A rectangle of the texture that shows `crop` of the image, optionally mirrored.

    In pixels: `left`, `top`, `width`, `height` in the texture, and `crop` (left, top, right,
    bottom) in the image; `crop` may extend beyond the image.
    """

    left: int
    top: int
    width: int
    height: int
    crop: tuple[float, float, float, float]
    mirrored: bool

    def coordinates(self, points: Floats, texture: tuple[int, ...]) -> Floats:
        """Return UVs (…, 2) of image points, at least half a pixel inside the area.

        `texture` is the shape (h, w, …) of the texture.
        """
        left, top, right, bottom = self.crop
        along = (points[..., 0] - left) / (right - left)
        along = 1.0 - along if self.mirrored else along
        x = np.clip(along * self.width, 0.5, self.width - 0.5)
        y = np.clip((points[..., 1] - top) / (bottom - top) * self.height, 0.5, self.height - 0.5)
        u = (self.left + x) / texture[1]
        v = 1.0 - (self.top + y) / texture[0]
        return np.stack([u, v], axis=-1)


@dataclass(frozen=True)
class Atlas:
    """The texture (h, w, 3) and the areas of front and back in it."""

    image: Bytes
    front: Area
    back: Area

    def coordinates(self, plane: Floats, behind: Bools) -> Singles:
        """Return UVs (m, 3, 2) for triangle corners in image coordinates.

        `behind` (m,) marks the triangles that show the back.
        """
        return self.corner_coordinates(plane, behind[:, None])

    def corner_coordinates(self, points: Floats, behind: Bools) -> Singles:
        """Return UVs (…, 2) for image points (…, 2); `behind` (…) marks those on the back."""
        shape = self.image.shape
        front = self.front.coordinates(points, shape)
        back = self.back.coordinates(points, shape)
        return np.where(behind[..., None], back, front).astype(np.float32)


def atlas(
    pixels: Numbers,
    matte: Singles,
    bounds: Floats,
    *,
    back: str,
    longest: int,
    flank: float | None,
    fade: float,
) -> Atlas:
    """Build the atlas from the subject's part of an image (h, w, 4).

    `matte` (h', w') is the subject from 0 to 1 over the same image. `bounds` (left, top, right,
    bottom) is the part that the mesh uses, in image pixels. No side of the texture exceeds
    `longest`. `back` is "mirror" (the front), "color" (the front, blurred), or "rim" (the rim's
    colors, continued).

    Pixels of the matte within `flank` of the rim show colors from further inside: there the surface
    turns away from the image. If `flank` is None, every pixel shows its own color. Within about
    `fade` of the rim, the front becomes the back, unless that is mirrored; strokes remain.
    """
    front, behind = plan_areas(bounds, plain_back=is_plain(back), longest=longest)
    fade = fade if is_plain(back) else 0.0
    colors, weights, own = _crop(pixels, matte, front, flank, fade)
    picture = fill_in(colors, weights)
    rim = _rim(colors, weights)
    stroke = _stroke(picture, weights, rim.colors) if flank or fade else 0.0
    if flank and stroke:
        beside = np.clip(np.float32(1.0) - np.float32(2.0) * weights, 0.0, 1.0)
        picture = _mix(picture, rim.colors, stroke * beside)
    reverse = _reverse(back, picture, rim, behind)
    if fade and stroke < 1.0:
        picture = _mix(picture, reverse[:, ::-1], (1.0 - stroke) * (np.float32(1.0) - own))
    # Texels outside both areas have the back's mean color, since coarse filters mix them in.
    image = np.empty((*texture_shape(front, behind), 3), np.uint8)
    image[:] = reverse.mean(axis=(0, 1)) * 255.0 + 0.5
    for area, colors in ((front, picture), (behind, reverse)):
        image[area.top : area.top + area.height, area.left : area.left + area.width] = (
            np.clip(colors, 0.0, 1.0) * 255.0 + 0.5
        )
    return Atlas(image, front, behind)


def is_plain(back: str) -> bool:
    """Return whether a back with this setting shows no detail, and so takes less room."""
    return back != "mirror"


def _rim(colors: Singles, weights: Singles) -> Rim:
    """Return the front's rim, found in a copy whose longer side is RIM_SIDE.

    `colors` (h, w, 3) and `weights` (h, w), the mask, are of the front.
    """
    step = max(1, max(weights.shape) // (4 * RIM_SIDE))
    weighted = np.dstack([colors[::step, ::step], weights[::step, ::step]])
    return find_rim(downscale(weighted, *fit_size(weighted.shape, RIM_SIDE)))


def _stroke(picture: Singles, weights: Singles, rim: Singles) -> float:
    """Return how much the front (h, w, 3) looks like a drawing with a stroke along its outline.

    From 0 to 1. The stroke would be stretched over the flank, where the surface is seen from the
    side and `weights` (h, w) are 0. `rim` are the colors inside of the stroke.
    """
    step = max(1, max(weights.shape) // _SAMPLED)
    part, seen = weights[::step, ::step], picture[::step, ::step]
    edge = (part > 0.0) & (part < _THIN)
    apart = np.abs(upscale(rim, part.shape[0], part.shape[1]) - seen).mean(axis=2)
    stroke = float(np.median(apart[edge])) if edge.any() else 0.0
    return float(np.clip((stroke - _STROKE[0]) / (_STROKE[1] - _STROKE[0]), 0.0, 1.0))


def _mix(picture: Singles, other: Singles, share: Singles) -> Singles:
    """Return the picture (h, w, 3) with a share (h, w) of the colors of another one of any size."""
    change = upscale(other, share.shape[0], share.shape[1])
    change -= picture
    change *= share[:, :, None]
    change += picture
    return change


def _reverse(back: str, picture: Singles, rim: Rim, area: Area) -> Singles:
    """Return the colors of the back's area (h, w, 3): mirrored, without detail if it is plain."""
    if back == "mirror":
        return picture[:, ::-1]
    if back == "color":
        return _blur_colors(picture[:, ::-1], area.height, area.width)
    return upscale(rim.over_the_back()[:, ::-1], area.height, area.width)


def plan_areas(
    bounds: Floats, *, plain_back: bool, longest: int, stacked: bool | None = None
) -> tuple[Area, Area]:
    """Return the areas of front and back in the texture that `atlas` builds from these bounds.

    `stacked`: whether the back is below the front rather than next to it; by default, the layout
    that takes less room.
    """
    crop, ratio, stacked = _layout(bounds, plain_back, longest, stacked)
    width = max(1, round((crop[2] - crop[0]) * ratio))
    height = max(1, round((crop[3] - crop[1]) * ratio))
    front = Area(0, 0, width, height, crop, mirrored=False)
    reduced = plain_back and _plain_share(bounds) < 1.0
    rows, columns = _plain_size(height, width) if reduced else (height, width)
    left, top = (0, height) if stacked else (width, 0)
    return front, Area(left, top, columns, rows, crop, mirrored=True)


def texture_shape(front: Area, back: Area) -> tuple[int, int]:
    """Return height and width of the texture with these areas."""
    return max(front.height, back.top + back.height), max(front.width, back.left + back.width)


def scale(bounds: Floats, *, plain_back: bool, longest: int) -> float:
    """Return the scale, at most 1, at which `atlas` would show the image."""
    return _layout(bounds, plain_back, longest)[1]


_Crop = tuple[float, float, float, float]


def _layout(
    bounds: Floats, plain_back: bool, longest: int, stacked: bool | None = None
) -> tuple[_Crop, float, bool]:
    """Return the crop in image pixels, the scale (at most 1), and whether the back goes below.

    A margin keeps the areas' colors apart. If the image fits at full size, the margin shrinks, to
    nothing if necessary, so that it still fits.
    """
    left, top = np.floor(bounds[:2]).astype(int)
    right, bottom = np.ceil(bounds[2:]).astype(int)
    width, height = int(right - left), int(bottom - top)
    share = _plain_share(bounds) if plain_back else 1.0
    beside = max(width * (1.0 + share), height)
    below = max(width, height * (1.0 + share))
    stacked = bool(below < beside) if stacked is None else stacked
    longer = below if stacked else beside
    room = longest / longer
    scale = min(1.0, room)
    margin = _MARGIN
    if room >= 1.0:
        # Two areas side by side have four margins in that direction.
        spare = (longest - longer) / 4.0
        margin = int(np.clip(spare, 0, _MARGIN))
    else:
        grown = max(width, height) / (max(width, height) + 4.0 * _MARGIN / scale)
        margin, scale = int(np.ceil(_MARGIN / scale)), scale * grown
    crop = float(left - margin), float(top - margin), float(right + margin), float(bottom + margin)
    return crop, scale, stacked


def _crop(
    pixels: Numbers, matte: Singles, area: Area, flank: float | None, fade: float
) -> tuple[Singles, Singles, Singles]:
    """Cut the area's part out of image and matte, at the area's scale.

    Return colors (h, w, 3) premultiplied by weights, the weights (h, w): 1 well inside the subject,
    and the share (h, w) of the front over the back, 0 at the rim.
    """
    left, top, right, bottom = (int(edge) for edge in area.crop)
    height, width = pixels.shape[:2]
    columns = slice(max(left, 0), min(right, width))
    trust = (matte > 0.5).astype(np.float32) if flank is None else _trust(matte, flank)
    own = share_of_front(matte, fade) if fade else None
    channels = 4 if own is None else 5

    def strip(rows: slice) -> Singles:
        cut = np.zeros((rows.stop - rows.start, right - left, channels), np.float32)
        inside = slice(max(rows.start + top, 0), min(rows.stop + top, height))
        if inside.start >= inside.stop:
            return cut
        first = inside.start - top - rows.start
        part = cut[first : first + inside.stop - inside.start, columns.start - left :]
        part = part[:, : columns.stop - columns.start]
        weights = upscale(trust, height, width, (inside, columns))
        # Transparent pixels may have any color.
        weights = weights * np.minimum(np.float32(2.0) * pixels[inside, columns, 3], 1.0)
        np.multiply(pixels[inside, columns, :3], weights[:, :, None], out=part[:, :, :3])
        part[:, :, 3] = weights
        if own is not None:
            part[:, :, 4] = upscale(own, height, width, (inside, columns))
        return cut

    size = bottom - top, right - left, channels
    scaled = downscale_strips(strip, size, area.height, area.width)
    return scaled[:, :, :3], scaled[:, :, 3], scaled[:, :, -1]


def _trust(matte: Singles, flank: float) -> Singles:
    """Return the weight of each pixel (h, w): 1 well inside the matte, 0 near the rim.

    The colors of pixels within about `flank` of the rim are mixed with the background. Parts that
    are too thin to have an inside get _THIN.
    """
    height, width = matte.shape
    # A wider rim is found in a smaller copy.
    ratio = max(1.0, flank / _FLANK)
    small = fit_size(matte.shape, int(max(height, width) / ratio) + 1)
    # On a straight edge, this rises from 0 at 1.3 pixels inside to 1 at 2.8.
    soft = blur(downscale(matte[:, :, None], *small)[:, :, 0], 1.5)
    inner: Singles = np.clip((soft - np.float32(0.81)) * np.float32(6.3), 0.0, 1.0)
    trust = inner.copy() if inner.shape == matte.shape else upscale(inner, height, width)
    # Parts too thin for such an inside are used as they are.
    around = downscale(inner[:, :, None], *fit_size(inner.shape, max(inner.shape) // 4 + 1))
    thin = (matte > 0.5) & (upscale(around[:, :, 0], height, width) <= 0.0)
    trust[thin] = _THIN
    return trust


def _blur_colors(picture: Singles, height: int, width: int) -> Singles:
    """Return the picture, downscaled to (height, width, 3) and blurred."""
    soft = downscale(picture, height, width)
    sigma = 0.05 * max(height, width)
    return np.stack([blur(soft[:, :, k], sigma) for k in range(3)], axis=2)


def _plain_size(height: int, width: int) -> tuple[int, int]:
    return max(1, min(height // 4, _PLAIN_BACK)), max(1, min(width // 4, _PLAIN_BACK))


def _plain_share(bounds: Floats) -> float:
    """Return the ratio of a plain back's sides to the front's: 0.25, or 1 if the front is small."""
    return 1.0 if max(bounds[2:] - bounds[:2]) <= CRISP else 0.25
