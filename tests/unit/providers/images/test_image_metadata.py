# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata is removed from an image before it is sent; pixels, profile and rotation stay."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from fakes.noted import NOTED, noted_jpeg, notes_in, profile, sample_picture
from PIL import Image, ImageCms, ImageOps

from image_to_mesh.providers import BadImage, clean_picture, read_picture_info
from image_to_mesh.providers._shared.images.tiff_directory import read_directory

FLAVORS: list[tuple[str, dict[str, Any]]] = [
    ("jpeg", {}),
    ("jpeg", {"progressive": True}),
    ("jpeg", {"picture": sample_picture(mode="L"), "with_profile": False}),
    ("jpeg", {"picture": sample_picture(mode="CMYK"), "with_profile": False}),
    ("jpeg", {"restart_marker_blocks": 3}),
    ("jpeg", {"subsampling": 2, "optimize": True}),
    ("png", {}),
    ("png", {"picture": sample_picture(mode="RGBA")}),
    ("png", {"picture": sample_picture(mode="P")}),
    ("png", {"picture": sample_picture(mode="LA")}),
    ("png", {"picture": sample_picture(mode="1")}),
    ("webp", {}),
    ("webp", {"lossless": True}),
    ("webp", {"picture": sample_picture(mode="RGBA")}),
    ("tiff", {}),
    ("tiff", {"picture": sample_picture(mode="RGBA")}),
    ("tiff", {"compression": "tiff_lzw"}),
    ("tiff", {"compression": "tiff_adobe_deflate"}),
    ("tiff", {"compression": "packbits"}),
    ("tiff", {"picture": sample_picture(mode="1"), "compression": "group4"}),
    ("tiff", {"picture": sample_picture(mode="P")}),
    ("tiff", {"big_tiff": True}),
]
NAMES = [f"{name}-{number}" for number, (name, _) in enumerate(FLAVORS)]


def clean(data: bytes) -> bytes:
    """Return what is sent of a picture."""
    done = clean_picture(data, read_picture_info(data, "photo"), "photo")
    assert done is not None
    return done


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    """Return what a viewer decodes."""
    with Image.open(io.BytesIO(data)) as picture:
        return picture.mode, picture.size, picture.tobytes()


@pytest.mark.parametrize(("name", "how"), FLAVORS, ids=NAMES)
def test_metadata_is_removed_and_no_pixel_changes(name: str, how: dict[str, Any]) -> None:
    data = NOTED[name](6, **how)
    assert notes_in(data), "the picture has nothing to take out"
    sent = clean(data)
    assert notes_in(sent) == []
    assert len(sent) < len(data)
    assert pixels(sent) == pixels(data)


@pytest.mark.parametrize("orientation", [None, 1, 3, 6, 8])
@pytest.mark.parametrize("name", NOTED)
def test_orientation_and_color_profile_stay(name: str, orientation: int | None) -> None:
    data = NOTED[name](orientation)
    sent = clean(data)
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(sent))
    assert after.info["icc_profile"] == before.info["icc_profile"] == profile()
    orientation = after.getexif().get(0x0112, 1)
    assert orientation == (orientation or 1)
    assert read_picture_info(sent, "photo").orientation == (orientation or 1)
    assert ImageOps.exif_transpose(after).tobytes() == ImageOps.exif_transpose(before).tobytes()


@pytest.mark.parametrize("name", NOTED)
def test_cleaning_a_second_time_changes_nothing(name: str) -> None:
    sent = clean(NOTED[name](6))
    assert clean(sent) == sent


def test_an_image_without_metadata_is_sent_unchanged() -> None:
    out = io.BytesIO()
    sample_picture().save(out, "png")
    assert clean(out.getvalue()) == out.getvalue()


def test_only_a_color_profile_stays_in_the_profile_segment() -> None:
    """Flashpix, gain maps and motion pictures use the same marker."""
    data = noted_jpeg()
    extra = b"\xff\xe2\0\x10FPXR\0Text-Note"[:18]
    assert notes_in(clean(data[:20] + extra + data[20:])) == []


