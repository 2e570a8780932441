# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry as arrays: reading, writing, orientation, topology, merging vertices."""
