# SPDX-License-Identifier: GPL-3.0-or-later
"""Draft: few steps and small textures, quickly."""

import bpy

settings = bpy.context.scene.image_to_mesh.fal
settings.purpose = "draft"
