# SPDX-License-Identifier: GPL-3.0-or-later
"""Print: the finest shape, without textures."""

import bpy

settings = bpy.context.scene.image_to_mesh.scenario
settings.texture = False
settings.pbr = False
settings.geometryQuality = "detailed"
