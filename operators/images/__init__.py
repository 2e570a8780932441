# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators on the images that meshes are made of: choosing and editing them."""