def test_a_comment_between_the_scans_of_a_progressive_jpeg_goes_too() -> None:
    data = noted_jpeg(progressive=True)
    scans = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    later = data.rindex(b"\xff\xc4", 0, scans[2])
    comment = b"\xff\xfe\0\x0eComment-Note"
    with_comment = data[:later] + comment + data[later:]
    assert pixels(with_comment) == pixels(data)
    sent = clean(with_comment)
    assert notes_in(sent) == []
    assert pixels(sent) == pixels(data)


def test_the_first_of_several_pictures_in_a_file_is_sent() -> None:
    """Phones append films and depth maps, TIFFs and animations have more pages."""
    first, second = sample_picture(), ImageOps.invert(sample_picture())
    for format_, how in (("tiff", {}), ("webp", {"lossless": True}), ("png", {}), ("mpo", {})):
        out = io.BytesIO()
        first.save(out, format_, save_all=True, append_images=[second], **how)
        sent = clean(out.getvalue())
        with Image.open(io.BytesIO(sent)) as picture:
            assert getattr(picture, "n_frames", 1) == 1, format_
            shown = picture.convert("RGB").tobytes()
        with Image.open(io.BytesIO(out.getvalue())) as picture:
            assert shown == picture.convert("RGB").tobytes(), format_


def test_a_tiff_that_could_hide_notes_in_its_pixels_is_converted() -> None:
    out = io.BytesIO()
    sample_picture().save(out, "tiff", compression="jpeg")
    info = read_picture_info(out.getvalue(), "photo")
    assert clean_picture(out.getvalue(), info, "photo") is None


def test_a_tiff_that_names_a_block_of_pixels_many_times_does_not_grow() -> None:
    out = io.BytesIO()
    sample_picture((400, 400)).save(out, "tiff", compression="packbits")
    data = bytearray(out.getvalue())
    found = read_directory(bytes(data))
    for tag, value in ((273, 8), (279, len(data) // 2)):
        field = found.fields[tag]
        assert (field.kind, field.count) == (4, 8)
        data[field.start : field.start + field.size] = value.to_bytes(4, "little") * field.count
    assert clean_picture(bytes(data), read_picture_info(bytes(data), "photo"), "photo") is None


def _decodes(data: bytes) -> bytes | None:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.convert("RGBA").tobytes()
    except Exception:  # noqa: BLE001 - Pillow raises many types for a broken file
        return None


def _mutate(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(changed)) if rng.random() < 0.5 else rng.randrange(120)
        match rng.randrange(4):
            case 0:
                changed[at] = rng.randrange(256)
            case 1:
                del changed[at : at + rng.randrange(1, 9)]
            case 2:
                changed[at:at] = rng.randbytes(rng.randrange(1, 9))
            case 3:
                changed[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", bytes(4), b"\xff\xfe\0\4"))
    return bytes(changed)


@pytest.mark.filterwarnings("ignore")
def test_no_mutation_makes_cleaning_fail_or_spoil_a_picture() -> None:
    rng = random.Random(20)
    pictures = [NOTED[name](6, **how) for name, how in FLAVORS]
    compared = 0
    for number in range(660):
        data = _mutate(rng, pictures[number % len(pictures)])
        try:
            info = read_picture_info(data, "photo")
            sent = clean_picture(data, info, "photo")
        except BadImage:
            continue
        before = _decodes(data)
        if sent is None or before is None:
            continue
        compared += 1
        assert _decodes(sent) == before, f"mutation {number}, {info.format}"
    assert compared > 200


def test_a_wide_profile_survives_in_several_segments() -> None:
    big = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(150_000)
    out = io.BytesIO()
    sample_picture().save(out, "jpeg", icc_profile=big)
    sent = clean(out.getvalue())
    assert Image.open(io.BytesIO(sent)).info["icc_profile"] == big
