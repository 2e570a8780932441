# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, which runs the add-on's jobs without a window. Nothing here imports bpy."""

from __future__ import annotations

from .entry import BlenderHost, main

__all__ = ("BlenderHost", "main")
