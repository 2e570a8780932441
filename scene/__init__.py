# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's data: images out of it, meshes into it.

This file is cheap to import; numpy and the worker's code are imported by the room's other files.
"""

from __future__ import annotations

import bpy

from .. import jobs

__all__ = ("background_command",)


def background_command() -> tuple[str, ...]:
    """Return the command that starts the background Blender.

    It runs this Blender's program, or this Python if Blender is loaded in it as the module `bpy`.
    Add-ons, preferences, and scripts in files are not loaded.
    """
    binary = bpy.app.binary_path
    return jobs.blender_command(binary) if binary else jobs.module_command()
