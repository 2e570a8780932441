# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: the same jobs and providers without a window. Nothing here imports bpy."""

from __future__ import annotations

from .entry import BlenderHost, main

__all__ = ("BlenderHost", "main")
