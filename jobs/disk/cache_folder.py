# SPDX-License-Identifier: GPL-3.0-or-later
"""The user's folder for data that can be computed again, shared by all processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

NAME = "image_to_mesh-cache"


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the cache folder, which need not exist, and may be deleted at any time."""
    if sys.platform == "win32":
        base = environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / NAME
