# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in the background Blender, out of the artist's way."""
