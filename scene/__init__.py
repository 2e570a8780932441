# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's data: pictures out of it, meshes into it, and the background Blender.

Light to import: what needs numpy or the background Blender's code lies in the files of this room.
"""

from __future__ import annotations

import bpy

from .. import jobs

__all__ = ("background_command",)


def background_command() -> tuple[str, ...]:
    """Return the command that starts the background Blender: this very Blender, or `bpy`'s Python.

    It runs with factory settings: no add-ons, no preferences, no scripts out of files.
    """
    binary = bpy.app.binary_path
    return jobs.blender_command(binary) if binary else jobs.module_command()
