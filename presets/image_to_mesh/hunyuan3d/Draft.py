# SPDX-License-Identifier: GPL-3.0-or-later
"""Draft: a coarse mesh without texture, with little memory."""

import bpy

settings = bpy.context.scene.image_to_mesh.hunyuan3d
settings.use_octree_resolution = True
settings.octree_resolution = 128
