# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawings in the 3D Viewport: placeholders of meshes that are being generated."""
