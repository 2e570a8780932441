# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures out of Blender: a file's own bytes untouched, everything else as PNG.

All of bpy is read here, on the main thread; encoding waits for the job's thread.
"""

from __future__ import annotations

import re
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy

from ..jobs import PictureSource
from ..providers import BadImage, Message, os_reason
from ..providers._shared.untrusted_text import readable_name
from ..worker.names import clear_name

HEAD = 16
# PNG, JPEG, WebP, BMP, TIFF, OpenEXR, HDR: what providers know. Blender reads more, such as Targa.
SENT_AS_THEY_ARE = re.compile(
    rb"\x89PNG|\xff\xd8\xff|RIFF....WEBP|BM|II[*+]\0|MM\0[*+]|\x76\x2f\x31\x01|#\?R", re.DOTALL
)
REFUSED = {
    "MOVIE": ("{image} is a movie.", "Save one frame of it as a picture."),
    "TILED": ("{image} is a UDIM image of several tiles.", "Save one tile as a picture."),
}
PNG_SETTINGS = {
    "media_type": "IMAGE",
    "file_format": "PNG",
    "color_mode": "RGBA",
    "color_depth": "8",
    "compression": 0,
}


def picture_source(image: bpy.types.Image, view: str = "front") -> PictureSource:
    """Return the image as the bytes of a picture file, to be read on the job's thread.

    Raise BadImage if it cannot be one picture: a movie, tiles, layers, no pixels, a missing file.
    """
    name = picture_name(image)
    if image.source in REFUSED:
        what, hint = REFUSED[image.source]
        raise BadImage(Message(what, image=readable_name(image)), hint)
    if image.type == "MULTILAYER":
        raise BadImage(
            Message("{image} has several layers.", image=readable_name(image)),
            "Save one layer of it as a picture.",
        )
    if image.source == "VIEWER":
        rendered = _rendered(image)
        return PictureSource(name, view, lambda: rendered)
    if image.is_dirty:
        return _encoded(image, name, view)
    if image.packed_file:
        packed = bytes(image.packed_file.data)
        is_sent = SENT_AS_THEY_ARE.match(packed)
        return PictureSource(name, view, lambda: packed) if is_sent else _encoded(image, name, view)
    if image.source == "GENERATED":
        return _encoded(image, name, view)
    path = _file_of(image)
    is_sent = SENT_AS_THEY_ARE.match(_head(path))
    return PictureSource(name, view, path.read_bytes) if is_sent else _encoded(image, name, view)


def picture_name(image: bpy.types.Image) -> str:
    """Return a short clear name for what is made of the image: no folder, no extension."""
    name = Path(readable_name(image).replace("\\", "/")).name
    for path in (Path(name), Path(re.sub(r"\.\d{3,}$", "", name))):  # "photo.png.001" too
        if path.suffix.lower() in bpy.path.extensions_image:
            name = path.stem
    return clear_name(name) or "picture"


def _file_of(image: bpy.types.Image) -> Path:
    path = Path(bpy.path.abspath(image.filepath, library=image.library))
    if image.source == "SEQUENCE":
        path = _frame_of(path, bpy.context.scene.frame_current)
    if path.is_file():
        return path
    raise BadImage(
        Message("The file of {image} is missing: {path}", image=readable_name(image), path=path),
        "Find it, or open another one.",
    )


def _frame_of(path: Path, frame: int) -> Path:
    """Return the sequence's file for `frame`; the file that it names, if there is none."""
    digits = re.search(r"\d+(?=\D*$)", path.name)
    if digits is None:
        return path
    number = str(frame).zfill(len(digits[0]))
    wanted = path.with_name(path.name[: digits.start()] + number + path.name[digits.end() :])
    return wanted if wanted.is_file() else path


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise BadImage(
            Message("{path} cannot be read: {reason}.", path=path, reason=os_reason(error)),
            "Open another one.",
        ) from error


def _encoded(image: bpy.types.Image, name: str, view: str) -> PictureSource:
    """Copy the pixels now; make a PNG of them when the job asks."""
    if min(image.size) < 1 or image.channels < 1:
        raise BadImage(
            Message("{image} has no pixels.", image=readable_name(image)), "Open another picture."
        )
    width, height = image.size
    values = array("f", bytes(4 * width * height * image.channels))
    image.pixels.foreach_get(values)
    space = image.colorspace_settings
    is_linear = not space.is_data and (image.is_float or space.name.startswith("Linear"))
    is_associated = image.is_float and image.alpha_mode in ("STRAIGHT", "PREMUL")
    has_alpha = image.alpha_mode != "NONE"
    copied = (values, width, height, image.channels, is_linear, is_associated, has_alpha)

    def read() -> bytes:
        from .png_encoding import Copied, png_of

        return png_of(Copied(*copied))

    return PictureSource(name, view, read)


def _rendered(image: bpy.types.Image) -> bytes:
    """Save the render as the artist sees it, with the scene's view transform."""
    scene = bpy.context.scene
    with tempfile.TemporaryDirectory() as folder, _saved_as_png(scene.render.image_settings):
        path = Path(folder, "render.png")
        try:
            image.save_render(str(path), scene=scene)
        except RuntimeError as error:
            raise BadImage(
                Message("{image} is empty.", image=readable_name(image)), "Render first (F12)."
            ) from error
        return path.read_bytes()


@contextmanager
def _saved_as_png(settings: bpy.types.ImageFormatSettings) -> Iterator[None]:
    """Set the scene's image format to 8-bit PNG while the block runs.

    `media_type` is there since 5.0; it decides which file formats can be set, so it comes first
    both times, and depth and color mode follow the format.
    """
    names = [name for name in PNG_SETTINGS if hasattr(settings, name)]
    before = {name: getattr(settings, name) for name in names}
    try:
        for name in names:
            setattr(settings, name, PNG_SETTINGS[name])
        yield
    finally:
        for name in names:
            setattr(settings, name, before[name])
