# SPDX-License-Identifier: GPL-3.0-or-later
"""Hero: a fine shape with a texture."""

import bpy

settings = bpy.context.scene.image_to_mesh.hunyuan3d
settings.texture = True
settings.use_octree_resolution = True
settings.octree_resolution = 384
settings.num_inference_steps = 20
settings.face_count = 100_000
