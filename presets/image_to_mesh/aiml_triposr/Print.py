# SPDX-License-Identifier: GPL-3.0-or-later
"""Print: the highest resolution that the model offers, without the image's background."""

import bpy

settings = bpy.context.scene.image_to_mesh.aiml_triposr
settings.mc_resolution = 320
settings.use_do_remove_background = True
settings.do_remove_background = True
