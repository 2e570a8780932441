# SPDX-License-Identifier: GPL-3.0-or-later
"""Draft: the cheapest textured mesh, with few faces."""

import bpy

settings = bpy.context.scene.image_to_mesh.meshy
settings.ai_model = "meshy-t2.5"
