# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's pictures back into Blender: packed, because the job's folder may be deleted some day."""

from __future__ import annotations

from pathlib import Path

import bpy

DIGEST = "image_to_mesh_sha256"


def picture_again(path: Path, name: str, digest: str) -> bpy.types.Image:
    """Return the file as an image of that name; the one of an earlier time, if it is there still.

    May raise RuntimeError for a file that Blender cannot open.
    """
    for image in bpy.data.images:
        if image.get(DIGEST) == digest and image.packed_file and not image.is_dirty:
            return image
    image = bpy.data.images.load(str(path))
    image.name = name
    image.pack()
    image.filepath_raw = f"//{path.name}"
    for packed in image.packed_files:
        packed.filepath = image.filepath_raw
    image[DIGEST] = digest
    return image
