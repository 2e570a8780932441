# SPDX-License-Identifier: GPL-3.0-or-later
"""Hero: as fine as the model can."""

import bpy

settings = bpy.context.scene.image_to_mesh.aiml_triposr
settings.mc_resolution = 320
