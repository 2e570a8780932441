# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations of operator properties whose values are not kept for the next call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, StringProperty

from ..jobs.disk.file_names import PHOTO_SUFFIXES

PHOTO_GLOB = ";".join(f"*{suffix}" for suffix in PHOTO_SUFFIXES)
HIDDEN = {"HIDDEN", "SKIP_SAVE"}
THUMBNAILS = 3
"""Blender's number of the file browser's thumbnails (FILE_IMGDISPLAY in DNA_space_enums.h)."""


class ImageFiles:
    """Mix-in for operators that take image files, chosen in a file browser or given by a script.

    The file browser reads `filter_…` and `display_type` from the operator that opens it. Files that
    match `filter_glob` are shown in addition to those that Blender recognizes as images.
    """

    filepath: StringProperty(
        name="File",
        description="Image file or https URL",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"},
    )
    directory: StringProperty(
        name="Folder",
        description="Folder that contains the files",
        subtype="DIR_PATH",
        options=HIDDEN,
    )
    files: CollectionProperty(
        name="Files",
        description="Image files to open",
        type=bpy.types.OperatorFileListElement,
        options=HIDDEN,
    )
    filter_image: BoolProperty(
        name="Images", description="Show images", default=True, options=HIDDEN
    )
    filter_glob: StringProperty(default=PHOTO_GLOB, options=HIDDEN)
    filter_folder: BoolProperty(
        name="Folders", description="Show folders", default=True, options=HIDDEN
    )
    display_type: EnumProperty(
        name="Display Type",
        items=[("THUMBNAIL", "Thumbnails", "", THUMBNAILS)],
        options=HIDDEN,
    )

    def is_given(self) -> bool:
        """Return whether the call names files or a folder."""
        return bool(self.files or self.filepath or self.directory)

    def paths(self) -> list[str]:
        """Return the absolute paths of `files` or, if that is empty, of `filepath` alone.

        A URL in `filepath` is returned unchanged.
        """
        named = [file.name for file in self.files if file.name]
        if named:
            return [str(Path(bpy.path.abspath(self.directory), name)) for name in named]
        is_address = "://" in self.filepath
        return [self.filepath if is_address else bpy.path.abspath(self.filepath)]


def argument(name: str, description: str, *, hidden: bool = False) -> Any:
    """Declare a string property whose value is not kept for the next call.

    `hidden` leaves it out of the Adjust Last Operation panel.
    """
    # Without SKIP_SAVE, Blender fills in the value of the previous call, such as another job's ID.
    options = HIDDEN if hidden else {"SKIP_SAVE"}
    return StringProperty(name=name, description=description, options=options)


def hidden_switch(name: str, description: str) -> Any:
    """Declare a hidden Boolean property, which is off again for the next call."""
    return BoolProperty(name=name, description=description, options=HIDDEN)


def again_switch() -> Any:
    """Declare the property that allows an order to be repeated."""
    return BoolProperty(
        name="Submit Again",
        description="Submit the job even if the same one is running or was just submitted",
        options={"SKIP_SAVE"},
    )


def place_of_order() -> Any:
    """Declare the property that names where an order comes from, such as "image_editor"."""
    return StringProperty(
        name="Source", description="Editor or menu that contains the button", options=HIDDEN
    )
