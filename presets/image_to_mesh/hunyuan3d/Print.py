# SPDX-License-Identifier: GPL-3.0-or-later
"""Print: the finest shape, without texture."""

import bpy

settings = bpy.context.scene.image_to_mesh.hunyuan3d
settings.use_octree_resolution = True
settings.octree_resolution = 512
settings.num_inference_steps = 20
