# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports the worker without the root package, as its own process does."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

NAME = "image_to_mesh_background"
_FOLDER = Path(__file__).resolve().parents[2] / "worker"


def load(module: str) -> ModuleType:
    """Import a module of the package by its dotted name within it, such as "local.outline"."""
    if NAME not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            NAME, _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
        )
        assert spec is not None
        assert spec.loader is not None
        package = importlib.util.module_from_spec(spec)
        sys.modules[NAME] = package
        spec.loader.exec_module(package)
    return importlib.import_module(f"{NAME}.{module}")
