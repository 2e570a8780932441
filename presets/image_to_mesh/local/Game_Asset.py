# SPDX-License-Identifier: GPL-3.0-or-later
"""Game Asset: light enough for a game."""

import bpy

settings = bpy.context.scene.image_to_mesh.local
settings.face_count = 8000
settings.texture_size = 1024
