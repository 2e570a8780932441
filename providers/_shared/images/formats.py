# SPDX-License-Identifier: GPL-3.0-or-later
"""The known image formats: detects them, reads headers, and removes metadata."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import BadImage
from ..messages import Message
from .bmp import clean_bmp, is_bmp, profile_of_bmp, read_bmp
from .jpeg import clean_jpeg, is_jpeg, jpeg_with_profile, profile_of_jpeg, read_jpeg
from .limits import PictureLimits
from .other_formats import (
    is_jp2,
    is_targa,
    name_of,
    read_exr,
    read_hdr,
    read_jp2,
    read_sgi,
    read_targa,
)
from .png import clean_png, is_png, png_with_profile, profile_of_png, read_png
from .tiff import clean_tiff, is_tiff, profile_of_tiff, read_tiff
from .values import AGAIN, DAMAGED, USE, CannotClean, PictureInfo
from .webp import clean_webp, is_webp, profile_of_webp, read_webp

RGB = b"RGB "
"""The only color space whose profiles are kept, by its name in a profile's header."""
COLORS = slice(16, 20)


@dataclass(frozen=True, slots=True)
class Format:
    """An image format: its title, and functions to detect, read and clean a file.

    `profile` returns the color profile. It is None, as is `clean`, for formats that no service
    accepts.
    """

    title: str
    matches: Callable[[bytes], bool]
    read: Callable[[bytes], PictureInfo]
    clean: Callable[[bytes, PictureInfo], bytes] | None = None
    profile: Callable[[bytes], bytes] | None = None


FORMATS = (
    Format("PNG", is_png, read_png, clean_png, profile_of_png),
    Format("JPEG", is_jpeg, read_jpeg, clean_jpeg, profile_of_jpeg),
    Format("WebP", is_webp, read_webp, clean_webp, profile_of_webp),
    Format("BMP", is_bmp, read_bmp, lambda data, _: clean_bmp(data), profile_of_bmp),
    Format("TIFF", is_tiff, read_tiff, clean_tiff, profile_of_tiff),
    Format("OpenEXR", lambda data: data.startswith(b"\x76\x2f\x31\x01"), read_exr),
    Format("HDR", lambda data: data.startswith((b"#?RADIANCE", b"#?RGBE")), read_hdr),
    Format("JPEG 2000", is_jp2, read_jp2),
    Format("SGI", lambda data: data.startswith((b"\x01\xda\0", b"\x01\xda\1")), read_sgi),
    # Last: older Targa files have no signature, so other formats could be taken for one.
    Format("Targa", is_targa, read_targa),
)


def read_picture_info(data: bytes, name: str) -> PictureInfo:
    """Return the format, size and orientation of an image file, from its header.

    Raises BadImage, with `name` in the message, if the file is empty, damaged, truncated, not an
    image, or of an unsupported format.
    """
    if not data:
        raise BadImage(Message("{name} is empty (0 bytes).", name=name), AGAIN)
    found = _format_of(data)
    if found is not None:
        try:
            info = found.read(data)
        except DAMAGED as error:
            raise BadImage(_damage_message(name, found), AGAIN) from error
        if info.width < 1 or info.height < 1:
            raise BadImage(Message("{name} has no pixels.", name=name), AGAIN)
        return info
    kind = name_of(data)
    if kind:
        raise BadImage(
            Message("{name} is {what}, which is not supported.", name=name, what=kind), USE
        )
    raise BadImage(Message("{name} is not an image file.", name=name), USE)


def clean_picture(data: bytes, info: PictureInfo, name: str) -> bytes | None:
    """Return an image with all metadata removed, except for orientation and color profile.

    The pixels are copied without decoding. Returns None if the metadata cannot be removed that way,
    as in formats that no service accepts. Raises BadImage if the file is damaged.
    """
    found = _format_of(data)
    if found is None or found.clean is None:
        return None
    try:
        return found.clean(data, info)
    except CannotClean:
        return None
    except DAMAGED as error:
        raise BadImage(_damage_message(name, found), AGAIN) from error


def copy_profile(picture: bytes, original: bytes) -> bytes:
    """Return a converted image, PNG or JPEG, with the color profile of the original.

    The conversion keeps the pixel values, so without the profile they would be shown as different
    colors. If the original has no RGB profile, or `picture` has another format, return `picture`
    unchanged.
    """
    profile = _profile_of(original)
    if not profile:
        return picture
    if is_png(picture):
        return png_with_profile(picture, profile)
    return jpeg_with_profile(picture, profile) if is_jpeg(picture) else picture


def _profile_of(data: bytes) -> bytes:
    """Return the ICC profile of a file if it is for RGB, else empty bytes."""
    found = _format_of(data)
    try:
        profile = found.profile(data) if found and found.profile else b""
    except DAMAGED:
        return b""
    # 128 bytes is a profile's header. Gray and CMYK profiles do not fit converted RGB pixels.
    return profile if len(profile) >= 128 and profile[COLORS] == RGB else b""


def check_picture(info: PictureInfo, size: int, limits: PictureLimits, name: str) -> None:
    """Raise BadImage if an image with a file of `size` bytes is not within the limits."""
    width, height = info.width, info.height
    shown = {"name": name, "width": width, "height": height}
    if min(width, height) < limits.min_side:
        raise BadImage(
            Message("{name} is {width} × {height} pixels, which is too small.", **shown),
            Message("Use an image of at least {side} × {side} pixels.", side=limits.min_side),
        )
    if max(width, height) > limits.max_side:
        raise BadImage(
            Message("{name} is {width} × {height} pixels, which is too large.", **shown),
            Message(
                "Scale it down to at most {side} pixels on its longer side.", side=limits.max_side
            ),
        )
    if size > limits.max_bytes:
        raise BadImage(
            Message("{name} is {size} MB, which is too large.", name=name, size=_millions(size)),
            Message("Save it as a file of at most {size} MB.", size=_millions(limits.max_bytes)),
        )


def _format_of(data: bytes) -> Format | None:
    return next((format_ for format_ in FORMATS if format_.matches(data)), None)


def _damage_message(name: str, found: Format) -> Message:
    return Message("{name} is damaged or incomplete ({format}).", name=name, format=found.title)


def _millions(size: int) -> str:
    return f"{size / 1e6:.0f}"
