# SPDX-License-Identifier: GPL-3.0-or-later
"""Game Asset: the smaller model, with the image as its texture."""

import bpy

settings = bpy.context.scene.image_to_mesh.comfyui
settings.workflow = "hunyuan3d-2.0"
settings.project_image = True
