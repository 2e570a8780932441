# SPDX-License-Identifier: GPL-3.0-or-later
"""Draft: quick to generate, but coarse."""

import bpy

settings = bpy.context.scene.image_to_mesh.aiml_triposr
settings.mc_resolution = 128
