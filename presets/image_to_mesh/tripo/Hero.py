# SPDX-License-Identifier: GPL-3.0-or-later
"""Hero: the finest shape and HD textures, at an extra price."""

import bpy

settings = bpy.context.scene.image_to_mesh.tripo
settings.texture_quality = "detailed"
settings.geometry_quality = "detailed"
