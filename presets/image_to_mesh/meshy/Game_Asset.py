# SPDX-License-Identifier: GPL-3.0-or-later
"""Game Asset: few faces with clean topology, with material maps."""

import bpy

settings = bpy.context.scene.image_to_mesh.meshy
settings.ai_model = "meshy-t2.5"
settings.enable_pbr = True
settings.use_target_polycount = True
settings.target_polycount = 10_000
