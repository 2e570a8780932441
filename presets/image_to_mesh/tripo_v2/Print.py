# SPDX-License-Identifier: GPL-3.0-or-later
"""Print: the finest shape, without textures."""

import bpy

settings = bpy.context.scene.image_to_mesh.tripo_v2
settings.model_version = "v3.1-20260211"
settings.texture = False
settings.pbr = False
settings.geometry_quality = "detailed"
