# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks on glTF and GLB files: buffers, accessors, nodes, URIs, and text encoding."""
