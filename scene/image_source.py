# SPDX-License-Identifier: GPL-3.0-or-later
"""Images from Blender: a file's own bytes unchanged, everything else encoded as PNG.

All bpy data is read here, on the main thread; the job's thread does the encoding.
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
from ..worker.names import short_name
from .clipboard import load_image_bytes

HEAD = 16
"""Number of bytes at the start of a file that identify its format."""
# Formats that jobs can handle, HEIC among them. Blender reads more, such as Targa: those are
# encoded. A movie starts like HEIC, but has another source.
SENT_UNCHANGED = re.compile(
    rb"\x89PNG|\xff\xd8\xff|RIFF....WEBP|....ftyp|BM|II[*+]\0|MM\0[*+]|\x76\x2f\x31\x01|#\?R",
    re.DOTALL,
)
RENDER_NAMES = {"RENDER_RESULT": "Render", "COMPOSITING": "Viewer"}
"""Names for copies of renders, by the type of the image."""
PNG_SETTINGS = {
    "media_type": "IMAGE",
    "file_format": "PNG",
    "color_mode": "RGBA",
    "color_depth": "8",
    "compression": 0,
}


def picture_source(image: bpy.types.Image, view: str = "front") -> PictureSource:
    """Return a source from which the job's thread gets the image's file, or a PNG of its pixels.

    For a UDIM image, this is the active tile; for a sequence, the current frame. Raise BadImage for
    movies, images with layers or without pixels, empty renders, unsaved tiles, and files that are
    missing or cannot be read.
    """
    name = picture_name(image)
    if image.source == "MOVIE":
        raise BadImage(
            Message("“{image}” is a movie.", image=readable_name(image)),
            "Save one frame of it as an image.",
        )
    if image.type == "MULTILAYER":
        raise BadImage(
            Message("“{image}” has several layers.", image=readable_name(image)),
            "Save one of them as an image.",
        )
    # Python cannot read the pixels of a render, so Blender has to write them to a file.
    if image.source == "VIEWER":
        rendered = _save_render(image)
        return PictureSource(name, view, lambda: rendered)
    if image.source == "TILED":
        return _tile_source(image, name, view)
    # Painted strokes are in the buffer alone: both the file and the packed bytes lack them.
    if image.is_dirty:
        return _encode_later(image, name, view)
    if image.packed_file:
        packed = bytes(image.packed_file.data)
        is_sent = SENT_UNCHANGED.match(packed)
        return (
            PictureSource(name, view, lambda: packed)
            if is_sent
            else _encode_later(image, name, view)
        )
    if image.source == "GENERATED":
        return _encode_later(image, name, view)
    path = _file_of(image)
    is_sent = SENT_UNCHANGED.match(_head(path))
    return (
        PictureSource(name, view, path.read_bytes) if is_sent else _encode_later(image, name, view)
    )


def copy_render(image: bpy.types.Image) -> bpy.types.Image:
    """Return a packed copy of a render as it is now; raise BadImage if it is empty.

    Later renders do not change the copy. Unlike a render, it has a preview in Blender.
    """
    copy = load_image_bytes(_save_render(image), picture_name(image))
    copy.preview_ensure()
    return copy


def picture_name(image: bpy.types.Image) -> str:
    """Return a short name for results of the image, without folder or extension; never empty."""
    if image.type in RENDER_NAMES:
        return RENDER_NAMES[image.type]
    name = Path(readable_name(image).replace("\\", "/")).name
    for path in (Path(name), Path(re.sub(r"\.\d{3,}$", "", name))):  # "photo.png.001" too
        if path.suffix.lower() in bpy.path.extensions_image:
            name = path.stem
    return short_name(name) or "picture"


def _tile_source(image: bpy.types.Image, name: str, view: str) -> PictureSource:
    """Return a source of the active tile, which is the one that is selected in the Image Editor.

    Raise BadImage if tiles have unsaved changes, or the tile's file is missing or cannot be read.
    """
    number = (image.tiles.active or image.tiles[0]).number
    packed = [packed for packed in image.packed_files if packed.tile_number == number]
    if packed and not image.is_dirty:
        data = bytes(packed[0].packed_file.data)
        if SENT_UNCHANGED.match(data):
            return PictureSource(name, view, lambda: data)
        return _encode_tile(load_image_bytes(data, image.name), name, view)
    if image.is_dirty or not image.filepath:
        raise BadImage(
            Message("The tiles of “{image}” are not saved.", image=readable_name(image)),
            "Save the image in the Image Editor.",
        )
    path = _existing_file(image, tile_path(_absolute_path(image), number))
    if SENT_UNCHANGED.match(_head(path)):
        return PictureSource(name, view, path.read_bytes)
    return _encode_tile(bpy.data.images.load(str(path)), name, view)


def _encode_tile(tile: bpy.types.Image, name: str, view: str) -> PictureSource:
    """Return a source that encodes `tile`, a UDIM tile loaded as a separate image; remove `tile`.

    The UDIM image itself gives access only to the pixels of its first tile.
    """
    try:
        return _encode_later(tile, name, view)
    finally:
        bpy.data.images.remove(tile)


def tile_path(path: Path, number: int) -> Path:
    """Return `path` with Blender's token for a UDIM tile replaced by the tile's number.

    The token is <UDIM> or <UVTILE>.
    """
    column, row = (number - 1001) % 10, (number - 1001) // 10
    named = path.name.replace("<UDIM>", str(number))
    return path.with_name(named.replace("<UVTILE>", f"u{column + 1}_v{row + 1}"))


def _absolute_path(image: bpy.types.Image) -> Path:
    return Path(bpy.path.abspath(image.filepath, library=image.library))


def _file_of(image: bpy.types.Image) -> Path:
    path = _absolute_path(image)
    if image.source == "SEQUENCE":
        path = _frame_of(path, bpy.context.scene.frame_current)
    return _existing_file(image, path)


def _existing_file(image: bpy.types.Image, path: Path) -> Path:
    if path.is_file():
        return path
    raise BadImage(
        Message("The file of “{image}” is missing: {path}.", image=readable_name(image), path=path),
        "Restore the file, or open another image.",
    )


def _frame_of(path: Path, frame: int) -> Path:
    """Return the sequence's file for `frame`, or `path` if there is no such file."""
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
            "Open another image.",
        ) from error


