# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's own modules, by their names within the add-on."""

from __future__ import annotations

from importlib import import_module
from typing import Any

ADDON = "bl_ext.user_default.image_to_mesh"


def addon_module(name: str) -> Any:
    """Import a module of the enabled add-on, such as `jobs.library`."""
    return import_module(f"{ADDON}.{name}")
