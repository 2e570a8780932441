# SPDX-License-Identifier: GPL-3.0-or-later
"""Hero: the finest shape and HD textures, which cost extra."""

import bpy

settings = bpy.context.scene.image_to_mesh.tripo
settings.texture_quality = "detailed"
settings.geometry_quality = "detailed"