def _encode_later(image: bpy.types.Image, name: str, view: str) -> PictureSource:
    """Copy the pixels, and return a source that encodes them as PNG when the job reads it.

    Raise BadImage if the image has no pixels.
    """
    if min(image.size) < 1 or image.channels < 1:
        raise BadImage(
            Message("“{image}” has no pixels.", image=readable_name(image)), "Open another image."
        )
    width, height = image.size
    # array and not numpy: importing numpy would block the main thread for a quarter of a second.
    values = array("f", bytes(4 * width * height * image.channels))
    image.pixels.foreach_get(values)
    space = image.colorspace_settings
    is_linear = not space.is_data and (image.is_float or space.name.startswith("Linear"))
    # Byte buffers hold straight alpha. Float buffers hold associated alpha, unless the channels are
    # independent of each other (CHANNEL_PACKED).
    is_associated = image.is_float and image.alpha_mode in ("STRAIGHT", "PREMUL")
    has_alpha = image.alpha_mode != "NONE"
    copied = (values, width, height, image.channels, is_linear, is_associated, has_alpha)

    def read() -> bytes:
        from .png_encoding import ImageCopy, encode_copy

        return encode_copy(ImageCopy(*copied))

    return PictureSource(name, view, read)


def _save_render(image: bpy.types.Image) -> bytes:
    """Return the render as a PNG file, with the scene's view transform applied.

    Raise BadImage if the render is empty.
    """
    scene = bpy.context.scene
    with tempfile.TemporaryDirectory() as folder, _png_settings(scene.render.image_settings):
        path = Path(folder, "render.png")
        try:
            image.save_render(str(path), scene=scene)
        except RuntimeError as error:
            raise BadImage(
                Message("“{image}” is empty.", image=readable_name(image)), "Render first (F12)."
            ) from error
        return path.read_bytes()


@contextmanager
def _png_settings(settings: bpy.types.ImageFormatSettings) -> Iterator[None]:
    """Set the scene's image format to 8-bit PNG while the block runs, and restore it afterwards.

    `media_type`, new in 5.0, determines which file formats are available, so it is set first both
    times. Color depth and mode depend on the format.
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
