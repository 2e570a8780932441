# SPDX-License-Identifier: GPL-3.0-or-later
"""Print: a fine shape, without texture where the app can make it."""

import bpy

settings = bpy.context.scene.image_to_mesh.gradio
settings.purpose = "print"
settings.texture = False
