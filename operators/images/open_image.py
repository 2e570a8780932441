# SPDX-License-Identifier: GPL-3.0-or-later
"""Open image files as the scene's image, or as one of its side views."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import bpy
from bpy.props import EnumProperty

from ... import jobs, preferences
from ...app.chosen_image import use_as
from ...i18n.translate import tr
from ...jobs.disk.file_names import PHOTO_SUFFIXES
from ...providers import BadImage, Message
from ...state.views import SIDE_VIEWS
from ..arguments import HIDDEN, ImageFiles
from .choose import CLEARED, use_later


class IMAGE_TO_MESH_OT_open_image(ImageFiles, bpy.types.Operator):
    """Open image files.

    Blender's own `image.open` looks for UDIM tiles and takes a phone's `IMG_1423.JPG` for one.
    """

    bl_idname = "image_to_mesh.open_image"
    bl_label = "Open Image"
    bl_description = "Open an image file; of several files, the first one is used"
    bl_options = {"REGISTER", "UNDO"}

    view: EnumProperty(
        name="View",
        description="The view that the image shows",
        items=[(view, view.capitalize(), "") for view in ("front", *SIDE_VIEWS)],
        options=HIDDEN,
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        paths = self.paths()
        if len(paths) > 1:
            self.report({"INFO"}, tr("{} images were opened").format(len(paths)))
        return use_later(self, context, partial(self._open_all, context, paths))

    def _open_all(self, context: bpy.types.Context, paths: list[str]) -> None:
        for path in paths:
            self._open(context, path, self.view if path is paths[0] else "")

    def _open(self, context: bpy.types.Context, path: str, view: str) -> None:
        """Use an image for a view at once, or as soon as a thread has it."""
        if "://" in path:
            online = preferences.may_reach(path)
            jobs.image_downloads().start(path, online=online, view=view)
        elif path.lower().endswith(PHOTO_SUFFIXES):
            jobs.image_downloads().decode(Path(path), view)
        elif use_as(context, _load(Path(path)), view):
            self.report({"INFO"}, tr(CLEARED))


def _load(path: Path) -> bpy.types.Image:
    """Load an image file, or return the image that has it already. Raises BadImage."""
    if not path.is_file():
        raise BadImage(
            Message("Image file not found: {path}.", path=str(path)), "Choose another file."
        )
    try:
        return bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError as error:
        raise BadImage(
            Message("“{name}” could not be opened.", name=path.name), "Choose another file."
        ) from error


classes = (IMAGE_TO_MESH_OT_open_image,)
