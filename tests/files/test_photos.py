# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones' photos from public packages are opened upright, or refused in one sentence."""

from __future__ import annotations

import pytest

import samples
from image_to_mesh.jobs.steps.system_decoders import decode_if_needed
from image_to_mesh.providers import BadImage, read_picture_info

PHONES = {"arrow.heic": (3024, 4032), "pug.heic": (4032, 3024), "xiaomi.heic": (2592, 1944)}
LEAST_OPENED = 40


@pytest.mark.timeout(600)
def test_every_photo_is_opened_or_refused() -> None:
    opened: dict[str, tuple[int, int]] = {}
    refused: dict[str, str] = {}
    for photo in samples.photos():
        try:
            data = decode_if_needed(photo.read_bytes(), photo.name)
            info = read_picture_info(data, photo.name)
        except BadImage as error:
            refused[photo.name] = str(error)
            continue
        assert (info.format, info.orientation) == ("png", 1), photo.name
        opened[photo.name] = (info.width, info.height)
    print(f"\n{len(opened)} photos opened; refused: {refused}")
    assert len(opened) >= LEAST_OPENED
    assert {name: opened.get(name) for name in PHONES} == PHONES
