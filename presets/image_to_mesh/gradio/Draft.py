# SPDX-License-Identifier: GPL-3.0-or-later
"""Draft: a coarse mesh with small textures, quickly."""

import bpy

settings = bpy.context.scene.image_to_mesh.gradio
settings.purpose = "draft"
