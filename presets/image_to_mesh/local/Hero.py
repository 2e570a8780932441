# SPDX-License-Identifier: GPL-3.0-or-later
"""Hero: detailed enough for close-ups."""

import bpy

settings = bpy.context.scene.image_to_mesh.local
settings.face_count = 200_000
settings.texture_size = 4096
settings.smoothness = 0.15
