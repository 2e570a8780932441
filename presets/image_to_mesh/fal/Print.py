# SPDX-License-Identifier: GPL-3.0-or-later
"""Print: many faces."""

import bpy

settings = bpy.context.scene.image_to_mesh.fal
settings.purpose = "print"
