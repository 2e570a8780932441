# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows: draw() reads what there is and lays rows. No IO, no writes."""

from __future__ import annotations

import bpy

from . import care, placement, sidebar

register, unregister = bpy.utils.register_classes_factory(
    (*sidebar.classes, *placement.classes, *care.classes)
)
