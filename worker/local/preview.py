# SPDX-License-Identifier: GPL-3.0-or-later
"""Previews of the offline provider while its settings are dragged: fewer faces, the old texture.

A smaller image and fewer faces make a mesh in a twentieth of a second. Finding the subject takes
longer, but its result does not depend on the shape's settings, so it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from . import shape_subject, spin_subject, triangulate_subject
from .array_types import Floats
from .shape.outline import Outline, trace_outline
from .shape.solid import Solid, scale_to_height
from .shape.texture import Area, is_plain, plan_areas, texture_shape
from .shape.triangulation import Silhouette
from .subject.answers import AnswerFile
from .subject.box import box_of
from .subject.coverage import drop_fragments
from .subject.foreground import Foreground, SubjectFinder

PICTURE_SIDE = 768
"""Longest side in pixels of the image that previews are made from."""
FACES = 12_000
"""Maximum number of faces to aim at: Blender's main thread loads this many within a frame."""
MOST_FACES = 20_000
"""Maximum number of faces of a preview: thin subjects get more than was asked for."""
_OF_OUTLINE = ("foreground", "tolerance", "smoothness")
"""The settings, other than the box, that the outline depends on."""
_KEPT = 8
"""Number of intermediate results that are cached."""
_WALLS = 1.5
"""Width of the band outside a relief's rim that textures its walls, in pixels of the full image."""

T = TypeVar("T")


@dataclass(frozen=True)
class Preview:
    """A closed mesh as arrays, laid out as in `Model`; the UVs are for the full mesh's texture."""

    vertices: NDArray[np.float32]
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]


class PreviewBuilder:
    """Builds previews of one image, and keeps the results that a changed setting does not affect.

    `pixels` (h, w, 4) are as in `build`, with no side longer than PICTURE_SIDE. `full_side` is the
    longest side of the image from which the full mesh is made. `texture` is the height and width of
    the full mesh's texture, or None if unknown. `kept` is the file for the network's answer about
    the image.
    """

    def __init__(
        self,
        pixels: NDArray[np.float32],
        full_side: int,
        texture: tuple[int, int] | None = None,
        kept: AnswerFile | None = None,
    ) -> None:
        self._size = pixels.shape[:2]
        self._finder = SubjectFinder(pixels, kept)
        self._answers = kept
        self._texture = texture
        self._enlargement = full_side / max(pixels.shape[:2])
        self._kept: dict[tuple[Any, ...], Any] = {}

    def build(self, settings: Mapping[str, Any], shown: Mapping[str, Any]) -> Preview | None:
        """Return a preview; None if it would have too many faces.

        `shown` are the settings of the full mesh whose texture is used. Raise Refusal if there is
        no subject, or if the shape needs a depth model that cannot be used.
        """
        solid = self._solid({**settings, "face_count": min(settings["face_count"], FACES)})
        if len(solid.triangles) > MOST_FACES:  # guard: preview-is-small
            return None
        return Preview(
            scale_to_height(solid.vertices, settings["height"]).astype(np.float32),
            solid.triangles.astype(np.int32),
            self._coordinates(solid, shown),
        )

    def _subject(self, settings: Mapping[str, Any]) -> Foreground:
        asked = settings["foreground"], settings["tolerance"], box_of(settings)
        return self._keep(("subject", *asked), lambda: self._finder.find(*asked))

    def _outline(self, settings: Mapping[str, Any]) -> Outline:
        key = "outline", box_of(settings), *_values(settings, *_OF_OUTLINE)
        matte = self._subject(settings).matte
        return self._keep(key, lambda: trace_outline(matte, settings["smoothness"]))

    def _solid(self, settings: Mapping[str, Any]) -> Solid:
        outline = self._outline(settings)
        if settings["shape"] == "spin":
            return spin_subject(outline, settings)
        flat = self._silhouette(settings)
        return shape_subject(flat, outline, self._subject(settings), settings, self._answers)

    def _silhouette(self, settings: Mapping[str, Any]) -> Silhouette:
        key = box_of(settings), *_values(settings, *_OF_OUTLINE, "face_count")
        outline, matte = self._outline(settings), self._subject(settings).matte
        return self._keep(
            ("silhouette", settings["shape"] == "relief", *key),
            lambda: drop_fragments(triangulate_subject(outline, settings), matte),
        )

    def _extent(self, shown: Mapping[str, Any]) -> Floats:
        """Return points (n, 2) with the same bounds in the image as the mesh of these settings."""
        asked = {**shown, "face_count": min(shown["face_count"], FACES)}
        if shown["shape"] == "spin":
            return self._solid(asked).plane.reshape(-1, 2)
        return self._silhouette(asked).points

    def _coordinates(self, solid: Solid, shown: Mapping[str, Any]) -> NDArray[np.float32]:
        """Return the UVs (m, 3, 2) of the corners in the full mesh's texture."""
        areas = self._areas(shown)
        shape, plane = texture_shape(*areas), solid.plane * self._enlargement
        front, back = (area.coordinates(plane, shape) for area in areas)
        return np.where(solid.behind[:, None, None], back, front).astype(np.float32)

    def _areas(self, shown: Mapping[str, Any]) -> tuple[Area, Area]:
        """Return the areas of front and back in the full mesh's texture."""
        walls = _WALLS / self._enlargement if shown["shape"] == "relief" else 0.0
        size = self._size
        bounds = _bounds(self._extent(shown), walls, size) * self._enlargement
        asked = {"plain_back": is_plain(shown["back"]), "longest": shown["texture_size"]}
        if self._texture is None:
            return plan_areas(bounds, **asked)
        # For a subject that is about square, a pixel decides where its back is.
        both = [plan_areas(bounds, **asked, stacked=stacked) for stacked in (False, True)]
        wanted = self._texture[0] / self._texture[1]
        return min(both, key=lambda areas: abs(np.log(_aspect(areas) / wanted)))

    def _keep(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        found: T = self._kept.pop(key) if key in self._kept else make()
        self._kept[key] = found  # now the newest: dictionaries keep the order of insertion
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return found


def _aspect(areas: tuple[Area, Area]) -> float:
    height, width = texture_shape(*areas)
    return height / width


def _values(settings: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(settings[name] for name in names)


def _bounds(points: Floats, margin: float, size: tuple[int, ...]) -> Floats:
    """Return left, top, right, and bottom of points (n, 2) with a margin, clipped to the image."""
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    height, width = size
    return np.concatenate([np.maximum(low, 0.0), np.minimum(high, (width, height))])
