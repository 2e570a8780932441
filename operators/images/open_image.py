# SPDX-License-Identifier: GPL-3.0-or-later
"""Open image files as the scene's image, or as one of its side views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, StringProperty

from ...app.chosen_image import choose
from ...i18n.translate import tr
from ...providers import BadImage, ImageToMeshError, Message
from ...state.scene_properties import choices_of
from ...state.views import SIDE_VIEWS
from .choose import CLEARED, refuse

HIDDEN = {"HIDDEN", "SKIP_SAVE"}
THUMBNAILS = 3
"""Blender's number of the file browser's thumbnails (FILE_IMGDISPLAY in DNA_space_enums.h)."""


def _show(name: str, description: str) -> Any:
    return BoolProperty(name=name, description=description, default=True, options=HIDDEN)


class IMAGE_TO_MESH_OT_open_image(bpy.types.Operator):
    """Open image files.

    Blender's own `image.open` looks for UDIM tiles and takes a phone's `IMG_1423.JPG` for one.
    """

    bl_idname = "image_to_mesh.open_image"
    bl_label = "Open Image"
    bl_description = "Open an image file; of several files, the first one is used"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(
        name="File", description="An image file", subtype="FILE_PATH", options={"SKIP_SAVE"}
    )
    directory: StringProperty(
        name="Folder", description="The folder of the files", subtype="DIR_PATH", options=HIDDEN
    )
    files: CollectionProperty(
        name="Files",
        description="The image files",
        type=bpy.types.OperatorFileListElement,
        options=HIDDEN,
    )
    view: EnumProperty(
        name="View",
        description="The view that the image shows",
        items=[(view, view.capitalize(), "") for view in ("front", *SIDE_VIEWS)],
        options=HIDDEN,
    )
    # The file browser reads these from the operator that opens it.
    filter_image: _show("Images", "Show images")
    filter_folder: _show("Folders", "Show folders")
    display_type: EnumProperty(
        name="Display",
        description="How the file browser shows files",
        items=[("THUMBNAIL", "Thumbnails", "", THUMBNAILS)],
        options=HIDDEN,
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            first, *others = [_load(path) for path in self._paths()]
        except ImageToMeshError as error:
            return refuse(self, context, error)
        if self.view != "front":
            setattr(choices_of(context.scene), f"view_{self.view}", first)
        elif choose(context, first):
            self.report({"INFO"}, tr(CLEARED))
        if others:
            self.report({"INFO"}, tr("{} more images were opened").format(len(others)))
        return {"FINISHED"}

    def _paths(self) -> list[Path]:
        folder = Path(bpy.path.abspath(self.directory))
        named = [folder / file.name for file in self.files if file.name]
        return named or [Path(bpy.path.abspath(self.filepath))]


def _load(path: Path) -> bpy.types.Image:
    """Load an image file, or return the image that has it already. Raises BadImage."""
    if not path.is_file():
        raise BadImage(
            Message("There is no image file “{path}”.", path=str(path)), "Choose another file."
        )
    try:
        return bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError as error:
        raise BadImage(
            Message("“{name}” could not be opened.", name=path.name), "Choose another file."
        ) from error


classes = (IMAGE_TO_MESH_OT_open_image,)
