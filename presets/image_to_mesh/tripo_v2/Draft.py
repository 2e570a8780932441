# SPDX-License-Identifier: GPL-3.0-or-later
"""Draft: the cheapest settings that still show the shape."""

import bpy

settings = bpy.context.scene.image_to_mesh.tripo_v2
settings.pbr = False
settings.use_face_limit = True
settings.face_limit = 10_000
