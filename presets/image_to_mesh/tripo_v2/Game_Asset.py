# SPDX-License-Identifier: GPL-3.0-or-later
"""Game Asset: few faces, with material maps."""

import bpy

settings = bpy.context.scene.image_to_mesh.tripo_v2
settings.use_face_limit = True
settings.face_limit = 10_000
