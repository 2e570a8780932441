# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh file becomes model.blend: imported, cleaned up, packed, with a preview."""
