# SPDX-License-Identifier: GPL-3.0-or-later
"""Mark a model as an asset whose metadata records where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bpy


def mark_asset(root: bpy.types.Object, about: Mapping[str, Any]) -> None:
    """Mark the root object as an asset.

    `about` may have `catalog` (a UUID), `author`, `description`, `license`, `tags`, and
    `properties` (custom properties of the asset).
    """
    root.asset_mark()
    data = root.asset_data
    if "catalog" in about:
        data.catalog_id = about["catalog"]
    for name in ("author", "description", "license"):
        setattr(data, name, about.get(name, ""))
    for tag in dict.fromkeys(about.get("tags", ())):
        data.tags.new(tag, skip_if_exists=True)
    for name, value in about.get("properties", {}).items():
        data[name] = value
