# SPDX-License-Identifier: GPL-3.0-or-later
"""An empty Blender file at the start of each request, so that requests cannot affect each other."""

from __future__ import annotations

import bpy


def open_empty_file() -> None:
    """Open an empty factory-settings file and forbid scripts that files carry."""
    # wm.read_factory_settings would re-enable every default add-on and takes ten times as long.
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    # Explicit, in case the factory settings of a build differ.
    bpy.context.preferences.filepaths.use_scripts_auto_execute = False
