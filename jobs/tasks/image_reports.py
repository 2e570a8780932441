# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about an image before it is sent: threads collect them, and panels show them."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...providers import ImageToMeshError, PictureInfo, Provider

BOX = ("box_left", "box_top", "box_right", "box_bottom")
"""The settings of the built-in provider for the box around the subject."""


@dataclass(frozen=True, slots=True)
class ImageReport:
    """The properties of an image.

    `error` is set if the image cannot be used at all. `size` is the file's size in bytes. `box` is
    the subject's left, top, right, and bottom edge, as fractions of the image's width and height.
    `cut` names the borders that the subject crosses. `clear`: the subject could be separated from
    the image background; if not, `why` and `hint` may say why the built-in provider would refuse
    the image. `subjects` is the number of separate subjects, and `brightness` their mean
    brightness, from 0 to 1. `copy` is a small copy of the whole image. `sha256` is that of the
    file, in hexadecimal. `answer` is the name of the data about the image that the worker caches.
    `waiting`: the check is still running.
    """

    info: PictureInfo | None = None
    size: int = 0
    transparent: bool = False
    clear: bool = True
    box: tuple[float, ...] = (0.0, 0.0, 1.0, 1.0)
    cut: tuple[str, ...] = ()
    subjects: int = 1
    brightness: float = 1.0
    error: ImageToMeshError | None = None
    why: str = ""
    hint: str = ""
    thumbnail: Thumbnail | None = None
    copy: SmallCopy | None = None
    sha256: str = ""
    answer: str = ""
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small copy of an image's subject: RGBA from 0 to 1, the bottom row first."""

    width: int
    height: int
    pixels: array[float] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SmallCopy:
    """A small copy of a whole image: four bytes per pixel (RGBA), the top row first."""

    width: int
    height: int
    pixels: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EditedImage:
    """A new image that was made from another one: its file as bytes, or the error.

    `original` is the name of the other image in the .blend file.
    """

    name: str
    original: str
    data: bytes = field(default=b"", repr=False)
    error: ImageToMeshError | None = None


@dataclass(frozen=True, slots=True)
class SubjectDetection:
    """How the subject is separated from the image background, and the worker's command.

    `mode` and `tolerance` are the built-in provider's settings Foreground and Tolerance. `box` is
    its box around the subject: left, top, right, and bottom, as fractions of the image's width and
    height; empty without a box.
    """

    blender: tuple[str, ...]
    mode: str = "auto"
    tolerance: float = 0.5
    box: tuple[float, ...] = ()


def box_request(box: tuple[float, ...]) -> dict[str, float]:
    """Return the fields of a worker request for a box around the subject; empty without a box."""
    return dict(zip(BOX, box, strict=True)) if box else {}


def read_facts(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a report that describe the subject, from the worker's answer."""
    return {
        "clear": bool(answer.get("clear")),
        "box": tuple(answer.get("box", (0.0, 0.0, 1.0, 1.0))),
        "cut": tuple(answer.get("cut", ())),
        "subjects": int(answer.get("parts", 1)),
        "brightness": float(answer.get("brightness", 1.0)),
    }


def sent_form(report: ImageReport, provider: Provider[Any]) -> tuple[int, int, str, bool]:
    """Return an image as it will be sent: width and height in pixels, format, whether converted.

    Returns zeros and an empty format if the report has no `info`.
    """
    if report.info is None:
        return 0, 0, "", False
    info, limits = report.info, provider.limits
    width, height = info.width, info.height
    if not provider.is_remote:
        return width, height, info.format, False
    # The Exif orientations that swap width and height.
    if info.orientation in (5, 6, 7, 8):
        width, height = height, width
    factor = min(1.0, limits.max_side / max(width, height))
    is_kept = factor == 1.0 and info.format in provider.formats and report.size <= limits.max_bytes
    format_ = info.format if is_kept else "png" if "png" in provider.formats else "jpeg"
    return round(width * factor), round(height * factor), format_, not is_kept
