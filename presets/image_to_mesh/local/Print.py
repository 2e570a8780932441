# SPDX-License-Identifier: GPL-3.0-or-later
"""Print: ten centimeters tall, and smooth."""

import bpy

settings = bpy.context.scene.image_to_mesh.local
settings.face_count = 200_000
settings.height = 0.1
settings.smoothness = 0.4
