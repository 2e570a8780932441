# SPDX-License-Identifier: GPL-3.0-or-later
"""Draft: quick to generate, and small."""

import bpy

settings = bpy.context.scene.image_to_mesh.local
settings.face_count = 4000
settings.texture_size = 512
