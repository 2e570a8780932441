# SPDX-License-Identifier: GPL-3.0-or-later
"""Hero: the finest shape and 4K textures with material maps, at extra cost."""

import bpy

settings = bpy.context.scene.image_to_mesh.meshy
settings.geometry_resolution = "4k"
settings.texture_resolution = "4k"
settings.enable_pbr = True
