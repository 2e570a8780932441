# SPDX-License-Identifier: GPL-3.0-or-later
"""Game Asset: few faces, with a texture."""

import bpy

settings = bpy.context.scene.image_to_mesh.hunyuan3d
settings.texture = True
settings.face_count = 10_000
