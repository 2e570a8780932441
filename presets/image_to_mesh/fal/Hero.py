# SPDX-License-Identifier: GPL-3.0-or-later
"""Hero: a fine mesh with large textures."""

import bpy

settings = bpy.context.scene.image_to_mesh.fal
settings.purpose = "hero"
