# SPDX-License-Identifier: GPL-3.0-or-later
"""Game Asset: light enough for a game."""

import bpy

settings = bpy.context.scene.image_to_mesh.aiml_triposr
settings.mc_resolution = 192
