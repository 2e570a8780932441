# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that an artist may open: a real photograph, and some that cannot become a mesh."""

from __future__ import annotations

from typing import TYPE_CHECKING

import places
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from pathlib import Path


def photograph(folder: Path, side: int = 1024) -> Path:
    """Write the square middle of the sample photograph at this size."""
    file = folder / "dahlia.jpg"
    with Image.open(places.SAMPLE) as sample:
        cut = (sample.width - sample.height) // 2
        square = sample.crop((cut, 0, cut + sample.height, sample.height))
        square.resize((side, side), Image.Resampling.LANCZOS).save(file, quality=92)
    return file


def plain(folder: Path, name: str, color: tuple[int, ...]) -> Path:
    """Write a picture of one color, with alpha if the color has it."""
    file = folder / name
    Image.new("RGBA" if len(color) == 4 else "RGB", (256, 256), color).save(file)
    return file


def with_dark_corner(folder: Path, name: str, color: tuple[int, ...]) -> Path:
    """Write a picture of one color with a dark corner, so that it is not refused as blank."""
    file = plain(folder, name, color)
    with Image.open(file) as picture:
        picture.paste((0, 0, 0), (0, 0, 64, 64))
        picture.save(file)
    return file


def gray_disc(folder: Path) -> Path:
    """Write a picture of a gray disc with a darker middle on white."""
    file = folder / "gray.png"
    picture = Image.new("L", (512, 512), 255)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((80, 80, 432, 432), fill=130)
    draw.ellipse((180, 180, 332, 332), fill=70)
    picture.save(file)
    return file


def disc(folder: Path, name: str, color: tuple[int, int, int]) -> Path:
    """Write a picture of a disc of this color on white, which stands out as a subject."""
    file = folder / name
    picture = Image.new("RGB", (256, 256), (255, 255, 255))
    ImageDraw.Draw(picture).ellipse((40, 40, 216, 216), fill=color)
    picture.save(file)
    return file


def text_file(folder: Path) -> Path:
    """Write a text file with the name of a picture."""
    file = folder / "letter.png"
    file.write_text("Dear reader,\nthis is no picture.\n", "utf-8")
    return file


def pixels(screenshot: Path) -> bytes:
    """Return a screenshot's pixels, for comparison."""
    with Image.open(screenshot) as shown:
        return shown.convert("RGB").tobytes()


def mean_color(screenshot: Path, left: int, top: int, side: int) -> tuple[float, ...]:
    """Return the mean red, green and blue of a square of a screenshot."""
    with Image.open(screenshot) as shown:
        square = shown.convert("RGB").crop((left, top, left + side, top + side))
        pixel = square.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


def cut(screenshot: Path, place: list[int]) -> None:
    """Crop a screenshot to left, top, right and bottom."""
    with Image.open(screenshot) as shown:
        part = shown.crop((place[0], place[1], place[2], place[3]))
    part.save(screenshot)
