# SPDX-License-Identifier: GPL-3.0-or-later
"""Game Asset: few faces and small textures."""

import bpy

settings = bpy.context.scene.image_to_mesh.fal
settings.purpose = "game_asset"
