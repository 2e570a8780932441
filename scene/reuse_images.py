# SPDX-License-Identifier: GPL-3.0-or-later
"""Load a job's images back into Blender, packed, since the job's folder may be deleted."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..jobs.custom_properties import DIGEST


def load_job_image(path: Path, name: str, digest: str) -> bpy.types.Image:
    """Return the file as a packed image; reuse one with the same digest that was not painted on.

    Raise RuntimeError if Blender cannot open the file.
    """
    for image in bpy.data.images:
        # An image that was painted on since is no longer what the job used.
        if image.get(DIGEST) == digest and image.packed_file and not image.is_dirty:
            return image
    image = bpy.data.images.load(str(path))
    image.name = name
    image.pack()
    # Unpacking would otherwise write to the job's folder. Not `filepath`, which would reload it.
    image.filepath_raw = f"//{path.name}"
    for packed in image.packed_files:
        packed.filepath = image.filepath_raw
    image[DIGEST] = digest
    return image
