# SPDX-License-Identifier: GPL-3.0-or-later
"""The library as one of Blender's asset libraries: its folder, and the catalogs of its services."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import bpy

from ..jobs.disk.plain_files import read_plain, write_whole
from ..jobs.library.asset_metadata import asset_catalog

NAME = "Image to Mesh"
CATALOGS = "blender_assets.cats.txt"
MOST = 4 << 20
"""Bytes of that file, at most."""
HEAD = """\
# This is an Asset Catalog Definition file for Blender.
#
# Empty lines and lines starting with `#` will be ignored.
# The first non-ignored line should be the version indicator.
# Other lines are of the format "UUID:catalog/path/for/assets:simple catalog name"

VERSION 1

"""


def register_folder(root: Path) -> str:
    """Make the folder one of Blender's asset libraries, if it is none yet; return its name."""
    found = registered(root)
    if found is not None:
        return found.name
    made = bpy.context.preferences.filepaths.asset_libraries.new(name=NAME, directory=str(root))
    made.import_method = "APPEND"
    bpy.context.preferences.is_dirty = True
    return made.name


def registered(root: Path) -> bpy.types.UserAssetLibrary | None:
    """Return the asset library of this folder, or None."""
    for library in bpy.context.preferences.filepaths.asset_libraries:
        if library.path and Path(bpy.path.abspath(library.path)).resolve() == root.resolve():
            return library
    return None


def write_catalogs(root: Path, labels: Mapping[str, str]) -> None:
    """Name the catalogs of providers, by id; those that people made themselves stay.

    May raise OSError.
    """
    root.mkdir(parents=True, exist_ok=True)
    path = root.resolve() / CATALOGS
    there = os.path.lexists(path)
    text = read_plain(path, MOST).decode("utf-8") if there else HEAD
    known = {line.partition(":")[0].strip() for line in text.splitlines()}
    missing = [asset_catalog(provider, label) for provider, label in labels.items()]
    lines = [
        f"{ident}:{place}:{place.replace('/', '-')}\n"
        for ident, place in missing
        if ident not in known
    ]
    if lines or not there:
        write_whole(path, (text.rstrip("\n") + "\n" + "".join(lines)).encode())
