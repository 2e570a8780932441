# SPDX-License-Identifier: GPL-3.0-or-later
"""Open image files as the scene's image, or as one of its side views."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import bpy
from bpy.props import EnumProperty

from ... import jobs
from ...app.chosen_image import choose
from ...i18n.translate import tr
from ...providers import BadImage, ImageToMeshError, Message
from ...state.scene_properties import choices_of
from ...state.views import SIDE_VIEWS
from ..arguments import HIDDEN, ImageFiles
from .choose import CLEARED, refuse, use_later


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
        from ...scene.clipboard import PHOTOS

        paths = [Path(path) for path in self.paths()]
        # Blender does not read these: they come as soon as a program of the system has decoded one.
        if paths[0].suffix.lower() in PHOTOS:
            decode = partial(jobs.image_downloads().decode, paths[0], self.view)
            return use_later(self, context, decode)
        try:
            first, *others = [_load(path) for path in paths]
        except ImageToMeshError as error:
            return refuse(self, context, error)
        if self.view != "front":
            setattr(choices_of(context.scene), f"view_{self.view}", first)
        elif choose(context, first):
            self.report({"INFO"}, tr(CLEARED))
        if others:
            self.report({"INFO"}, tr("{} more images were opened").format(len(others)))
        return {"FINISHED"}


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
