# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the person's language, by Blender's own translation system.

Blender translates what it draws itself: titles, tooltips, labels that are one known text. What is
put together of parts, or broken into lines, is translated here first.
"""

from __future__ import annotations

import bpy

CONTEXT = "*"


def tr(text: str) -> str:
    """Return a text of the interface in the person's language; itself where none is known."""
    return str(bpy.app.translations.pgettext_iface(text, CONTEXT))
