# SPDX-License-Identifier: GPL-3.0-or-later
"""Game Asset: few faces, with material maps."""

import bpy

settings = bpy.context.scene.image_to_mesh.scenario
settings.use_faceLimit = True
settings.faceLimit = 10_000
