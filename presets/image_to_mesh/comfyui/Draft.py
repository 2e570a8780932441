# SPDX-License-Identifier: GPL-3.0-or-later
"""Draft: the smaller model, and the shape alone."""

import bpy

settings = bpy.context.scene.image_to_mesh.comfyui
settings.workflow = "hunyuan3d-2.0"
settings.project_image = False
