# SPDX-License-Identifier: GPL-3.0-or-later
"""Draft: the cheapest settings that still show the shape."""

import bpy

settings = bpy.context.scene.image_to_mesh.scenario
settings.pbr = False
settings.use_faceLimit = True
settings.faceLimit = 10_000
