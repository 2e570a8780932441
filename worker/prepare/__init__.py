# SPDX-License-Identifier: GPL-3.0-or-later
"""From a mesh file to `model.blend`: import, cleanup, packed textures, preview, asset data."""
