# SPDX-License-Identifier: GPL-3.0-or-later
"""Print: the finest shape, without textures."""

import bpy

settings = bpy.context.scene.image_to_mesh.meshy
settings.geometry_resolution = "4k"
settings.should_texture = False
