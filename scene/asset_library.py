# SPDX-License-Identifier: GPL-3.0-or-later
"""Register the library folder as an asset library, and write its catalog definitions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import bpy

from ..jobs.disk.plain_files import read_plain, write_whole
from ..jobs.library.asset_metadata import asset_catalog

NAME = "Image to Mesh"
CATALOGS = "blender_assets.cats.txt"
MAX_CATALOG_BYTES = 4 << 20
"""Maximum size in bytes of a catalog file that is read; users may have added catalogs to it."""
CATALOG_HEADER = """\
# This is an Asset Catalog Definition file for Blender.
#
# Empty lines and lines starting with `#` will be ignored.
# The first non-ignored line should be the version indicator.
# Other lines are of the format "UUID:catalog/path/for/assets:simple catalog name"

VERSION 1

"""


def register_folder(root: Path) -> str:
    """Register a folder as an asset library unless it is one already; return the library's name."""
    existing = find_asset_library(root)
    if existing is not None:
        return existing.name
    library = bpy.context.preferences.filepaths.asset_libraries.new(name=NAME, directory=str(root))
    # The default depends on the version: 4.5 shares data between copies, 5.0 links and packs them.
    library.import_method = "APPEND"
    bpy.context.preferences.is_dirty = True
    return library.name


def find_asset_library(root: Path) -> bpy.types.UserAssetLibrary | None:
    """Return the asset library with this folder in Blender's preferences, or None."""
    for library in bpy.context.preferences.filepaths.asset_libraries:
        if library.path and Path(bpy.path.abspath(library.path)).resolve() == root.resolve():
            return library
    return None


def write_catalogs(root: Path, labels: Mapping[str, str]) -> None:
    """Add a catalog for each provider that has none to the library's catalog file.

    Create the file if it is missing; otherwise, its other lines stay. `labels` are the providers'
    labels by ID. Raise OSError if the file cannot be read or written, or UnicodeDecodeError if it
    is not UTF-8.
    """
    root.mkdir(parents=True, exist_ok=True)
    path = root.resolve() / CATALOGS
    exists = os.path.lexists(path)
    text = read_plain(path, MAX_CATALOG_BYTES).decode("utf-8") if exists else CATALOG_HEADER
    known = {line.partition(":")[0].strip() for line in text.splitlines()}
    missing = [asset_catalog(provider, label) for provider, label in labels.items()]
    # The third field is the path in the form that Blender itself gives to new catalogs.
    lines = [
        f"{ident}:{catalog_path}:{catalog_path.replace('/', '-')}\n"
        for ident, catalog_path in missing
        if ident not in known
    ]
    if lines or not exists:
        write_whole(path, (text.rstrip("\n") + "\n" + "".join(lines)).encode())
